// Codes of 8-bit inputs by AVX-512 without VNNI. Inputs lose their 128 here; the signs of one factor go over to the other,
// so that pairs of products fit into 16 bits: 2 · 128 · 127 < 2¹⁵.
#include "isa/avx512/encode_int8.h"

namespace lutnn {
namespace {

struct Bytes {
  static constexpr bool kOffsets = false;

  static __m512i values(__m512i quads) { return _mm512_xor_si512(quads, _mm512_set1_epi8(-128)); }
  /// Values may be −128, which has no opposite; weights may not, and take the values' signs.
  static __m512i add(__m512i values, __m512i weights, __m512i scores) {
    const __m512i turned = _mm512_mask_sub_epi8(weights, _mm512_movepi8_mask(values), _mm512_setzero_si512(), weights);
    const __m512i pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(values), turned);
    return _mm512_add_epi32(scores, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
  }
  static __m512i addRow(__m512i quad, __m512i weights, __m512i scores) { return add(values(quad), weights, scores); }
  static constexpr int kTagShift = 0;
  static __m512i keys(__m512i scores, __m512i tags) { return _mm512_or_si512(_mm512_slli_epi32(scores, 4), tags); }
};

void spread(const uint8_t* bytes, size_t count, uint8_t* quads) {
  const __m512i words = _mm512_setr_epi32(0, 1, 0, 0, 1, 2, 0, 0, 2, 3, 0, 0, 3, 4, 0, 0);
  const __m512i order = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6));
  for (size_t n = 0; n < count; n += 16) {
    const size_t left = count - n < 16 ? count - n : 16;
    const __m256i some = _mm256_maskz_loadu_epi8((1u << (left + 3)) - 1, bytes + n);
    const __m512i quad = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(words, _mm512_castsi256_si512(some)), order);
    if (left == 16) _mm512_storeu_si512(quads + 4 * n, quad);
    else _mm512_mask_storeu_epi32(quads + 4 * n, Avx512::firstLanes(left), quad);
  }
}

}  // namespace

const MicrokernelsInt8 kAvx512MicrokernelsInt8 = {
    .largest = largest,
    .quantize = quantize,
    .quantizeBy = quantizeBy,
    .spread = spread,
    .interleave = interleave,
    .encodeRows = encodeRows<Bytes>,
    .encodePositions = encodePositions<Bytes>,
};

}  // namespace lutnn
