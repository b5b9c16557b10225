// Scaled dot-product attention of several heads of bytes: exact products, shares as bytes, over the microkernels of one
// instruction set.
#pragma once

#include "core/executor.h"
#include "core/packing.h"

namespace lutnn {

/// See lutnn_attention_of_bytes.
struct AttentionOfBytes {
  size_t batch, heads, queries, positions, depth, outputs;
  const uint8_t *query, *key, *value;
  const float* mask;  // or null
  float scale, valueScale;
  float* y;
};
/// So that no sum of shares times values, each within 255 · 127, passes 2³¹ − 1; the same of query times key.
constexpr size_t kMaxAttended = 66311;

void attentionOfBytes(const Microkernels& kernels, const AttentionOfBytes& given, Workspace& workspace,
                      Executor& executor);

}  // namespace lutnn
