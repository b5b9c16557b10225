// AVX2 with FMA: 8 float lanes, 16 registers.
#include <immintrin.h>

#include "isa/generic/training.h"

namespace lutnn {
namespace {

struct Avx2 {
  using Float = __m256;
  using Int = __m256i;
  using Shorts = __m256i;
  static constexpr size_t kLanes = 8;
  static constexpr int kProductRows = 6, kProductVectors = 2;
  static constexpr int kRowProductsA = 4, kRowProductsB = 3;
  static constexpr int kSoftGroup = 8, kSoftChains = 2;
  static constexpr int kLookupVectors = 4;

  static Float load(const float* x) { return _mm256_loadu_ps(x); }
  static void store(float* x, Float value) { _mm256_storeu_ps(x, value); }
  static Float loadFirst(const float* x, size_t n) { return _mm256_maskload_ps(x, firstLanes(n)); }
  static Float loadBetween(const float* x, ptrdiff_t i, ptrdiff_t from, ptrdiff_t to) {
    const Int lanes = _mm256_andnot_si256(firstLanes(static_cast<size_t>(from)), firstLanes(static_cast<size_t>(to)));
    return _mm256_maskload_ps(x + i, lanes);
  }
  static void storeFirst(float* x, size_t n, Float value) { _mm256_maskstore_ps(x, firstLanes(n), value); }
  static Float set(float x) { return _mm256_set1_ps(x); }
  static Float broadcast(const float* x) { return _mm256_broadcast_ss(x); }
  static Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static Float sub(Float a, Float b) { return _mm256_sub_ps(a, b); }
  static Float mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static Float div(Float a, Float b) { return _mm256_div_ps(a, b); }
  static Float min(Float a, Float b) { return _mm256_min_ps(a, b); }
  static Float max(Float a, Float b) { return _mm256_max_ps(a, b); }
  static Float abs(Float a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
  static Float fma(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
  static Float fms(Float a, Float b, Float c) { return _mm256_fmsub_ps(a, b, c); }
  static Float fnma(Float a, Float b, Float c) { return _mm256_fnmadd_ps(a, b, c); }
  static Float rsqrt(Float x) { return _mm256_rsqrt_ps(x); }
  static Float half(Float x) {
    return _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_castps_si256(x), _mm256_set1_epi32(1 << 23)));
  }
  static Float round(Float x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Float addToExponent(Float x, Float n) {
    const Int bits = _mm256_slli_epi32(_mm256_castps_si256(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), bits));
  }
  static double sum(Float x) {
    const __m256d both =
        _mm256_add_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)));
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(both), _mm256_extractf128_pd(both, 1));
    return _mm_cvtsd_f64(two) + _mm_cvtsd_f64(_mm_unpackhi_pd(two, two));
  }

  static void transpose(Float (&r)[8]) {
    Float t[8];
    LUTNN_UNROLL(int i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    LUTNN_UNROLL(int i = 0; i < 8; i += 4) {  // columns 0 4 of four rows, 1 5, 2 6, 3 7
      LUTNN_UNROLL(int j = 0; j < 2; j++) {
        r[i + 2 * j] = _mm256_shuffle_ps(t[i + j], t[i + j + 2], 0x44);
        r[i + 2 * j + 1] = _mm256_shuffle_ps(t[i + j], t[i + j + 2], 0xee);
      }
    }
    LUTNN_UNROLL(int i = 0; i < 4; i++) {
      t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
      t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
    }
    LUTNN_UNROLL(int i = 0; i < 8; i++) r[i] = t[i];
  }

  static Int toInts(Float x) { return _mm256_cvtps_epi32(x); }
  static Float toFloat(Int x) { return _mm256_cvtepi32_ps(x); }
  static void storeBytes(int8_t* to, Int x) {
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(words, words));
  }
  static Shorts loadBytes(const int8_t* x) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
  }
  static Shorts loadShorts(const int16_t* x) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)); }
  static Shorts addShorts(Shorts a, Shorts b) { return _mm256_add_epi16(a, b); }
  static void addTo(Int& low, Int& high, Shorts x) {
    low = _mm256_add_epi32(low, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(x)));
    high = _mm256_add_epi32(high, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(x, 1)));
  }
  static Shorts noShorts() { return _mm256_setzero_si256(); }
  static Int noInts() { return _mm256_setzero_si256(); }

 private:
  static Int firstLanes(size_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

}  // namespace

const TrainingMicrokernels kTrainingAvx2 = trainingMicrokernels<Avx2>("avx2");

}  // namespace lutnn
