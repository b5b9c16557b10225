// Vectors of 16 lanes for the AVX-512 files: what encode_simd.h asks for.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include <immintrin.h>

#include "isa/generic/encode.h"
#include "isa/generic/encode_tree.h"

namespace lutnn {
namespace {

struct Avx512 {
  using Float = __m512;
  using Int = __m512i;
  static constexpr int kLanes = 16;

  static Float load(const float* x) { return _mm512_loadu_ps(x); }
  static void store(float* x, Float value) { _mm512_storeu_ps(x, value); }
  static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static Float set(float x) { return _mm512_set1_ps(x); }
  static Float subtract(Float a, Float b) { return _mm512_sub_ps(a, b); }
  static Float multiply(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static Float absolute(Float x) { return _mm512_abs_ps(x); }
  static Float smaller(Float a, Float b) { return _mm512_min_ps(a, b); }
  static Float addToExponent(Float p, Float n) {
    const Int bits = _mm512_slli_epi32(_mm512_castps_si512(n), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), bits));
  }
  static void storeLowBytes(uint8_t* p, Float v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_castps_si512(v)));
  }
  static Float loadFirst(const float* x, size_t n) { return _mm512_maskz_loadu_ps(firstLanes(n), x); }
  static Float broadcast(const float* x) { return _mm512_set1_ps(*x); }
  static Float fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  static Int same(int i) { return _mm512_set1_epi32(i); }
  static Int loadSame(const int32_t* i) { return _mm512_set1_epi32(*i); }
  static Int laneTags(int) { return _mm512_load_si512(kTags); }
  static Int max(Int a, Int b) { return _mm512_max_epi32(a, b); }

  static Int keys(Float scores, Int tags) {
    const Int bits = _mm512_castps_si512(scores);
    const Int tagged = _mm512_ternarylogic_epi32(bits, same(~15), tags, 0xea);  // (bits & ~15) | tag
    return _mm512_ternarylogic_epi32(tagged, _mm512_srai_epi32(bits, 31), same(0x7ffffff0), 0x78);  // ^ (sign & flip)
  }

  static void better(Int& best, Int& bestBlock, Int block, int b) {
    const __mmask16 greater =
        _mm512_cmpgt_epi32_mask(_mm512_and_si512(block, same(~15)), _mm512_and_si512(best, same(~15)));
    best = _mm512_mask_mov_epi32(best, greater, block);
    bestBlock = _mm512_mask_mov_epi32(bestBlock, greater, same(b));
  }

  static Float pick(const float* thresholds, Int code) {
    return _mm512_permutexvar_ps(code, _mm512_castps256_ps512(_mm256_loadu_ps(thresholds)));
  }
  static Int descend(Int code, Float x, Float threshold) {
    const Int twice = _mm512_add_epi32(code, code);
    return _mm512_mask_add_epi32(twice, _mm512_cmp_ps_mask(x, threshold, _CMP_GT_OQ), twice, same(1));
  }
  static Int inverted(Int code) { return _mm512_xor_si512(code, same(-1)); }

  static void storeCodes(uint8_t* codes, Int best, Int bestBlock) {
    const Int k = _mm512_andnot_si512(best, same(15));
    const Int code = _mm512_or_si512(_mm512_slli_epi32(bestBlock, 4), k);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(codes), _mm512_cvtepi32_epi8(code));
  }

  static void rowMaxima(const Int (&keys)[8], int32_t (&maxima)[8]) {
    const Int ab = quarters(halves(keys[0], keys[1]), halves(keys[2], keys[3]));  // 4 candidates a row in each quarter
    const Int cd = quarters(halves(keys[4], keys[5]), halves(keys[6], keys[7]));
    const __m512 abf = _mm512_castsi512_ps(ab), cdf = _mm512_castsi512_ps(cd);
    const Int pairs = max(_mm512_castps_si512(_mm512_shuffle_ps(abf, cdf, 0x44)),
                          _mm512_castps_si512(_mm512_shuffle_ps(abf, cdf, 0xee)));  // rows 0 0 4 4 | 1 1 5 5 | …
    alignas(64) int32_t lanes[16];
    _mm512_store_si512(lanes, max(pairs, _mm512_shuffle_epi32(pairs, _MM_PERM_CDAB)));
    for (int r = 0; r < 4; r++) {
      maxima[r] = lanes[4 * r];
      maxima[r + 4] = lanes[4 * r + 2];
    }
  }

  static __mmask16 firstLanes(size_t n) { return static_cast<__mmask16>((1u << n) - 1); }

 private:
  /// The larger of each vector's two halves, side by side.
  static Int halves(Int a, Int b) { return max(_mm512_shuffle_i32x4(a, b, 0x44), _mm512_shuffle_i32x4(a, b, 0xee)); }
  /// The same for the quarters of each half.
  static Int quarters(Int a, Int b) { return max(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd)); }
};

/// Quad n becomes byte n of each of 1 … 4 rows, 0 where there are fewer, with the bits of `places`.
inline void interleaveFour(const uint8_t* rows, size_t stride, size_t numRows, size_t count, __m512i places,
                           uint8_t* quads) {
  for (size_t n = 0; n < count; n += 16) {
    const size_t left = count - n < 16 ? count - n : 16;
    const __mmask16 mask = Avx512::firstLanes(left);
    __m128i row[4];
    for (size_t r = 0; r < 4; r++)
      row[r] = r < numRows ? _mm_maskz_loadu_epi8(mask, rows + r * stride + n) : _mm_setzero_si128();
    const __m128i evenLow = _mm_unpacklo_epi8(row[0], row[1]), evenHigh = _mm_unpackhi_epi8(row[0], row[1]);
    const __m128i oddLow = _mm_unpacklo_epi8(row[2], row[3]), oddHigh = _mm_unpackhi_epi8(row[2], row[3]);
    __m512i quad = _mm512_castsi128_si512(_mm_unpacklo_epi16(evenLow, oddLow));
    quad = _mm512_inserti32x4(quad, _mm_unpackhi_epi16(evenLow, oddLow), 1);
    quad = _mm512_inserti32x4(quad, _mm_unpacklo_epi16(evenHigh, oddHigh), 2);
    quad = _mm512_or_si512(_mm512_inserti32x4(quad, _mm_unpackhi_epi16(evenHigh, oddHigh), 3), places);
    if (left == 16) _mm512_storeu_si512(quads + 4 * n, quad);
    else _mm512_mask_storeu_epi32(quads + 4 * n, mask, quad);
  }
}

}  // namespace
}  // namespace lutnn
