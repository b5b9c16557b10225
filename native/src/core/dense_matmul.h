// y = scale · Σ_d (x_d − zero point) · w_dm + bias on the rows of a matrix, exact products of bytes over the microkernels of one
// instruction set.
#pragma once

#include "core/executor.h"
#include "core/packed_weights.h"
#include "core/packing.h"

namespace lutnn {

class DenseMatMul {
 public:
  DenseMatMul(const Microkernels& kernels, const Dense& dense);

  /// x float32 or bytes (rows, D) → y float32 (rows, M)
  void run(LayerInput x, size_t rows, float* y, const Epilogue& epilogue, Workspace& workspace,
           Executor& executor) const;

  size_t bytes() const { return weights_.bytes() + scale_.bytes(); }

 private:
  /// Rows as bytes that whole quads can be read of: the inputs as they lie, or brought there.
  struct Rows {
    const uint8_t* bytes;
    size_t stride;
  };
  Rows rowsOf(LayerInput x, size_t rows, Workspace& workspace, Executor& executor) const;

  const Microkernels& kernels_;
  size_t inputs_, outputs_;
  float inputScale_;
  uint8_t inputZeroPoint_;
  PackedWeights weights_;
  PackedScale scale_;
};

}  // namespace lutnn
