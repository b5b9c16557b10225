// A convolution by lookup: windows gathered, encoded, looked up and written as NCHW tile by tile, over the microkernels
// of one instruction set.
#pragma once

#include <algorithm>

#include "core/conv_plan.h"
#include "core/encoder.h"
#include "core/executor.h"
#include "core/packing.h"

namespace lutnn {

class LutConv {
 public:
  /// How tables are read: as measured to be the fastest for an image's size, or always in one way.
  enum class Read { kFastest, kShuffle, kGather };

  /// K ≤ 16 for Read::kShuffle.
  LutConv(const Microkernels& kernels, const Lookup& lookup, const Window& window,
          Encoding encoding = Encoding::kFloat32, Read read = Read::kFastest);

  /// The filter must fit.
  ConvPlan plan(size_t height, size_t width) const;

  /// x float32 or bytes (batch, channels, height, width) → y float32 (batch, M, output height, output width)
  void run(const ConvPlan& plan, LayerInput x, size_t batch, float* y, const Epilogue& epilogue, Workspace& workspace,
           Executor& executor) const;
  /// x → codes uint8 (positions, C), as run has them or as Encoding::kFloat32 would
  void encode(const ConvPlan& plan, LayerInput x, size_t batch, uint8_t* codes, Workspace& workspace) const;
  void encodeExactly(const ConvPlan& plan, const float* x, size_t batch, uint8_t* codes, Workspace& workspace) const;
  /// codes uint8 (positions, C), all below K → sums int32 (positions, M)
  void lookup(const uint8_t* codes, size_t positions, int32_t* sums, Workspace& workspace) const;

  const Window& window() const { return window_; }
  /// Whether there are codes of Encoding::kFloat32 to compare with.
  bool hasExact() const { return encoder_.hasExact(); }
  size_t bytes() const { return encoder_.bytes() + table_.bytes() + scale_.bytes(); }

 private:
  /// One image's output rows from firstRow on.
  struct Tile {
    LayerInput image;
    size_t firstRow, rows;
  };
  /// Numbers of an image.
  size_t imageElements(const ConvPlan& plan) const { return window_.inputChannels * plan.height() * plan.width(); }
  /// Calls body(first row, rows) for each tile of an image.
  template <class Body>
  static void forEachTile(const ConvPlan& plan, Body body) {
    for (size_t row = 0; row < plan.outputHeight(); row += plan.tileRows())
      body(row, std::min(plan.tileRows(), plan.outputHeight() - row));
  }
  using Scratch = Workspace::Scratch;
  bool shuffles(size_t positions) const;
  /// Some codebooks of a tile → codes (count, positions), stride apart.
  struct TileCodes {
    size_t first, count;
    uint8_t* codes;
    size_t stride;
  };
  void encodeTile(const Encoder& encoder, const ptrdiff_t* taps, const ConvPlan& plan, const Tile& tile,
                  const TileCodes& to, Scratch& scratch) const;
  /// The same where inputs are bytes, or become what the model says.
  void encodeIntegerTile(const IntegerEncoder& encoder, const ptrdiff_t* taps, const ConvPlan& plan, const Tile& tile,
                         const TileCodes& to, Scratch& scratch) const;
  /// Calls encode(codebook, codes) for some codebooks of a tile, where codes lie as the plan has positions.
  template <class Encode>
  void encodeStrips(const ConvPlan& plan, const Tile& tile, const TileCodes& to, Scratch& scratch,
                    const Encode& encode) const;
  void encodeBatch(const Encoder& encoder, const ptrdiff_t* taps, const ConvPlan& plan, LayerInput x, size_t batch,
                   uint8_t* codes, Workspace& workspace) const;
  /// Codes (C, positions), stride apart, of up to 256 positions → outputs m … m + count − 1, up to 64 of them.
  void lookupGathered(const uint8_t* codes, size_t stride, size_t positions, size_t m, size_t count, const Output& out,
                      Scratch& scratch) const;

  const Microkernels& kernels_;
  Window window_;
  size_t channelsPerCodebook_, numCodebooks_, numCentroids_, outputs_;
  Read read_;
  LayerEncoder encoder_;
  PackedTable table_;
  PackedScale scale_;
};

}  // namespace lutnn
