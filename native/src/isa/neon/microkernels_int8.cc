// NEON without dot products: products in 16 bits, two of which add up to no more than 2 · 128 · 127 < 2¹⁵.
#include "isa/neon/encode_int8.h"

namespace lutnn {
namespace {

struct Product {
  static int32x4_t dot(int32x4_t scores, int8x16_t values, int8x16_t weights) {
    const int16x8_t low = vmull_s8(vget_low_s8(values), vget_low_s8(weights)), high = vmull_high_s8(values, weights);
    return vpadalq_s16(scores, vpaddq_s16(low, high));
  }
};

}  // namespace

const MicrokernelsInt8 kNeonMicrokernelsInt8 = microkernels<Product>();

}  // namespace lutnn
