// Codes of the rows of a matrix: for one layer, or on their own for several that read the same rows.
#pragma once

#include "core/encoder.h"
#include "core/executor.h"

namespace lutnn {

class RowEncoder {
 public:
  /// Of the lookup its codebooks alone are read.
  RowEncoder(const Microkernels& kernels, const Lookup& lookup, Encoding encoding);

  /// x float32 or bytes (rows, C·V) → codes uint8 (rows, C)
  void run(LayerInput x, size_t rows, uint8_t* codes, Workspace& workspace, Executor& executor) const;
  /// The codes that Encoding::kFloat32 would have; only where hasExact().
  void runExactly(const float* x, size_t rows, uint8_t* codes, Workspace& workspace) const;

  bool hasExact() const { return encoder_.hasExact(); }
  size_t bytes() const { return encoder_.bytes(); }

 private:
  size_t numCodebooks_, inputs_;
  LayerEncoder encoder_;
};

}  // namespace lutnn
