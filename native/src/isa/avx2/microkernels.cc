// AVX2 with FMA: 8 float lanes, 16 registers.
#include "isa/avx2/simd.h"
#include "isa/generic/attention.h"
#include "isa/generic/gelu.h"
#include "isa/generic/layer_norm.h"
#include "isa/generic/table_sums.h"

namespace lutnn {
namespace {

/// Stores 8 from two vectors whose lanes hold two of them each.
inline void storeInOrder(float* y, __m256 both) {
  _mm256_storeu_ps(y, _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(both), 0xd8)));
}

void copyEverySecond(const EverySecond& copy) {
  const size_t count = copy.count;
  for (size_t r = 0; r < copy.rows; r++) {
    const float* x = copy.x + r * copy.xStride;
    float* y = copy.y + r * copy.yStride;
    size_t n = 0;
    for (; n + 8 < count; n += 8)
      storeInOrder(y + n, _mm256_shuffle_ps(_mm256_loadu_ps(x + 2 * n), _mm256_loadu_ps(x + 2 * n + 8), 0x88));
    if (count >= 8) {  // the last 8 up to the last float: behind it there may be nothing
      const float* last = x + 2 * (count - 8);
      storeInOrder(y + count - 8, _mm256_shuffle_ps(_mm256_loadu_ps(last), _mm256_loadu_ps(last + 7), 0xd8));
      continue;
    }
    for (; n < count; n++) y[n] = x[2 * n];
  }
}

void encodeRows(const Codebooks& books, const float* x, size_t rowStride, size_t rows, uint8_t* codes) {
  encodeRowsBy<Avx2, 4>(books, x, rowStride, rows, codes);
}

void encodePositions(const Codebooks& books, size_t codebook, const float* x, const ptrdiff_t* taps, size_t positions,
                     uint8_t* codes) {
  size_t n = 0;
  for (; n + 24 <= positions; n += 24)
    encodePositionsStep<Avx2, 3, 4, false>(books, codebook, x + n, taps, 8, codes + n);
  const size_t rest = positions - n;
  if (rest > 16) encodePositionsStep<Avx2, 3, 4, true>(books, codebook, x + n, taps, rest - 16, codes + n);
  else if (rest > 8) encodePositionsStep<Avx2, 2, 4, true>(books, codebook, x + n, taps, rest - 8, codes + n);
  else if (rest > 0) encodePositionsStep<Avx2, 1, 8, true>(books, codebook, x + n, taps, rest, codes + n);
}

/// 8 neighbouring positions of output m on their way out at `at`.
inline void finish8(const Output& out, size_t at, size_t m, __m256i sums) {
  if (out.sums) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out.sums + at), sums);
    return;
  }
  const __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_broadcast_ss(out.scale + m));
  __m256 y = _mm256_add_ps(scaled, _mm256_broadcast_ss(out.bias + m));
  if (out.residual) y = _mm256_add_ps(y, _mm256_loadu_ps(out.residual + at));
  _mm256_storeu_ps(out.y + at, _mm256_max_ps(_mm256_set1_ps(out.floor), y));
}

/// Bytes added up in 16 bits, even and odd ones apart. The sums start at what takes their bias off again. `all` wraps
/// around, but less its odd part it is exact.
struct ByteSums {
  __m256i all, odd;

  /// For `count` entries of a table in which `addends` may be added up as bytes.
  void start(size_t count, size_t addends) {
    const int bias = static_cast<int>(128 / addends * count);
    all = _mm256_set1_epi16(static_cast<int16_t>(-bias * 257));
    odd = _mm256_set1_epi16(static_cast<int16_t>(-bias));
  }
  void add(__m256i bytes) {
    all = _mm256_add_epi16(all, bytes);
    odd = _mm256_add_epi16(odd, _mm256_srli_epi16(bytes, 8));
  }
  void settle() {
    LUTNN_SETTLE(all);
    LUTNN_SETTLE(odd);
  }
  __m256i even() const { return _mm256_sub_epi16(all, _mm256_slli_epi16(odd, 8)); }
};

/// Up to which codebook, from c on, sums fit into 16 bits.
template <int kAddends>
inline size_t chunkEnd(size_t c, size_t numCodebooks) {
  return numCodebooks - c > kAddends * kMaxSums16 ? c + kAddends * kMaxSums16 : numCodebooks;
}

/// The sums of 32 bytes as 4 vectors: the first and last 8 even ones, then the odd ones.
inline void widen(const ByteSums& bytes, __m256i (&sums)[4]) {
  const __m256i even = bytes.even();
  sums[0] = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(even));
  sums[1] = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(even, 1));
  sums[2] = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(bytes.odd));
  sums[3] = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(bytes.odd, 1));
}

/// The same for bytes that are 2 outputs at 16 positions: the first and last 8 positions of each.
inline void widenPositions(const ByteSums& bytes, __m256i (&sums)[4]) {
  const __m256i even = bytes.even();
  const __m256i low = _mm256_unpacklo_epi16(even, bytes.odd), high = _mm256_unpackhi_epi16(even, bytes.odd);
  sums[0] = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(low));
  sums[1] = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(high));
  sums[2] = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(low, 1));
  sums[3] = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(high, 1));
}

/// Adds one codebook's entries for a panel of 4 outputs at kBlocks · 16 positions to `found`, or sets it. A vector is 2
/// outputs at 16 positions.
template <bool kSet, int kBlocks>
inline void shuffleOne(const uint8_t* entries, const uint8_t* codes, __m256i (&found)[2][kBlocks]) {
  const __m256i* row = reinterpret_cast<const __m256i*>(entries);
  const __m256i pair[2] = {_mm256_load_si256(row), _mm256_load_si256(row + 1)};
  LUTNN_UNROLL(int i = 0; i < kBlocks; i++) {
    const __m128i code = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + i * 16));
    LUTNN_UNROLL(int p = 0; p < 2; p++) {
      const __m256i more = _mm256_shuffle_epi8(pair[p], _mm256_broadcastsi128_si256(code));
      found[p][i] = kSet ? more : _mm256_add_epi8(found[p][i], more);
      LUTNN_SETTLE(found[p][i]);
    }
  }
}

/// Adds kAddends codebooks' entries.
template <int kAddends, int kBlocks>
inline void shuffleStep(const uint8_t* entries, const uint8_t* codes, size_t codeStride,
                        ByteSums (&bytes)[2][kBlocks]) {
  constexpr size_t kRow = kPanelOutputs * 16;
  __m256i found[2][kBlocks];
  shuffleOne<true, kBlocks>(entries, codes, found);
  if (kAddends == 2) shuffleOne<false, kBlocks>(entries + kRow, codes + codeStride, found);
  LUTNN_ROLL(int a = kAddends == 2 ? 2 : 1; a < kAddends; a++) {
    entries += kRow;
    codes += codeStride;
    shuffleOne<false, kBlocks>(entries, codes, found);
  }
  LUTNN_UNROLL(int p = 0; p < 2; p++) {
    LUTNN_UNROLL(int i = 0; i < kBlocks; i++) bytes[p][i].add(found[p][i]);
  }
}

/// Adds up the codebooks c … end − 1.
template <int kAddends, int kBlocks>
inline void shuffleChunk(const ShuffleTable& table, const uint8_t* entries, const uint8_t* codes, size_t codeStride,
                         size_t c, size_t end, ByteSums (&bytes)[2][kBlocks]) {
  LUTNN_UNROLL(auto& pair : bytes) {
    LUTNN_UNROLL(auto& block : pair) block.start(end - c, table.addends);
  }
  constexpr size_t kRow = kPanelOutputs * 16;
  for (; c + kAddends <= end; c += kAddends)
    shuffleStep<kAddends, kBlocks>(entries + c * kRow, codes + c * codeStride, codeStride, bytes);
  for (; kAddends > 1 && c < end; c++)
    shuffleStep<1, kBlocks>(entries + c * kRow, codes + c * codeStride, codeStride, bytes);
  LUTNN_UNROLL(auto& pair : bytes) {
    LUTNN_UNROLL(auto& block : pair) block.settle();
  }
}

/// 2 outputs from m on, at 16 positions from n on, fewer at the end.
inline void finishPositions(const Output& out, size_t m, size_t outputs, size_t n, size_t positions,
                            const __m256i (&sums)[4]) {
  LUTNN_UNROLL(size_t j = 0; j < 2; j++) {
    const size_t at = (m + j) * out.stride + n;
    if (m + j >= outputs) continue;
    if (n + 16 <= positions) {
      finish8(out, at, m + j, sums[2 * j]);
      finish8(out, at + 8, m + j, sums[2 * j + 1]);
    } else {
      alignas(32) int32_t lanes[16];
      _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), sums[2 * j]);
      _mm256_store_si256(reinterpret_cast<__m256i*>(lanes + 8), sums[2 * j + 1]);
      for (size_t k = 0; n + k < positions; k++) finish(out, at + k, m + j, lanes[k]);
    }
  }
}

/// One panel of 4 outputs from m on, at kBlocks · 16 positions from n on.
template <int kAddends, int kBlocks>
inline void shufflePanel(const ShuffleTable& table, size_t m, const uint8_t* codes, size_t codeStride, size_t n,
                         size_t positions, const Output& out) {
  const uint8_t* entries = table.entries + m * table.numCodebooks * 16;
  ByteSums bytes[2][kBlocks];
  if (table.numCodebooks <= kAddends * kMaxSums16) {
    shuffleChunk<kAddends, kBlocks>(table, entries, codes + n, codeStride, 0, table.numCodebooks, bytes);
    LUTNN_UNROLL(size_t p = 0; p < 2; p++) {
      LUTNN_UNROLL(size_t i = 0; i < kBlocks; i++) {
        __m256i sums[4];
        widenPositions(bytes[p][i], sums);
        finishPositions(out, m + 2 * p, table.outputs, n + 16 * i, positions, sums);
      }
    }
    return;
  }
  __m256i sums[2][kBlocks][4] = {}, part[4];
  for (size_t c = 0; c < table.numCodebooks; c += kAddends * kMaxSums16) {
    shuffleChunk<kAddends, kBlocks>(table, entries, codes + n, codeStride, c, chunkEnd<kAddends>(c, table.numCodebooks),
                                    bytes);
    for (int p = 0; p < 2; p++)
      for (int i = 0; i < kBlocks; i++) {
        widenPositions(bytes[p][i], part);
        for (int q = 0; q < 4; q++) sums[p][i][q] = _mm256_add_epi32(sums[p][i][q], part[q]);
      }
  }
  for (size_t p = 0; p < 2; p++)
    for (size_t i = 0; i < kBlocks; i++)
      finishPositions(out, m + 2 * p, table.outputs, n + 16 * i, positions, sums[p][i]);
}

template <int kAddends>
void lookupShuffleOf(const ShuffleTable& table, const uint8_t* codes, size_t codeStride, size_t positions,
                     const Output& out) {
  for (size_t m = 0; m < table.outputs; m += kPanelOutputs) {
    size_t n = 0;
    for (; n + 16 < positions; n += 32) shufflePanel<kAddends, 2>(table, m, codes, codeStride, n, positions, out);
    if (n < positions) shufflePanel<kAddends, 1>(table, m, codes, codeStride, n, positions, out);
  }
}

void lookupShuffle(const ShuffleTable& table, const uint8_t* codes, size_t codeStride, size_t positions,
                   const Output& out) {
  switch (table.addends) {
    case kAddends4Bit: return lookupShuffleOf<kAddends4Bit>(table, codes, codeStride, positions, out);
    case kAddends7Bit: return lookupShuffleOf<kAddends7Bit>(table, codes, codeStride, positions, out);
    default: return lookupShuffleOf<kAddends8Bit>(table, codes, codeStride, positions, out);
  }
}

/// Adds one codebook's entries for 64 outputs to `found`, or sets it.
template <bool kSet>
inline void gatherOne(const uint8_t* book, uint8_t code, __m256i (&found)[2]) {
  const __m256i* row = reinterpret_cast<const __m256i*>(book + code * kGatherOutputs);
  LUTNN_UNROLL(int i = 0; i < 2; i++) {
    found[i] = kSet ? _mm256_load_si256(row + i) : _mm256_add_epi8(found[i], _mm256_load_si256(row + i));
    LUTNN_SETTLE(found[i]);
  }
}

/// Adds kAddends codebooks' entries for kRows rows of codes, codeStride apart, and 64 outputs.
template <int kAddends, int kRows>
inline void gatherStep(const uint8_t* book, size_t bookBytes, const uint8_t* codes, size_t codeStride,
                       ByteSums (&bytes)[kRows][2]) {
  LUTNN_UNROLL(int r = 0; r < kRows; r++) {
    const uint8_t* rowBook = book;
    __m256i found[2];
    gatherOne<true>(rowBook, codes[r * codeStride], found);
    if (kAddends == 2) gatherOne<false>(rowBook + bookBytes, codes[r * codeStride + 1], found);
    LUTNN_ROLL(int a = kAddends == 2 ? 2 : 1; a < kAddends; a++) {
      rowBook += bookBytes;
      gatherOne<false>(rowBook, codes[r * codeStride + a], found);
    }
    LUTNN_UNROLL(int i = 0; i < 2; i++) bytes[r][i].add(found[i]);
  }
}

/// Adds up the codebooks c … end − 1.
template <int kAddends, int kRows>
inline void gatherChunk(const GatherTable& table, const uint8_t* entries, const uint8_t* codes, size_t c, size_t end,
                        ByteSums (&bytes)[kRows][2]) {
  LUTNN_UNROLL(auto& row : bytes) {
    LUTNN_UNROLL(auto& half : row) half.start(end - c, table.addends);
  }
  const size_t bookBytes = table.numCentroids * kGatherOutputs, codeStride = table.numCodebooks;
  const uint8_t* book = entries + c * bookBytes;
  for (; c + kAddends <= end; c += kAddends, book += kAddends * bookBytes)
    gatherStep<kAddends, kRows>(book, bookBytes, codes + c, codeStride, bytes);
  for (; kAddends > 1 && c < end; c++, book += bookBytes)
    gatherStep<1, kRows>(book, bookBytes, codes + c, codeStride, bytes);
  LUTNN_UNROLL(auto& row : bytes) {
    LUTNN_UNROLL(auto& half : row) half.settle();
  }
}

/// 32 outputs of a row from m on, fewer at the end, to `at`.
inline void finishOutputs(const Output& out, size_t at, size_t m, size_t outputs, const __m256i (&sums)[4]) {
  if (out.sums || m + 32 > outputs) {
    alignas(32) int32_t lanes[32];
    for (int q = 0; q < 4; q++) _mm256_store_si256(reinterpret_cast<__m256i*>(lanes) + q, sums[q]);
    for (size_t j = 0; j < 32 && m + j < outputs; j++) finish(out, at + j, m + j, lanes[j]);
    return;
  }
  const __m256 floor = _mm256_set1_ps(out.floor);
  LUTNN_UNROLL(size_t q = 0; q < 4; q++) {
    const __m256 scale = _mm256_load_ps(out.scale + m + 8 * q), bias = _mm256_load_ps(out.bias + m + 8 * q);
    __m256 y = _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sums[q]), scale), bias);
    if (out.residual) y = _mm256_add_ps(y, _mm256_loadu_ps(out.residual + at + 8 * q));
    _mm256_storeu_ps(out.y + at + 8 * q, _mm256_max_ps(floor, y));
  }
}

/// kRows rows from n on, and 64 outputs from m on.
template <int kAddends, int kRows>
inline void gatherRows(const GatherTable& table, size_t m, const uint8_t* codes, size_t n, const Output& out) {
  const size_t numCodebooks = table.numCodebooks;
  const uint8_t* entries = table.entries + m * numCodebooks * table.numCentroids;
  const uint8_t* rowCodes = codes + n * numCodebooks;
  ByteSums bytes[kRows][2];
  if (numCodebooks <= kAddends * kMaxSums16) {
    gatherChunk<kAddends, kRows>(table, entries, rowCodes, 0, numCodebooks, bytes);
    LUTNN_UNROLL(size_t r = 0; r < kRows; r++) {
      LUTNN_UNROLL(size_t i = 0; i < 2; i++) {
        __m256i sums[4];
        widen(bytes[r][i], sums);
        finishOutputs(out, (n + r) * out.stride + m + 32 * i, m + 32 * i, table.outputs, sums);
      }
    }
    return;
  }
  __m256i sums[kRows][2][4] = {}, part[4];
  for (size_t c = 0; c < numCodebooks; c += kAddends * kMaxSums16) {
    gatherChunk<kAddends, kRows>(table, entries, rowCodes, c, chunkEnd<kAddends>(c, numCodebooks), bytes);
    for (int r = 0; r < kRows; r++)
      for (int i = 0; i < 2; i++) {
        widen(bytes[r][i], part);
        for (int q = 0; q < 4; q++) sums[r][i][q] = _mm256_add_epi32(sums[r][i][q], part[q]);
      }
  }
  for (size_t r = 0; r < kRows; r++)
    for (size_t i = 0; i < 2; i++)
      finishOutputs(out, (n + r) * out.stride + m + 32 * i, m + 32 * i, table.outputs, sums[r][i]);
}

template <int kAddends>
void lookupGatherOf(const GatherTable& table, const uint8_t* codes, size_t rows, const Output& out) {
  for (size_t m = 0; m < table.outputs; m += kGatherOutputs) {
    size_t n = 0;
    for (; n + 2 <= rows; n += 2) gatherRows<kAddends, 2>(table, m, codes, n, out);
    if (n < rows) gatherRows<kAddends, 1>(table, m, codes, n, out);
  }
}

void lookupGather(const GatherTable& table, const uint8_t* codes, size_t rows, const Output& out) {
  switch (table.addends) {
    case kAddends4Bit: return lookupGatherOf<kAddends4Bit>(table, codes, rows, out);
    case kAddends7Bit: return lookupGatherOf<kAddends7Bit>(table, codes, rows, out);
    default: return lookupGatherOf<kAddends8Bit>(table, codes, rows, out);
  }
}

/// 8 vectors of 8 become 8 vectors of the first, second, … lanes.
inline void transpose(__m256i (&rows)[8]) {
  __m256i pair[8], quad[8];
  LUTNN_UNROLL(int i = 0; i < 8; i += 2) {
    pair[i] = _mm256_unpacklo_epi32(rows[i], rows[i + 1]);
    pair[i + 1] = _mm256_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  LUTNN_UNROLL(int i = 0; i < 8; i += 4) {  // quad[i + q]: lanes q and 4 + q of rows i … i + 3
    LUTNN_UNROLL(int h = 0; h < 2; h++) {
      quad[i + 2 * h] = _mm256_unpacklo_epi64(pair[i + h], pair[i + 2 + h]);
      quad[i + 2 * h + 1] = _mm256_unpackhi_epi64(pair[i + h], pair[i + 2 + h]);
    }
  }
  LUTNN_UNROLL(int q = 0; q < 4; q++) {
    rows[q] = _mm256_permute2x128_si256(quad[q], quad[4 + q], 0x20);
    rows[4 + q] = _mm256_permute2x128_si256(quad[q], quad[4 + q], 0x31);
  }
}

void finishTransposed(const int32_t* sums, size_t positions, size_t outputs, const Output& out) {
  size_t n = 0;
  for (; n + 8 <= positions; n += 8) {
    size_t m = 0;
    for (; m + 8 <= outputs; m += 8) {
      __m256i block[8];
      LUTNN_UNROLL(size_t i = 0; i < 8; i++)
        block[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums + (n + i) * outputs + m));
      transpose(block);
      LUTNN_UNROLL(size_t j = 0; j < 8; j++) finish8(out, (m + j) * out.stride + n, m + j, block[j]);
    }
    for (; m < outputs; m++)
      for (size_t i = n; i < n + 8; i++) finish(out, m * out.stride + i, m, sums[i * outputs + m]);
  }
  for (; n < positions; n++)
    for (size_t m = 0; m < outputs; m++) finish(out, m * out.stride + n, m, sums[n * outputs + m]);
}

}  // namespace

const Microkernels kAvx2Microkernels = {
    .isa = "avx2",
    .shuffleUnsigned = true,
    .gatherUnsigned = true,
    .gatherSpan = 32,
    .groupCodebooks = 1,
    .copyEverySecond = copyEverySecond,
    .encodeRows = encodeRows,
    .encodePositions = encodePositions,
    .encodeRowsTree = encodeRowsTree,
    .encodePositionsTree = encodePositionsTree<Avx2>,
    .groupCodes = nullptr,
    .lookupShuffle = lookupShuffle,
    .lookupGather = lookupGather,
    .finishTransposed = finishTransposed,
    .gelu = GeluOf<Avx2>::gelu,
    .attend = AttentionOf<Avx2>::attend,
    .byteShares = AttentionOf<Avx2>::byteShares,
    .layerNorm = LayerNormOf<Avx2>::layerNorm,
    .lookupAdd = TableSumsOf<Avx2>::lookupAdd,
    .scatterAdd = TableSumsOf<Avx2>::scatterAdd,
    .int8 = &kAvx2MicrokernelsInt8,
    .dense = &kAvx2MicrokernelsDense,
    .gatherLimits = {{{12, 12}, {12, 12}, {12, 12}, {12, 16}}},
};

}  // namespace lutnn
