// NEON with dot products: an instruction adds up the products of 4 quads.
#include "encode_int8_neon.h"

namespace lutnn {
namespace {

struct DotProduct {
  static int32x4_t dot(int32x4_t scores, int8x16_t values, int8x16_t weights) {
    return vdotq_s32(scores, values, weights);
  }
};

}  // namespace

const MicrokernelsInt8 kNeonDotMicrokernelsInt8 = microkernels<DotProduct>();

}  // namespace lutnn
