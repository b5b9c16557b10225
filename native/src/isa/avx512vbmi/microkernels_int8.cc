// Codes of 8-bit inputs by AVX-512 with VNNI, VBMI and VBMI2: an instruction adds up the products of a quad.
#include "isa/avx512/encode_int8.h"

namespace lutnn {
namespace {

struct Vnni {
  static constexpr bool kOffsets = true;
  static __m512i values(__m512i quads) { return quads; }
  static __m512i add(__m512i values, __m512i weights, __m512i scores) {
    return _mm512_dpbusd_epi32(scores, values, weights);
  }
  static __m512i addRow(__m512i quad, __m512i weights, __m512i scores) { return add(quad, weights, scores); }
  static constexpr int kTagShift = 28;  // VBMI2 shifts a tag's bits in from the top of another word
  static __m512i keys(__m512i scores, __m512i tags) { return _mm512_shldi_epi32(scores, tags, 4); }
};

void spread(const uint8_t* bytes, size_t count, uint8_t* quads) {
  alignas(64) uint8_t order[64];
  for (size_t n = 0; n < 16; n++)
    for (size_t b = 0; b < 4; b++) order[4 * n + b] = static_cast<uint8_t>(n + b);
  const __m512i index = _mm512_load_si512(order);
  for (size_t n = 0; n < count; n += 16) {
    const size_t left = count - n < 16 ? count - n : 16;
    const __m256i some = _mm256_maskz_loadu_epi8((1u << (left + 3)) - 1, bytes + n);
    const __m512i quad = _mm512_permutexvar_epi8(index, _mm512_castsi256_si512(some));
    if (left == 16) _mm512_storeu_si512(quads + 4 * n, quad);
    else _mm512_mask_storeu_epi32(quads + 4 * n, Avx512::firstLanes(left), quad);
  }
}

}  // namespace

const MicrokernelsInt8 kAvx512VbmiMicrokernelsInt8 = {
    .largest = largest,
    .quantize = quantize,
    .quantizeBy = quantizeBy,
    .spread = spread,
    .interleave = interleave,
    .encodeRows = encodeRows<Vnni>,
    .encodePositions = encodePositions<Vnni>,
};

}  // namespace lutnn
