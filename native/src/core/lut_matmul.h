// y = scale · Σ_c table[c][code_c(x)] + bias on the rows of a matrix, over the microkernels of one instruction set.
#pragma once

#include <optional>

#include "core/row_encoder.h"

namespace lutnn {

class LutMatMul {
 public:
  LutMatMul(const Microkernels& kernels, const Lookup& lookup, Encoding encoding = Encoding::kFloat32);

  /// x float32 or bytes (rows, C·V), or codes (rows, C) for Encoding::kCodes → y float32 (rows, M)
  void run(LayerInput x, size_t rows, float* y, const Epilogue& epilogue, Workspace& workspace,
           Executor& executor) const;
  /// x float32 (rows, C·V) → codes uint8 (rows, C), as run has them or as Encoding::kFloat32 would; not of Encoding::kCodes
  void encode(LayerInput x, size_t rows, uint8_t* codes, Workspace& workspace) const;
  void encodeExactly(const float* x, size_t rows, uint8_t* codes, Workspace& workspace) const;
  /// codes uint8 (rows, C), all below K → sums int32 (rows, M)
  void lookup(const uint8_t* codes, size_t rows, int32_t* sums) const;

  /// Whether there are codes of Encoding::kFloat32 to compare with.
  bool hasExact() const { return encoder_ && encoder_->hasExact(); }
  size_t bytes() const { return (encoder_ ? encoder_->bytes() : 0) + table_.bytes() + scale_.bytes(); }

 private:
  /// Outputs m … m + count − 1 of the rows of a tile, whose codes these are; `out` begins with all rows.
  struct TilePart {
    const uint8_t* codes;
    size_t firstRow, rows, m, count;
  };
  void lookUpPieces(const TilePart& part, const Output& out, const Epilogue& epilogue,
                    Workspace::Scratch& scratch) const;

  const Microkernels& kernels_;
  size_t numCodebooks_, inputs_, outputs_;
  std::optional<RowEncoder> encoder_;  // none for Encoding::kCodes
  PackedTable table_;
  PackedScale scale_;
};

}  // namespace lutnn
