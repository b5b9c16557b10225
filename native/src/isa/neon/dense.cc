// Products of bytes by NEON without dot products: in 16 bits, two of which add up to no more than 2 · 128 · 127 < 2¹⁵.
#include "isa/neon/dense.h"

namespace lutnn {
namespace {

struct Pairs {
  static int32x4_t dot(int32x4_t sums, int8x16_t values, int8x16_t weights) {
    const int16x8_t low = vmull_s8(vget_low_s8(values), vget_low_s8(weights)), high = vmull_high_s8(values, weights);
    return vpadalq_s16(sums, vpaddq_s16(low, high));
  }
};

}  // namespace

constinit const MicrokernelsDense kNeonMicrokernelsDense = DenseOf<NeonDense<Pairs>>::microkernels();

}  // namespace lutnn
