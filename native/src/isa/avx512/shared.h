// What the two AVX-512 files share: encoding, gathered lookups and the order of shuffled ones.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include "isa/avx512/simd.h"

namespace lutnn {
namespace {

void copyEverySecond(const EverySecond& copy) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i shifted = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
  const size_t count = copy.count, floats = 2 * count - 1;
  if (count >= 16) {
    for (size_t r = 0; r < copy.rows; r++) {
      const float* x = copy.x + r * copy.xStride;
      float* y = copy.y + r * copy.yStride;
      for (size_t n = 0; n + 16 < count; n += 16) {
        const __m512 a = _mm512_loadu_ps(x + 2 * n), b = _mm512_loadu_ps(x + 2 * n + 16);
        _mm512_storeu_ps(y + n, _mm512_permutex2var_ps(a, even, b));
      }
      const float* last = x + 2 * (count - 16);  // up to the last float: behind it there may be nothing
      const __m512 a = _mm512_loadu_ps(last), b = _mm512_loadu_ps(last + 15);
      _mm512_storeu_ps(y + count - 16, _mm512_permutex2var_ps(a, shifted, b));
    }
    return;
  }
  const __mmask16 low = floats < 16 ? Avx512::firstLanes(floats) : 0xffff, to = Avx512::firstLanes(count);
  const __mmask16 high = floats > 16 ? Avx512::firstLanes(floats - 16) : 0;
  for (size_t r = 0; r < copy.rows; r++) {
    const float* x = copy.x + r * copy.xStride;
    const __m512 a = _mm512_maskz_loadu_ps(low, x), b = _mm512_maskz_loadu_ps(high, x + 16);
    _mm512_mask_storeu_ps(copy.y + r * copy.yStride, to, _mm512_permutex2var_ps(a, even, b));
  }
}

void encodeRows(const Codebooks& books, const float* x, size_t rowStride, size_t rows, uint8_t* codes) {
  encodeRowsBy<Avx512, 8>(books, x, rowStride, rows, codes);
}

void encodePositions(const Codebooks& books, size_t codebook, const float* x, const ptrdiff_t* taps, size_t positions,
                     uint8_t* codes) {
  size_t n = positions / 16 * 16;
  if (!encodePositionsFast<Avx512>(books, codebook, x, taps, n, codes))
    for (n = 0; n + 16 <= positions; n += 16)
      encodePositionsStep<Avx512, 1, 16, false>(books, codebook, x + n, taps, 16, codes + n);
  if (n < positions) encodePositionsStep<Avx512, 1, 16, true>(books, codebook, x + n, taps, positions - n, codes + n);
}

enum class Lanes { kPositions, kOutputs };

/// 16 neighbouring positions of output m, or outputs from m on of a row, on their way out at `at`; the first `count`.
template <Lanes kLanes>
inline void finish16(const Output& out, size_t at, size_t m, __m512i sums, size_t count) {
  const __mmask16 mask = count < 16 ? Avx512::firstLanes(count) : static_cast<__mmask16>(~0);
  if (out.sums) return _mm512_mask_storeu_epi32(out.sums + at, mask, sums);
  constexpr bool kSame = kLanes == Lanes::kPositions;
  const __m512 scale = kSame ? _mm512_set1_ps(out.scale[m]) : _mm512_load_ps(out.scale + m);
  const __m512 bias = kSame ? _mm512_set1_ps(out.bias[m]) : _mm512_load_ps(out.bias + m);
  __m512 y = _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), scale), bias);
  if (out.residual) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, out.residual + at));
  y = _mm512_max_ps(_mm512_set1_ps(out.floor), y);
  if (count < 16) _mm512_mask_storeu_ps(out.y + at, mask, y);
  else _mm512_storeu_ps(out.y + at, y);
}

/// Bytes added up in 16 bits, even and odd ones apart. The sums start at what takes their bias off again. `all` wraps
/// around, but less its odd part it is exact.
struct ByteSums {
  __m512i all, odd;

  /// For `count` entries of a table in which `addends` may be added up as bytes.
  void start(size_t count, size_t addends) {
    const int bias = static_cast<int>(128 / addends * count);
    all = _mm512_set1_epi16(static_cast<int16_t>(-bias * 257));
    odd = _mm512_set1_epi16(static_cast<int16_t>(-bias));
  }
  void add(__m512i bytes) {
    all = _mm512_add_epi16(all, bytes);
    odd = _mm512_add_epi16(odd, _mm512_srli_epi16(bytes, 8));
  }
  void settle() {
    LUTNN_SETTLE(all);
    LUTNN_SETTLE(odd);
  }
  __m512i even() const { return _mm512_sub_epi16(all, _mm512_slli_epi16(odd, 8)); }
};

/// Up to which codebook, from c on, sums fit into 16 bits.
template <int kAddends>
inline size_t chunkEnd(size_t c, size_t numCodebooks) {
  return numCodebooks - c > kAddends * kMaxSums16 ? c + kAddends * kMaxSums16 : numCodebooks;
}

/// The sums of 64 bytes as 4 vectors: the first and last 16 even ones, then the odd ones.
inline void widen(const ByteSums& bytes, __m512i (&sums)[4]) {
  const __m512i even = bytes.even();
  sums[0] = _mm512_cvtepi16_epi32(_mm512_castsi512_si256(even));
  sums[1] = _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(even, 1));
  sums[2] = _mm512_cvtepi16_epi32(_mm512_castsi512_si256(bytes.odd));
  sums[3] = _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(bytes.odd, 1));
}

/// Adds kAddends codebooks' entries for kRows rows of codes, codeStride apart, and 64 outputs.
template <int kAddends, int kRows>
inline void gatherStep(const uint8_t* book, size_t bookBytes, const uint8_t* codes, size_t codeStride,
                       ByteSums (&bytes)[kRows]) {
  __m512i found[kRows];
  LUTNN_UNROLL(int a = 0; a < kAddends; a++, book += bookBytes) {
    LUTNN_UNROLL(int r = 0; r < kRows; r++) {
      const __m512i row = _mm512_load_si512(book + codes[r * codeStride + a] * kGatherOutputs);
      found[r] = a == 0 ? row : _mm512_add_epi8(found[r], row);
    }
  }
  LUTNN_UNROLL(int r = 0; r < kRows; r++) {
    LUTNN_SETTLE(found[r]);  // read once, not once for each sum
    bytes[r].add(found[r]);
  }
}

/// Adds up the codebooks c … end − 1.
template <int kAddends, int kRows>
inline void gatherChunk(const GatherTable& table, const uint8_t* entries, const uint8_t* codes, size_t c, size_t end,
                        ByteSums (&bytes)[kRows]) {
  LUTNN_UNROLL(auto& row : bytes) row.start(end - c, table.addends);
  const size_t bookBytes = table.numCentroids * kGatherOutputs, codeStride = table.numCodebooks;
  const uint8_t* book = entries + c * bookBytes;
  for (; c + kAddends <= end; c += kAddends, book += kAddends * bookBytes)
    gatherStep<kAddends, kRows>(book, bookBytes, codes + c, codeStride, bytes);
  for (; kAddends > 1 && c < end; c++, book += bookBytes)
    gatherStep<1, kRows>(book, bookBytes, codes + c, codeStride, bytes);
  LUTNN_UNROLL(auto& row : bytes) row.settle();
}

/// kRows rows from n on, and 64 outputs from m on, fewer at the end.
template <int kRows>
inline void finishRows(const Output& out, size_t n, size_t m, size_t outputs, const __m512i (&sums)[kRows][4]) {
  if (out.sums || m + 64 > outputs) {
    for (size_t r = 0; r < kRows; r++)
      for (size_t q = 0; q < 4 && m + 16 * q < outputs; q++)
        finish16<Lanes::kOutputs>(out, (n + r) * out.stride + m + 16 * q, m + 16 * q, sums[r][q], outputs - m - 16 * q);
    return;
  }
  const __m512 floor = _mm512_set1_ps(out.floor);
  LUTNN_UNROLL(size_t q = 0; q < 4; q++) {
    const __m512 scale = _mm512_load_ps(out.scale + m + 16 * q), bias = _mm512_load_ps(out.bias + m + 16 * q);
    LUTNN_UNROLL(size_t r = 0; r < kRows; r++) {
      const size_t at = (n + r) * out.stride + m + 16 * q;
      __m512 y = _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sums[r][q]), scale), bias);
      if (out.residual) y = _mm512_add_ps(y, _mm512_loadu_ps(out.residual + at));
      _mm512_storeu_ps(out.y + at, _mm512_max_ps(floor, y));
    }
  }
}

/// kRows rows from n on, and 64 outputs from m on.
template <int kAddends, int kRows>
inline void gatherRows(const GatherTable& table, size_t m, const uint8_t* codes, size_t n, const Output& out) {
  const size_t numCodebooks = table.numCodebooks;
  const uint8_t* entries = table.entries + m * numCodebooks * table.numCentroids;
  const uint8_t* rowCodes = codes + n * numCodebooks;
  ByteSums bytes[kRows];
  if (numCodebooks <= kAddends * kMaxSums16) {
    gatherChunk<kAddends, kRows>(table, entries, rowCodes, 0, numCodebooks, bytes);
    __m512i sums[kRows][4];
    LUTNN_UNROLL(size_t r = 0; r < kRows; r++) widen(bytes[r], sums[r]);
    return finishRows<kRows>(out, n, m, table.outputs, sums);
  }
  __m512i sums[kRows][4] = {}, part[4];
  for (size_t c = 0; c < numCodebooks; c += kAddends * kMaxSums16) {
    gatherChunk<kAddends, kRows>(table, entries, rowCodes, c, chunkEnd<kAddends>(c, numCodebooks), bytes);
    for (int r = 0; r < kRows; r++) {
      widen(bytes[r], part);
      for (int q = 0; q < 4; q++) sums[r][q] = _mm512_add_epi32(sums[r][q], part[q]);
    }
  }
  finishRows<kRows>(out, n, m, table.outputs, sums);
}

template <int kAddends>
void lookupGatherOf(const GatherTable& table, const uint8_t* codes, size_t rows, const Output& out) {
  for (size_t m = 0; m < table.outputs; m += kGatherOutputs) {
    size_t n = 0;
    for (; n + 4 <= rows; n += 4) gatherRows<kAddends, 4>(table, m, codes, n, out);
    for (; n < rows; n++) gatherRows<kAddends, 1>(table, m, codes, n, out);
  }
}

void lookupGather(const GatherTable& table, const uint8_t* codes, size_t rows, const Output& out) {
  if (table.addends >= 2) lookupGatherOf<2>(table, codes, rows, out);
  else lookupGatherOf<1>(table, codes, rows, out);
}

/// 16 vectors of 16 become 16 vectors of the first, second, … lanes.
inline void transpose(__m512i (&rows)[16]) {
  __m512i pair[16], quad[16], half[16];
  LUTNN_UNROLL(int i = 0; i < 16; i += 2) {
    pair[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pair[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  LUTNN_UNROLL(int i = 0; i < 16; i += 4) {  // quad[i + q]: lanes q, 4 + q, 8 + q, 12 + q of rows i … i + 3
    LUTNN_UNROLL(int h = 0; h < 2; h++) {
      quad[i + 2 * h] = _mm512_unpacklo_epi64(pair[i + h], pair[i + 2 + h]);
      quad[i + 2 * h + 1] = _mm512_unpackhi_epi64(pair[i + h], pair[i + 2 + h]);
    }
  }
  LUTNN_UNROLL(int q = 0; q < 4; q++) {
    LUTNN_UNROLL(int h = 0; h < 2; h++) {  // lanes q and 8 + q of 8 rows, lanes 4 + q and 12 + q
      half[8 * h + q] = _mm512_shuffle_i32x4(quad[8 * h + q], quad[8 * h + 4 + q], 0x88);
      half[8 * h + 4 + q] = _mm512_shuffle_i32x4(quad[8 * h + q], quad[8 * h + 4 + q], 0xdd);
    }
    rows[q] = _mm512_shuffle_i32x4(half[q], half[8 + q], 0x88);
    rows[4 + q] = _mm512_shuffle_i32x4(half[4 + q], half[12 + q], 0x88);
    rows[8 + q] = _mm512_shuffle_i32x4(half[q], half[8 + q], 0xdd);
    rows[12 + q] = _mm512_shuffle_i32x4(half[4 + q], half[12 + q], 0xdd);
  }
}

void finishTransposed(const int32_t* sums, size_t positions, size_t outputs, const Output& out) {
  for (size_t n = 0; n < positions; n += 16)
    for (size_t m = 0; m < outputs; m += 16) {
      const size_t rows = positions - n < 16 ? positions - n : 16, columns = outputs - m < 16 ? outputs - m : 16;
      __m512i block[16];
      LUTNN_UNROLL(size_t i = 0; i < 16; i++)
        block[i] = i < rows ? _mm512_maskz_loadu_epi32(Avx512::firstLanes(columns), sums + (n + i) * outputs + m)
                            : _mm512_setzero_si512();
      transpose(block);
      LUTNN_UNROLL(size_t j = 0; j < 16; j++) {
        if (j < columns) finish16<Lanes::kPositions>(out, (m + j) * out.stride + n, m + j, block[j], rows);
      }
    }
}

/// One panel of 4 outputs from m on, at kBlocks · 16 positions from n on: each file has its own.
template <int kAddends, int kBlocks>
void shufflePanel(const ShuffleTable& table, size_t m, const uint8_t* codes, size_t codeStride, size_t n,
                  size_t positions, const Output& out);

template <int kAddends>
void lookupShuffleOf(const ShuffleTable& table, const uint8_t* codes, size_t codeStride, size_t positions,
                     const Output& out) {
  for (size_t m = 0; m < table.outputs; m += kPanelOutputs) {
    size_t n = 0;
    for (; n + 48 < positions; n += 64) shufflePanel<kAddends, 4>(table, m, codes, codeStride, n, positions, out);
    if (n + 32 < positions) shufflePanel<kAddends, 3>(table, m, codes, codeStride, n, positions, out);
    else if (n + 16 < positions) shufflePanel<kAddends, 2>(table, m, codes, codeStride, n, positions, out);
    else if (n < positions) shufflePanel<kAddends, 1>(table, m, codes, codeStride, n, positions, out);
  }
}

void lookupShuffle(const ShuffleTable& table, const uint8_t* codes, size_t codeStride, size_t positions,
                   const Output& out) {
  if (table.addends >= 2) lookupShuffleOf<2>(table, codes, codeStride, positions, out);
  else lookupShuffleOf<1>(table, codes, codeStride, positions, out);
}

}  // namespace
}  // namespace lutnn
