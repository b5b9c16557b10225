// Vectors of 4 lanes for the NEON files: what encode_simd.h asks for.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include <arm_neon.h>

#include <cstring>

#include "isa/generic/encode.h"
#include "isa/generic/encode_tree.h"

namespace lutnn {
namespace {

struct Neon {
  using Float = float32x4_t;
  using Int = int32x4_t;
  static constexpr int kLanes = 4;

  static Float load(const float* x) { return vld1q_f32(x); }
  static void store(float* x, Float value) { vst1q_f32(x, value); }
  static Float add(Float a, Float b) { return vaddq_f32(a, b); }
  static Float set(float x) { return vdupq_n_f32(x); }
  static Float subtract(Float a, Float b) { return vsubq_f32(a, b); }
  static Float multiply(Float a, Float b) { return vmulq_f32(a, b); }
  static Float absolute(Float x) { return vabsq_f32(x); }
  /// b where a is no number, as on the other instruction sets.
  static Float smaller(Float a, Float b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
  static Float addToExponent(Float p, Float n) {
    const Int bits = vshlq_n_s32(vreinterpretq_s32_f32(n), 23);
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(p), bits));
  }
  static void storeLowBytes(uint8_t* p, Float v) { storeBytes(p, vreinterpretq_s32_f32(v)); }
  static Float loadFirst(const float* x, size_t n) {
    float lanes[4] = {};
    std::memcpy(lanes, x, n * sizeof(float));
    return vld1q_f32(lanes);
  }
  static Float broadcast(const float* x) { return vld1q_dup_f32(x); }
  static Float fma(Float a, Float b, Float c) { return vfmaq_f32(c, a, b); }
  static Int same(int i) { return vdupq_n_s32(i); }
  static Int loadSame(const int32_t* i) { return vld1q_dup_s32(i); }
  static Int laneTags(int part) { return vld1q_s32(kTags + part * kLanes); }
  static Int max(Int a, Int b) { return vmaxq_s32(a, b); }

  /// The flip of a negative number's bits leaves the tag's place alone; then the tag goes in.
  static Int keys(Float scores, Int tags) {
    const Int bits = vreinterpretq_s32_f32(scores);
    const Int flip = vandq_s32(vshrq_n_s32(bits, 31), same(0x7fffffff));
    return vorrq_s32(vandq_s32(veorq_s32(bits, flip), same(~15)), tags);
  }

  static void better(Int& best, Int& bestBlock, Int block, int b) {
    const uint32x4_t greater = vcgtq_s32(vandq_s32(block, same(~15)), vandq_s32(best, same(~15)));
    best = vbslq_s32(greater, block, best);
    bestBlock = vbslq_s32(greater, same(b), bestBlock);
  }

  static Float pick(const float* thresholds, Int code) {
    const uint8x16x2_t table = {vreinterpretq_u8_f32(vld1q_f32(thresholds)),
                                vreinterpretq_u8_f32(vld1q_f32(thresholds + 4))};
    const Int bytes = vaddq_s32(vmulq_s32(code, same(0x04040404)), same(0x03020100));
    return vreinterpretq_f32_u8(vqtbl2q_u8(table, vreinterpretq_u8_s32(bytes)));
  }
  static Int descend(Int code, Float x, Float threshold) {
    return vsubq_s32(vaddq_s32(code, code), vreinterpretq_s32_u32(vcgtq_f32(x, threshold)));
  }
  static Int inverted(Int code) { return vmvnq_s32(code); }

  static void storeCodes(uint8_t* codes, Int best, Int bestBlock) {
    const Int code = vorrq_s32(vshlq_n_s32(bestBlock, 4), vbicq_s32(same(15), best));
    storeBytes(codes, code);
  }

  template <int kRows>
  static void rowMaxima(const Int (&keys)[kRows], int32_t (&maxima)[kRows]) {
    LUTNN_UNROLL(int r = 0; r < kRows; r++) maxima[r] = vmaxvq_s32(keys[r]);
  }

 private:
  /// The low byte of each lane.
  static void storeBytes(uint8_t* p, Int lanes) {
    const uint16x4_t words = vmovn_u32(vreinterpretq_u32_s32(lanes));
    const uint8x8_t bytes = vmovn_u16(vcombine_u16(words, words));
    const uint32_t four = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
    std::memcpy(p, &four, sizeof four);
  }
};

}  // namespace
}  // namespace lutnn
