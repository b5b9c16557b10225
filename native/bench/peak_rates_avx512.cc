#include <immintrin.h>

#include "isa/generic/compiler.h"
#include "peak_rates.h"

namespace lutnn {
namespace {

constexpr int kChains = 10;

void multiplyAdd(int turns, void* result) {
  __m512 sum[kChains], a = _mm512_set1_ps(0.5f);
  LUTNN_UNROLL(int i = 0; i < kChains; i++) sum[i] = _mm512_set1_ps(static_cast<float>(i));
  for (int t = 0; t < turns; t++) {
    LUTNN_SETTLE(a);
    LUTNN_UNROLL(auto& chain : sum) chain = _mm512_fmadd_ps(chain, a, a);
  }
  LUTNN_UNROLL(auto& chain : sum) a = _mm512_add_ps(a, chain);
  _mm512_storeu_ps(static_cast<float*>(result), a);
}

/// Two sums in 16 bits of a row of 64 bytes.
void gather(int turns, void* result) {
  __m512i all[8], odd[8], bytes = _mm512_set1_epi8(3);
  LUTNN_UNROLL(int i = 0; i < 8; i++) {
    all[i] = _mm512_set1_epi8(static_cast<char>(i));
    odd[i] = _mm512_set1_epi8(static_cast<char>(-i));
  }
  for (int t = 0; t < turns; t++) {
    LUTNN_UNROLL(int i = 0; i < 8; i++) {
      LUTNN_SETTLE(bytes);
      all[i] = _mm512_add_epi16(all[i], bytes);
      odd[i] = _mm512_add_epi16(odd[i], _mm512_srli_epi16(bytes, 8));
    }
  }
  LUTNN_UNROLL(int i = 1; i < 8; i++) all[0] = _mm512_add_epi16(all[0], _mm512_add_epi16(all[i], odd[i]));
  _mm512_storeu_si512(result, _mm512_add_epi16(all[0], odd[0]));
}

/// Shuffle of four tables, and their sum in 32 bits.
void shuffleFour(int turns, void* result) {
  __m512i sums[16], table = _mm512_set1_epi8(3), codes = _mm512_set1_epi8(5), ones = _mm512_set1_epi8(1);
  LUTNN_UNROLL(int i = 0; i < 16; i++) sums[i] = _mm512_set1_epi8(static_cast<char>(i));
  for (int t = 0; t < turns; t++) {
    LUTNN_UNROLL(auto& sum : sums) {
      LUTNN_SETTLE(codes);
      sum = _mm512_dpbusd_epi32(sum, ones, _mm512_permutexvar_epi8(codes, table));
    }
  }
  LUTNN_UNROLL(auto& sum : sums) table = _mm512_add_epi32(table, sum);
  _mm512_storeu_si512(result, table);
}

}  // namespace

const PeakLoops kAvx512PeakLoops = {"avx512", multiplyAdd, gather, kChains * 16, 8 * 64};
const PeakLoops kAvx512VbmiPeakLoops = {"avx512vbmi", multiplyAdd, shuffleFour, kChains * 16, 16 * 64};

}  // namespace lutnn
