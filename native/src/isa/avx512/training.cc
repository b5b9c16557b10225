// AVX-512 (F, BW, DQ, VL): 16 float lanes, 32 registers.
#include <immintrin.h>

#include "isa/generic/training.h"

namespace lutnn {
namespace {

struct Avx512 {
  using Float = __m512;
  using Int = __m512i;
  using Shorts = __m512i;
  static constexpr size_t kLanes = 16;
  static constexpr int kProductRows = 12, kProductVectors = 2;
  static constexpr int kRowProductsA = 4, kRowProductsB = 5;
  static constexpr int kSoftGroup = 16, kSoftChains = 4;
  static constexpr int kLookupVectors = 4;

  static Float load(const float* x) { return _mm512_loadu_ps(x); }
  static void store(float* x, Float value) { _mm512_storeu_ps(x, value); }
  static Float loadFirst(const float* x, size_t n) { return _mm512_maskz_loadu_ps(firstLanes(n), x); }
  static Float loadBetween(const float* x, ptrdiff_t i, ptrdiff_t from, ptrdiff_t to) {
    const __mmask16 lanes = static_cast<__mmask16>(firstLanes(static_cast<size_t>(to)) & (~0u << from));
    return _mm512_maskz_loadu_ps(lanes, x + i);
  }
  static void storeFirst(float* x, size_t n, Float value) { _mm512_mask_storeu_ps(x, firstLanes(n), value); }
  static Float set(float x) { return _mm512_set1_ps(x); }
  static Float broadcast(const float* x) { return _mm512_set1_ps(*x); }
  static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static Float sub(Float a, Float b) { return _mm512_sub_ps(a, b); }
  static Float mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static Float div(Float a, Float b) { return _mm512_div_ps(a, b); }
  static Float min(Float a, Float b) { return _mm512_min_ps(a, b); }
  static Float max(Float a, Float b) { return _mm512_max_ps(a, b); }
  static Float abs(Float a) { return _mm512_abs_ps(a); }
  static Float fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  static Float fms(Float a, Float b, Float c) { return _mm512_fmsub_ps(a, b, c); }
  static Float fnma(Float a, Float b, Float c) { return _mm512_fnmadd_ps(a, b, c); }
  static Float rsqrt(Float x) { return _mm512_rsqrt14_ps(x); }
  static Float round(Float x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Float half(Float x) {
    return _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(1 << 23)));
  }
  static Float addToExponent(Float x, Float n) {
    const Int bits = _mm512_slli_epi32(_mm512_castps_si512(n), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), bits));
  }
  static double sum(Float x) {
    return _mm512_reduce_add_pd(_mm512_cvtps_pd(_mm512_castps512_ps256(x))) +
           _mm512_reduce_add_pd(_mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)));
  }

  static void transpose(Float (&r)[16]) {
    Float t[16];
    LUTNN_UNROLL(int i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    LUTNN_UNROLL(int i = 0; i < 16; i += 4) {  // columns 0 4 8 12 of four rows, 1 5 …, 2 6 …, 3 7 …
      LUTNN_UNROLL(int j = 0; j < 2; j++) {
        const __m512d a = _mm512_castps_pd(t[i + j]), b = _mm512_castps_pd(t[i + j + 2]);
        r[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
        r[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
      }
    }
    LUTNN_UNROLL(int i = 0; i < 4; i++) {
      const Float low = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88), high = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
      const Float low2 = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
      const Float high2 = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
      t[i] = _mm512_shuffle_f32x4(low, low2, 0x88);
      t[i + 8] = _mm512_shuffle_f32x4(low, low2, 0xdd);
      t[i + 4] = _mm512_shuffle_f32x4(high, high2, 0x88);
      t[i + 12] = _mm512_shuffle_f32x4(high, high2, 0xdd);
    }
    LUTNN_UNROLL(int i = 0; i < 16; i++) r[i] = t[i];
  }

  static Int toInts(Float x) { return _mm512_cvtps_epi32(x); }
  static Float toFloat(Int x) { return _mm512_cvtepi32_ps(x); }
  static void storeBytes(int8_t* to, Int x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(x));
  }
  static Shorts loadBytes(const int8_t* x) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
  }
  static Shorts loadShorts(const int16_t* x) { return _mm512_loadu_si512(x); }
  static Shorts addShorts(Shorts a, Shorts b) { return _mm512_add_epi16(a, b); }
  static void addTo(Int& low, Int& high, Shorts x) {
    low = _mm512_add_epi32(low, _mm512_cvtepi16_epi32(_mm512_castsi512_si256(x)));
    high = _mm512_add_epi32(high, _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(x, 1)));
  }
  static Shorts noShorts() { return _mm512_setzero_si512(); }
  static Int noInts() { return _mm512_setzero_si512(); }

 private:
  static __mmask16 firstLanes(size_t n) { return static_cast<__mmask16>((1u << n) - 1); }
};

}  // namespace

const TrainingMicrokernels kTrainingAvx512 = trainingMicrokernels<Avx512>("avx512");

}  // namespace lutnn
