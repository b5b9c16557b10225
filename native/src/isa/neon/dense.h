// Products of bytes by NEON, over a file's own `Dot`: dot(sums, values, weights), sums + the sums of the products of 4 quads of
// signed bytes, of values −128 … 127 and weights within ±127.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include "isa/generic/dense.h"
#include "isa/neon/simd.h"

namespace lutnn {
namespace {

template <class Dot>
struct NeonDense : Neon {
  using Neon::add;
  static constexpr bool kSigned = true, kMakesBytes = false;
  static constexpr int kRows = 4, kRowVectors = 4, kOutputs = 4, kColumnVectors = 4;

  static Int loadInts(const int32_t* p) { return vld1q_s32(p); }
  static void storeInts(int32_t* p, Int v) { vst1q_s32(p, v); }
  static void copyQuads(const uint8_t* from, uint8_t* to) { vst1q_u8(to, vld1q_u8(from)); }
  static Int broadcastWeights(const int8_t* p) {
    int32_t four;
    std::memcpy(&four, p, sizeof four);
    return vdupq_n_s32(four);
  }
  static Int signedBytes(uint8x16_t quads) { return vreinterpretq_s32_u8(veorq_u8(quads, vdupq_n_u8(128))); }
  static Int loadQuads(const uint8_t* p) { return signedBytes(vld1q_u8(p)); }
  static Int loadWeights(const int8_t* p) { return vreinterpretq_s32_s8(vld1q_s8(p)); }
  static Int broadcastQuad(const uint8_t* p) {
    return signedBytes(vreinterpretq_u8_s32(broadcastWeights(reinterpret_cast<const int8_t*>(p))));
  }
  static Int add(Int values, Int weights, Int sums) {
    return Dot::dot(sums, vreinterpretq_s8_s32(values), vreinterpretq_s8_s32(weights));
  }
  static Float toFloats(Int v) { return vcvtq_f32_s32(v); }
  static Float larger(Float floor, Float y) { return vbslq_f32(vcltq_f32(y, floor), floor, y); }
};

}  // namespace
}  // namespace lutnn
