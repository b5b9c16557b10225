// y = scale · Σ_c table[c][code_c(x)] + bias on the rows of a matrix, over the microkernels of one instruction set.
#pragma once

#include "core/executor.h"
#include "core/packing.h"

namespace lutnn {

class LutMatMul {
 public:
  LutMatMul(const Microkernels& kernels, const Lookup& lookup, Encoding encoding = Encoding::kFloat32);

  /// x float32 (rows, C·V) → y float32 (rows, M)
  void run(const float* x, size_t rows, float* y, const Epilogue& epilogue, Workspace& workspace,
           Executor& executor) const;
  /// x float32 (rows, C·V) → codes uint8 (rows, C), as run has them or of another encoding
  void encode(const float* x, size_t rows, uint8_t* codes, Workspace& workspace) const;
  void encodeAs(Encoding encoding, const float* x, size_t rows, uint8_t* codes, Workspace& workspace) const;
  /// codes uint8 (rows, C), all below K → sums int32 (rows, M)
  void lookup(const uint8_t* codes, size_t rows, int32_t* sums) const;

  size_t bytes() const {
    return codebooks_.bytes() + codebooksInt8_.bytes() + trees_.bytes() + table_.bytes() + scale_.bytes();
  }

 private:
  void encodeRows(Encoding encoding, const float* x, size_t rows, uint8_t* codes, Workspace::Scratch& scratch) const;
  void encodeRowsInt8(const float* x, size_t rows, uint8_t* codes, Workspace::Scratch& scratch) const;

  const Microkernels& kernels_;
  size_t outputs_;
  Encoding encoding_;
  PackedCodebooks codebooks_;
  PackedCodebooksInt8 codebooksInt8_;  // where that is the encoding
  PackedTrees trees_;                  // likewise
  PackedTable table_;
  PackedScale scale_;
};

}  // namespace lutnn
