// Floats as bytes by AVX-512, as MicrokernelsInt8::quantizeBy defines them.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include "isa/avx512/simd.h"

namespace lutnn {
namespace {

/// Quotients by a product: x · (1 / scale) is within 2⁻²² of what x / scale rounds to, relatively, so both round to the same
/// integer of 9 bits unless the product is this near to a half. There, and where 1 / scale has not all its bits, it divides.
constexpr float kNearHalf = 0.5f - 0x1p-12f;
constexpr float kLeastScale = 0x1p-120f, kMostScale = 0x1p120f;

class Quantizer {
 public:
  Quantizer(float scale, uint8_t zeroPoint)
      : divisor_(_mm512_set1_ps(scale)),
        factor_(_mm512_set1_ps(1 / scale)),
        least_(_mm512_set1_ps(-static_cast<float>(zeroPoint))),
        most_(_mm512_set1_ps(255 - static_cast<float>(zeroPoint))),
        zero_(_mm512_set1_epi32(zeroPoint)),
        divides_(!(scale >= kLeastScale && scale <= kMostScale)) {}

  /// Bytes as 32-bit integers.
  __m512i bytesOf(__m512 x) const {
    const __m512 steps = clamped(_mm512_mul_ps(x, factor_));
    __m512i whole = _mm512_cvtps_epi32(steps);
    const __m512 rest = _mm512_abs_ps(_mm512_sub_ps(steps, _mm512_cvtepi32_ps(whole)));
    if (divides_ || _mm512_cmp_ps_mask(rest, _mm512_set1_ps(kNearHalf), _CMP_GE_OQ)) [[unlikely]]
      whole = _mm512_cvtps_epi32(clamped(_mm512_div_ps(x, divisor_)));
    return _mm512_add_epi32(whole, zero_);
  }
  void store(uint8_t* q, __m512 x) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q), _mm512_cvtepi32_epi8(bytesOf(x)));
  }

 private:
  __m512 clamped(__m512 steps) const { return _mm512_min_ps(_mm512_max_ps(steps, least_), most_); }  // NaN: least

  __m512 divisor_, factor_, least_, most_;
  __m512i zero_;
  bool divides_;
};

}  // namespace
}  // namespace lutnn
