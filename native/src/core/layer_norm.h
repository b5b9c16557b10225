// Layer norm of rows, over the microkernels of one instruction set, its results as floats, as bytes or both.
#pragma once

#include "core/executor.h"
#include "core/packing.h"

namespace lutnn {

/// See lutnn_layer_norm.
struct LayerNorm {
  size_t rows;
  LayerNormRow row;
  const float* x;
  float* y;  // or null
  ByteResults quantized;
};

void layerNorm(const Microkernels& kernels, const LayerNorm& norm, Workspace& workspace, Executor& executor);

}  // namespace lutnn
