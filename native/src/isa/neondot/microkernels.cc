// NEON with dot products: an instruction adds up the products of 4 quads.
#include "isa/neon/encode_int8.h"

namespace lutnn {
namespace {

struct DotProduct {
  static int32x4_t dot(int32x4_t scores, int8x16_t values, int8x16_t weights) {
    return vdotq_s32(scores, values, weights);
  }
};

}  // namespace

const MicrokernelsInt8 kNeonDotMicrokernelsInt8 = microkernels<DotProduct>();

/// All else is NEON's.
const Microkernels kNeonDotMicrokernels = [] {
  Microkernels kernels = kNeonMicrokernels;
  kernels.isa = "neondot";
  kernels.int8 = &kNeonDotMicrokernelsInt8;
  kernels.dense = &kNeonDotMicrokernelsDense;
  return kernels;
}();

}  // namespace lutnn
