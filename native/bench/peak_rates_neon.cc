#include <arm_neon.h>

#include "isa/generic/compiler.h"
#include "peak_rates.h"

namespace lutnn {
namespace {

constexpr int kChains = 16;

void multiplyAdd(int turns, void* result) {
  float32x4_t sum[kChains], a = vdupq_n_f32(0.5f);
  LUTNN_UNROLL(int i = 0; i < kChains; i++) sum[i] = vdupq_n_f32(static_cast<float>(i));
  for (int t = 0; t < turns; t++) {
    LUTNN_SETTLE(a);
    LUTNN_UNROLL(auto& chain : sum) chain = vfmaq_f32(chain, a, a);
  }
  LUTNN_UNROLL(auto& chain : sum) a = vaddq_f32(a, chain);
  vst1q_f32(static_cast<float*>(result), a);
}

/// A row of table entries widened and added.
void gather(int turns, void* result) {
  int16x8_t low[8], high[8];
  int8x16_t bytes = vdupq_n_s8(3);
  LUTNN_UNROLL(int i = 0; i < 8; i++) low[i] = high[i] = vdupq_n_s16(static_cast<int16_t>(i));
  for (int t = 0; t < turns; t++) {
    LUTNN_UNROLL(int i = 0; i < 8; i++) {
      LUTNN_SETTLE(bytes);
      low[i] = vaddw_s8(low[i], vget_low_s8(bytes));
      high[i] = vaddw_high_s8(high[i], bytes);
    }
  }
  LUTNN_UNROLL(int i = 1; i < 8; i++) low[0] = vaddq_s16(low[0], vaddq_s16(low[i], high[i]));
  vst1q_s16(static_cast<int16_t*>(result), vaddq_s16(low[0], high[0]));
}

}  // namespace

const PeakLoops kNeonPeakLoops = {"neon", multiplyAdd, gather, kChains * 4, 8 * 16};

}  // namespace lutnn
