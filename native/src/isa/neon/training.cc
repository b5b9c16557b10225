// NEON (AArch64): 4 float lanes, 32 registers.
#include <arm_neon.h>

#include "isa/generic/training.h"

namespace lutnn {
namespace {

struct Neon {
  using Float = float32x4_t;
  using Int = int32x4_t;
  using Shorts = int16x8_t;
  static constexpr size_t kLanes = 4;
  static constexpr int kProductRows = 6, kProductVectors = 4;
  static constexpr int kRowProductsA = 4, kRowProductsB = 5;
  static constexpr int kSoftGroup = 16, kSoftChains = 4;
  static constexpr int kLookupVectors = 8;

  static Float load(const float* x) { return vld1q_f32(x); }
  static void store(float* x, Float value) { vst1q_f32(x, value); }
  static Float loadFirst(const float* x, size_t n) {
    float lanes[4] = {};
    for (size_t i = 0; i < n; i++) lanes[i] = x[i];
    return vld1q_f32(lanes);
  }
  static Float loadBetween(const float* x, ptrdiff_t i, ptrdiff_t from, ptrdiff_t to) {
    float lanes[4] = {};
    for (ptrdiff_t lane = from; lane < to; lane++) lanes[lane] = x[i + lane];
    return vld1q_f32(lanes);
  }
  static void storeFirst(float* x, size_t n, Float value) {
    float lanes[4];
    vst1q_f32(lanes, value);
    for (size_t i = 0; i < n; i++) x[i] = lanes[i];
  }
  static Float set(float x) { return vdupq_n_f32(x); }
  static Float broadcast(const float* x) { return vld1q_dup_f32(x); }
  static Float add(Float a, Float b) { return vaddq_f32(a, b); }
  static Float sub(Float a, Float b) { return vsubq_f32(a, b); }
  static Float mul(Float a, Float b) { return vmulq_f32(a, b); }
  static Float div(Float a, Float b) { return vdivq_f32(a, b); }
  static Float min(Float a, Float b) { return vminq_f32(a, b); }
  static Float max(Float a, Float b) { return vmaxq_f32(a, b); }
  static Float abs(Float a) { return vabsq_f32(a); }
  static Float fma(Float a, Float b, Float c) { return vfmaq_f32(c, a, b); }
  static Float fms(Float a, Float b, Float c) { return vfmaq_f32(vnegq_f32(c), a, b); }
  static Float fnma(Float a, Float b, Float c) { return vfmsq_f32(c, a, b); }
  static Float rsqrt(Float x) {
    const Float guess = vrsqrteq_f32(x);
    return mul(guess, vrsqrtsq_f32(mul(x, guess), guess));
  }
  static Float half(Float x) { return vmulq_n_f32(x, 0.5f); }
  static Float round(Float x) { return vrndnq_f32(x); }
  static Float addToExponent(Float x, Float n) {
    const Int bits = vshlq_n_s32(vreinterpretq_s32_f32(n), 23);
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(x), bits));
  }
  static double sum(Float x) { return vaddvq_f64(vaddq_f64(vcvt_f64_f32(vget_low_f32(x)), vcvt_high_f64_f32(x))); }
  static void transpose(Float (&r)[4]) {
    const Float a = vtrn1q_f32(r[0], r[1]), b = vtrn2q_f32(r[0], r[1]);
    const Float c = vtrn1q_f32(r[2], r[3]), d = vtrn2q_f32(r[2], r[3]);
    r[0] = vcombine_f32(vget_low_f32(a), vget_low_f32(c));
    r[1] = vcombine_f32(vget_low_f32(b), vget_low_f32(d));
    r[2] = vcombine_f32(vget_high_f32(a), vget_high_f32(c));
    r[3] = vcombine_f32(vget_high_f32(b), vget_high_f32(d));
  }

  static Int toInts(Float x) { return vcvtnq_s32_f32(x); }
  static Float toFloat(Int x) { return vcvtq_f32_s32(x); }
  static void storeBytes(int8_t* to, Int x) {
    int32_t lanes[4];
    vst1q_s32(lanes, x);
    for (int i = 0; i < 4; i++) to[i] = static_cast<int8_t>(lanes[i]);
  }
  static Shorts loadBytes(const int8_t* x) { return vmovl_s8(vld1_s8(x)); }
  static Shorts loadShorts(const int16_t* x) { return vld1q_s16(x); }
  static Shorts addShorts(Shorts a, Shorts b) { return vaddq_s16(a, b); }
  static void addTo(Int& low, Int& high, Shorts x) {
    low = vaddw_s16(low, vget_low_s16(x));
    high = vaddw_high_s16(high, x);
  }
  static Shorts noShorts() { return vdupq_n_s16(0); }
  static Int noInts() { return vdupq_n_s32(0); }
};

}  // namespace

const TrainingMicrokernels kTrainingNeon = trainingMicrokernels<Neon>("neon");

}  // namespace lutnn
