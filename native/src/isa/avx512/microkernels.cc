// AVX-512 as of its first server processors (F, BW, DQ, VL): a shuffle looks up 4 outputs at 16 positions.
#include "isa/avx512/shared.h"
#include "isa/generic/attention.h"
#include "isa/generic/gelu.h"
#include "isa/generic/layer_norm.h"
#include "isa/generic/table_sums.h"

namespace lutnn {
namespace {

/// The sums of 4 outputs at 16 positions as a vector for each output.
inline void widenPositions(const ByteSums& bytes, __m512i (&sums)[4]) {
  const __m512i even = bytes.even();
  const __m512i low = _mm512_unpacklo_epi16(even, bytes.odd), high = _mm512_unpackhi_epi16(even, bytes.odd);
  // Quarters: positions 0 … 7 of outputs 0 and 1, and 8 … 15 of both; then the same of outputs 2 and 3.
  const __m512i first = _mm512_shuffle_i32x4(low, high, 0x44), second = _mm512_shuffle_i32x4(low, high, 0xee);
  const __m512i firstInOrder = _mm512_shuffle_i32x4(first, first, 0xd8);
  const __m512i secondInOrder = _mm512_shuffle_i32x4(second, second, 0xd8);
  sums[0] = _mm512_cvtepi16_epi32(_mm512_castsi512_si256(firstInOrder));
  sums[1] = _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(firstInOrder, 1));
  sums[2] = _mm512_cvtepi16_epi32(_mm512_castsi512_si256(secondInOrder));
  sums[3] = _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(secondInOrder, 1));
}

/// Adds kAddends codebooks' entries for a panel of 4 outputs at kBlocks · 16 positions.
template <int kAddends, int kBlocks>
inline void shuffleStep(const uint8_t* entries, const uint8_t* codes, size_t codeStride, ByteSums (&bytes)[kBlocks]) {
  __m512i found[kBlocks];
  LUTNN_UNROLL(int a = 0; a < kAddends; a++, entries += kPanelOutputs * 16, codes += codeStride) {
    const __m512i row = _mm512_load_si512(entries);
    LUTNN_UNROLL(int i = 0; i < kBlocks; i++) {
      const __m128i code = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + i * 16));
      const __m512i more = _mm512_shuffle_epi8(row, _mm512_broadcast_i32x4(code));
      found[i] = a == 0 ? more : _mm512_add_epi8(found[i], more);
    }
  }
  LUTNN_UNROLL(int i = 0; i < kBlocks; i++) bytes[i].add(found[i]);
}

/// Adds up the codebooks c … end − 1.
template <int kAddends, int kBlocks>
inline void shuffleChunk(const ShuffleTable& table, const uint8_t* entries, const uint8_t* codes, size_t codeStride,
                         size_t c, size_t end, ByteSums (&bytes)[kBlocks]) {
  constexpr size_t kRow = kPanelOutputs * 16;
  LUTNN_UNROLL(auto& block : bytes) block.start(end - c, table.addends);
  for (; c + kAddends <= end; c += kAddends)
    shuffleStep<kAddends, kBlocks>(entries + c * kRow, codes + c * codeStride, codeStride, bytes);
  for (; kAddends > 1 && c < end; c++)
    shuffleStep<1, kBlocks>(entries + c * kRow, codes + c * codeStride, codeStride, bytes);
  LUTNN_UNROLL(auto& block : bytes) block.settle();
}

/// 4 outputs from m on, at 16 positions from n on, fewer at the end.
inline void finishPositions(const Output& out, size_t m, size_t outputs, size_t n, size_t positions,
                            const __m512i (&sums)[4]) {
  LUTNN_UNROLL(size_t j = 0; j < kPanelOutputs; j++) {
    if (m + j < outputs) finish16<Lanes::kPositions>(out, (m + j) * out.stride + n, m + j, sums[j], positions - n);
  }
}

/// One panel of 4 outputs from m on, at kBlocks · 16 positions from n on.
template <int kAddends, int kBlocks>
inline void shufflePanel(const ShuffleTable& table, size_t m, const uint8_t* codes, size_t codeStride, size_t n,
                         size_t positions, const Output& out) {
  const uint8_t* entries = table.entries + m * table.numCodebooks * 16;
  ByteSums bytes[kBlocks];
  if (table.numCodebooks <= kAddends * kMaxSums16) {
    shuffleChunk<kAddends, kBlocks>(table, entries, codes + n, codeStride, 0, table.numCodebooks, bytes);
    LUTNN_UNROLL(size_t i = 0; i < kBlocks; i++) {
      __m512i sums[4];
      widenPositions(bytes[i], sums);
      finishPositions(out, m, table.outputs, n + 16 * i, positions, sums);
    }
    return;
  }
  __m512i sums[kBlocks][4] = {}, part[4];
  for (size_t c = 0; c < table.numCodebooks; c += kAddends * kMaxSums16) {
    shuffleChunk<kAddends, kBlocks>(table, entries, codes + n, codeStride, c, chunkEnd<kAddends>(c, table.numCodebooks),
                                    bytes);
    for (int i = 0; i < kBlocks; i++) {
      widenPositions(bytes[i], part);
      for (int j = 0; j < 4; j++) sums[i][j] = _mm512_add_epi32(sums[i][j], part[j]);
    }
  }
  for (size_t i = 0; i < kBlocks; i++) finishPositions(out, m, table.outputs, n + 16 * i, positions, sums[i]);
}

}  // namespace

const Microkernels kAvx512Microkernels = {
    .isa = "avx512",
    .shuffleUnsigned = true,
    .gatherUnsigned = true,
    .gatherSpan = 64,
    .groupCodebooks = 1,
    .copyEverySecond = copyEverySecond,
    .encodeRows = encodeRows,
    .encodePositions = encodePositions,
    .encodeRowsTree = encodeRowsTree,
    .encodePositionsTree = encodePositionsTree<Avx512>,
    .groupCodes = nullptr,
    .lookupShuffle = lookupShuffle,
    .lookupGather = lookupGather,
    .finishTransposed = finishTransposed,
    .gelu = GeluOf<Avx512>::gelu,
    .attend = AttentionOf<Avx512>::attend,
    .byteShares = AttentionOf<Avx512>::byteShares,
    .layerNorm = LayerNormOf<Avx512>::layerNorm,
    .lookupAdd = TableSumsOf<Avx512>::lookupAdd,
    .scatterAdd = TableSumsOf<Avx512>::scatterAdd,
    .int8 = &kAvx512MicrokernelsInt8,
    .dense = &kAvx512MicrokernelsDense,
    .gatherLimits = {{{9, 49}, {49, kGatherAlways}, {49, 49}, {12, 400}}},
};

}  // namespace lutnn
