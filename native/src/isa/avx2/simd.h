// Vectors of 8 lanes for the AVX2 files: what encode_simd.h asks for.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include <immintrin.h>

#include "isa/generic/encode.h"
#include "isa/generic/encode_tree.h"

namespace lutnn {
namespace {

struct Avx2 {
  using Float = __m256;
  using Int = __m256i;
  static constexpr int kLanes = 8;

  static Float load(const float* x) { return _mm256_loadu_ps(x); }
  static void store(float* x, Float value) { _mm256_storeu_ps(x, value); }
  static Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static Float set(float x) { return _mm256_set1_ps(x); }
  static Float subtract(Float a, Float b) { return _mm256_sub_ps(a, b); }
  static Float multiply(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static Float absolute(Float x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
  static Float smaller(Float a, Float b) { return _mm256_min_ps(a, b); }
  static Float addToExponent(Float p, Float n) {
    const Int bits = _mm256_slli_epi32(_mm256_castps_si256(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), bits));
  }
  static void storeLowBytes(uint8_t* p, Float v) { storeBytes(p, _mm256_and_si256(_mm256_castps_si256(v), same(255))); }
  static Float loadFirst(const float* x, size_t n) { return _mm256_maskload_ps(x, firstLanes(n)); }
  static Float broadcast(const float* x) { return _mm256_broadcast_ss(x); }
  static Float fma(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
  static Int same(int i) { return _mm256_set1_epi32(i); }
  static Int loadSame(const int32_t* i) {
    return _mm256_castps_si256(_mm256_broadcast_ss(reinterpret_cast<const float*>(i)));
  }
  static Int laneTags(int part) { return _mm256_load_si256(reinterpret_cast<const Int*>(kTags + part * kLanes)); }
  static Int max(Int a, Int b) { return _mm256_max_epi32(a, b); }

  /// The tag goes in first; the flip of a negative number's bits leaves it alone.
  static Int keys(Float scores, Int tags) {
    const Int bits = _mm256_castps_si256(scores);
    const Int tagged = _mm256_or_si256(_mm256_and_si256(bits, _mm256_set1_epi32(~15)), tags);
    const Int flip = _mm256_and_si256(_mm256_srai_epi32(bits, 31), _mm256_set1_epi32(0x7ffffff0));
    return _mm256_xor_si256(tagged, flip);
  }

  static void better(Int& best, Int& bestBlock, Int block, int b) {
    const Int clear = _mm256_set1_epi32(~15);
    const Int greater = _mm256_cmpgt_epi32(_mm256_and_si256(block, clear), _mm256_and_si256(best, clear));
    best = _mm256_blendv_epi8(best, block, greater);
    bestBlock = _mm256_blendv_epi8(bestBlock, _mm256_set1_epi32(b), greater);
  }

  static Float pick(const float* thresholds, Int code) {
    return _mm256_permutevar8x32_ps(_mm256_loadu_ps(thresholds), code);
  }
  static Int descend(Int code, Float x, Float threshold) {
    const Int greater = _mm256_castps_si256(_mm256_cmp_ps(x, threshold, _CMP_GT_OQ));
    return _mm256_sub_epi32(_mm256_add_epi32(code, code), greater);
  }
  static Int inverted(Int code) { return _mm256_xor_si256(code, same(-1)); }

  static void storeCodes(uint8_t* codes, Int best, Int bestBlock) {
    const Int k = _mm256_andnot_si256(best, _mm256_set1_epi32(15));
    const Int code = _mm256_or_si256(_mm256_slli_epi32(bestBlock, 4), k);
    storeBytes(codes, code);
  }

  static void rowMaxima(const Int (&keys)[4], int32_t (&maxima)[4]) {
    const Int a = halves(keys[0], keys[2]), b = halves(keys[1], keys[3]);  // 4 candidates of one row in each half
    const __m256 af = _mm256_castsi256_ps(a), bf = _mm256_castsi256_ps(b);
    const Int pairs = max(_mm256_castps_si256(_mm256_shuffle_ps(af, bf, 0x44)),
                          _mm256_castps_si256(_mm256_shuffle_ps(af, bf, 0xee)));  // rows 0 0 1 1 | 2 2 3 3
    alignas(32) int32_t lanes[8];
    _mm256_store_si256(reinterpret_cast<Int*>(lanes), max(pairs, _mm256_shuffle_epi32(pairs, 0xb1)));
    for (int r = 0; r < 4; r++) maxima[r] = lanes[2 * r];
  }

 private:
  /// Lanes from 0 to 255.
  static void storeBytes(uint8_t* p, Int lanes) {
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words, words));
  }
  static Int firstLanes(size_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  /// The larger of each vector's two halves, side by side.
  static Int halves(Int a, Int b) {
    return max(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
  }
};

}  // namespace
}  // namespace lutnn
