// AVX-512 with VBMI and VNNI: a shuffle looks up 4 codebooks at 16 positions, and an instruction adds up the four.
#include "isa/avx512/shared.h"
#include "isa/generic/attention.h"
#include "isa/generic/gelu.h"
#include "isa/generic/layer_norm.h"
#include "isa/generic/table_sums.h"

namespace lutnn {
namespace {

constexpr size_t kGroup = 4;

void groupCodes(const uint8_t* codes, size_t stride, size_t count, size_t positions, uint8_t* grouped) {
  const __m512i places = _mm512_set1_epi32(0x30201000);  // 16 · g in byte g
  interleaveFour(codes, stride, count, positions, places, grouped);
}

/// The codes of one group at kBlocks · 16 positions.
template <int kBlocks>
inline void loadCodes(const uint8_t* codes, __m512i (&index)[kBlocks]) {
  LUTNN_UNROLL(int i = 0; i < kBlocks; i++) {
    index[i] = _mm512_loadu_si512(codes + i * 64);
    LUTNN_SETTLE(index[i]);  // it is used for every output
  }
}

template <int kBlocks>
inline void addUp(__m512i (&sums)[kBlocks], const __m512i (&bytes)[kBlocks]) {
  LUTNN_UNROLL(int i = 0; i < kBlocks; i++) {
    sums[i] = _mm512_dpbusd_epi32(sums[i], _mm512_set1_epi8(1), bytes[i]);
    LUTNN_SETTLE(sums[i]);
  }
}

/// A table is read once, in order: what comes so many bytes later is asked for now. Of tables that no cache holds, lookups
/// then take half of the time (RESULTS.md); of those that one holds, as long as without.
constexpr uintptr_t kAhead = 8192;

inline void prefetchAhead(const uint8_t* entries) {
  _mm_prefetch(reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(entries) + kAhead), _MM_HINT_T1);
}

/// Adds kAddends groups' entries for a panel of 4 outputs at kBlocks · 16 positions.
template <int kAddends, int kBlocks>
inline void shuffleStep(const uint8_t* entries, const uint8_t* codes, size_t codeStride,
                        __m512i (&sums)[kPanelOutputs][kBlocks]) {
  __m512i index[kAddends][kBlocks], found[kBlocks];
  LUTNN_UNROLL(int a = 0; a < kAddends; a++) loadCodes<kBlocks>(codes + a * codeStride, index[a]);
  LUTNN_UNROLL(size_t j = 0; j < kPanelOutputs; j++) {
    LUTNN_UNROLL(int a = 0; a < kAddends; a++) {
      const uint8_t* place = entries + (static_cast<size_t>(a) * kPanelOutputs + j) * 64;
      prefetchAhead(place);
      const __m512i row = _mm512_load_si512(place);
      LUTNN_UNROLL(int i = 0; i < kBlocks; i++) {
        const __m512i more = _mm512_permutexvar_epi8(index[a][i], row);
        found[i] = a == 0 ? more : _mm512_add_epi8(found[i], more);
      }
    }
    addUp<kBlocks>(sums[j], found);
  }
}

/// One panel of 4 outputs from m on, at kBlocks · 16 positions from n on.
template <int kAddends, int kBlocks>
inline void shufflePanel(const ShuffleTable& table, size_t m, const uint8_t* codes, size_t codeStride, size_t n,
                         size_t positions, const Output& out) {
  const size_t numGroups = (table.numCodebooks + kGroup - 1) / kGroup;
  const uint8_t* entries = table.entries + m * numGroups * 64;
  const uint8_t* code = codes + n * kGroup;
  constexpr size_t kRow = kPanelOutputs * 64;
  __m512i sums[kPanelOutputs][kBlocks];
  LUTNN_UNROLL(auto& output : sums) {
    LUTNN_UNROLL(auto& block : output) block = _mm512_setzero_si512();
  }
  size_t left = numGroups;
  for (; left >= kAddends; left -= kAddends, entries += kAddends * kRow, code += kAddends * codeStride)
    shuffleStep<kAddends, kBlocks>(entries, code, codeStride, sums);
  for (; kAddends > 1 && left > 0; left--, entries += kRow, code += codeStride)
    shuffleStep<1, kBlocks>(entries, code, codeStride, sums);
  LUTNN_UNROLL(size_t j = 0; j < kPanelOutputs; j++) {
    if (m + j >= table.outputs) break;
    LUTNN_UNROLL(size_t i = 0; i < kBlocks; i++) {
      const size_t first = n + i * 16;
      finish16<Lanes::kPositions>(out, (m + j) * out.stride + first, m + j, sums[j][i], positions - first);
    }
  }
}

}  // namespace

const Microkernels kAvx512VbmiMicrokernels = {
    .isa = "avx512vbmi",
    .shuffleUnsigned = false,
    .gatherUnsigned = true,
    .gatherSpan = 64,
    .groupCodebooks = kGroup,
    .copyEverySecond = copyEverySecond,
    .encodeRows = encodeRows,
    .encodePositions = encodePositions,
    .encodeRowsTree = encodeRowsTree,
    .encodePositionsTree = encodePositionsTree<Avx512>,
    .groupCodes = groupCodes,
    .lookupShuffle = lookupShuffle,
    .lookupGather = lookupGather,
    .finishTransposed = finishTransposed,
    .gelu = GeluOf<Avx512>::gelu,
    .attend = AttentionOf<Avx512>::attend,
    .byteShares = AttentionOf<Avx512>::byteShares,
    .layerNorm = LayerNormOf<Avx512>::layerNorm,
    .lookupAdd = TableSumsOf<Avx512>::lookupAdd,
    .scatterAdd = TableSumsOf<Avx512>::scatterAdd,
    .int8 = &kAvx512VbmiMicrokernelsInt8,
    .dense = &kAvx512VbmiMicrokernelsDense,
    .gatherLimits = {{{4, 2}, {12, 9}, {12, 12}, {12, 12}}},
};

}  // namespace lutnn
