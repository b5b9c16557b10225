// Scaled dot-product attention of several heads, over the microkernels of one instruction set.
#pragma once

#include "core/executor.h"
#include "core/packing.h"

namespace lutnn {

/// See lutnn_attention.
struct Attention {
  size_t batch, heads, queries, positions, depth, outputs;
  const float *query, *key, *value;
  const float* mask;  // or null
  float scale;
  float* y;
};

void attention(const Microkernels& kernels, const Attention& given, Workspace& workspace, Executor& executor);

}  // namespace lutnn
