// Products of bytes by NEON with dot products.
#include "isa/neon/dense.h"

namespace lutnn {
namespace {

struct DotProduct {
  static int32x4_t dot(int32x4_t sums, int8x16_t values, int8x16_t weights) { return vdotq_s32(sums, values, weights); }
};

}  // namespace

constinit const MicrokernelsDense kNeonDotMicrokernelsDense = DenseOf<NeonDense<DotProduct>>::microkernels();

}  // namespace lutnn
