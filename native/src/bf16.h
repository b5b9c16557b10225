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
/// By its bits alone, which compilers turn into vectors.
static inline float roundToBf16(float x) {
  constexpr int32_t kLeast = 0x26800000, kLargest = 0x7f7f0000, kInfinity = 0x7f800000;
  int32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const int32_t size = bits & 0x7fffffff, sign = bits ^ size;
  const int32_t finite = size < kLargest ? size : kLargest;
  const int32_t rounded = (finite + 0x7fff + (finite >> 16 & 1)) & ~0xffff;
  const int32_t kept = (size >= kLeast ? -1 : 0) & (size <= kInfinity ? -1 : 0);
  bits = (rounded | sign) & kept;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

/// The same for an array, y may be x.
inline void roundToBf16(const float* x, size_t count, float* y) {
  for (size_t i = 0; i < count; i++) y[i] = roundToBf16(x[i]);
}

}  // namespace lutnn
