// Numbers of 8 significant bits (bfloat16): the upper half of a float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lutnn {

/// What is smaller becomes 0. Products are then multiples of 2⁻¹¹⁴, and no sum of theirs is ever subnormal, which some
/// instructions would take for 0.
constexpr float kLeastBf16 = 0x1p-50f;
constexpr float kLargestBf16 = 0x1.fep127f;

/// x rounded to the nearest bfloat16, to the even one between two, as float32; infinity becomes the largest, NaN becomes 0.
static inline float roundToBf16(float x) {
  x = x < kLargestBf16 ? x : x >= kLargestBf16 ? kLargestBf16 : 0;
  x = x > -kLargestBf16 ? x : -kLargestBf16;
  x = x >= kLeastBf16 || x <= -kLeastBf16 ? x : 0;
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

/// The same for an array, y may be x.
inline void roundToBf16(const float* x, size_t count, float* y) {
  for (size_t i = 0; i < count; i++) y[i] = roundToBf16(x[i]);
}

}  // namespace lutnn
