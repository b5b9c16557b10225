#include <immintrin.h>

#include "isa/generic/compiler.h"
#include "peak_rates.h"

namespace lutnn {
namespace {

constexpr int kChains = 10;

void multiplyAdd(int turns, void* result) {
  __m256 sum[kChains], a = _mm256_set1_ps(0.5f);
  LUTNN_UNROLL(int i = 0; i < kChains; i++) sum[i] = _mm256_set1_ps(static_cast<float>(i));
  for (int t = 0; t < turns; t++) {
    LUTNN_SETTLE(a);
    LUTNN_UNROLL(auto& chain : sum) chain = _mm256_fmadd_ps(chain, a, a);
  }
  LUTNN_UNROLL(auto& chain : sum) a = _mm256_add_ps(a, chain);
  _mm256_storeu_ps(static_cast<float*>(result), a);
}

/// Shuffle, and two sums in 16 bits.
void lookup(int turns, void* result) {
  __m256i all[4], odd[4], table = _mm256_set1_epi8(3), codes = _mm256_set1_epi8(5);
  LUTNN_UNROLL(int i = 0; i < 4; i++) {
    all[i] = _mm256_set1_epi8(static_cast<char>(i));
    odd[i] = _mm256_set1_epi8(static_cast<char>(-i));
  }
  for (int t = 0; t < turns; t++) {
    LUTNN_UNROLL(int i = 0; i < 4; i++) {
      LUTNN_SETTLE(codes);
      const __m256i bytes = _mm256_shuffle_epi8(table, codes);
      all[i] = _mm256_add_epi16(all[i], bytes);
      odd[i] = _mm256_add_epi16(odd[i], _mm256_srli_epi16(bytes, 8));
    }
  }
  LUTNN_UNROLL(int i = 1; i < 4; i++) all[0] = _mm256_add_epi16(all[0], _mm256_add_epi16(all[i], odd[i]));
  _mm256_storeu_si256(static_cast<__m256i*>(result), _mm256_add_epi16(all[0], odd[0]));
}

}  // namespace

const PeakLoops kAvx2PeakLoops = {"avx2", multiplyAdd, lookup, kChains * 8, 4 * 32};

}  // namespace lutnn
