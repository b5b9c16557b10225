// AVX-512 as of its first server processors (F, BW, DQ, VL): a shuffle looks up 4 outputs at 16 positions.
#include "simd_avx512.h"

namespace lutnn {
namespace {

/// One panel of 4 outputs from m on, at kBlocks · 16 positions from n on.
template <int kBlocks>
inline void shufflePanel(const ShuffleTable& table, size_t m, const uint8_t* codes, size_t codeStride, size_t n,
                         size_t positions, const Output& out) {
  const size_t numCodebooks = table.numCodebooks;
  const uint8_t* entries = table.entries + m * numCodebooks * 16;
  __m512i sums[kBlocks][4];
  LUTNN_UNROLL for (int i = 0; i < kBlocks; i++) {
    LUTNN_UNROLL for (int j = 0; j < 4; j++) sums[i][j] = unbias(numCodebooks);
  }
  size_t c = 0;
  do {
    const size_t end = numCodebooks - c > kMaxSums16 ? c + kMaxSums16 : numCodebooks;
    ByteSums bytes[kBlocks];
    for (; c < end; c++) {
      const __m512i row = _mm512_load_si512(entries + c * kPanelOutputs * 16);
      LUTNN_UNROLL for (int i = 0; i < kBlocks; i++) {
        const __m128i* code = reinterpret_cast<const __m128i*>(codes + c * codeStride + n + i * 16);
        bytes[i].add(_mm512_shuffle_epi8(row, _mm512_broadcast_i32x4(_mm_loadu_si128(code))));
      }
    }
    LUTNN_UNROLL for (int i = 0; i < kBlocks; i++) bytes[i].addTo(sums[i]);
  } while (c < numCodebooks);
  LUTNN_UNROLL for (size_t j = 0; j < kPanelOutputs; j++) {
    if (m + j >= table.outputs) break;
    LUTNN_UNROLL for (size_t i = 0; i < kBlocks; i++) {
      const size_t first = n + i * 16;
      finish16<Lanes::kPositions>(out, (m + j) * out.stride + first, m + j, sums[i][j], positions - first);
    }
  }
}

void lookupShuffle(const ShuffleTable& table, const uint8_t* codes, size_t codeStride, size_t positions,
                   const Output& out) {
  for (size_t m = 0; m < table.outputs; m += kPanelOutputs) {
    size_t n = 0;
    for (; n + 48 < positions; n += 64) shufflePanel<4>(table, m, codes, codeStride, n, positions, out);
    if (n + 32 < positions) shufflePanel<3>(table, m, codes, codeStride, n, positions, out);
    else if (n + 16 < positions) shufflePanel<2>(table, m, codes, codeStride, n, positions, out);
    else if (n < positions) shufflePanel<1>(table, m, codes, codeStride, n, positions, out);
  }
}

}  // namespace

const Microkernels kAvx512Microkernels = {
    "avx512", 128, 128, 1, encodeRows, encodePositions, nullptr, lookupShuffle, lookupGather,
};

}  // namespace lutnn
