// A convolution in integers: images as quads of bytes, a block of windows at a time gathered into columns of them and multiplied
// over the microkernels of one instruction set. Padding is the zero point.
#pragma once

#include "core/conv_plan.h"
#include "core/executor.h"
#include "core/packed_weights.h"
#include "core/packing.h"

namespace lutnn {

class DenseConv {
 public:
  DenseConv(const Microkernels& kernels, const Dense& dense, const Window& window);

  /// The filter must fit.
  ConvPlan plan(size_t height, size_t width) const;

  /// x float32 or bytes (batch, channels, height, width) → y float32 (batch, M, output height, output width)
  void run(const ConvPlan& plan, LayerInput x, size_t batch, float* y, const Epilogue& epilogue, Workspace& workspace,
           Executor& executor) const;

  const Window& window() const { return window_; }
  size_t bytes() const { return weights_.bytes() + scale_.bytes(); }

 private:
  /// One image's output rows from firstRow on.
  struct Tile {
    LayerInput image;
    size_t firstRow, rows;
  };
  /// Channels from `first` on, 4 or all that are left → their quads.
  void quadsOf(const ConvPlan& plan, const Tile& tile, size_t first, uint8_t* quads, Workspace::Scratch& scratch) const;
  /// Windows at `count` positions of a tile from n on → columns (Q, stride), quads.
  void gather(const ConvPlan& plan, const uint8_t* quads, size_t n, size_t count, uint8_t* columns,
              size_t stride) const;
  /// The same where isPointwise_, of images of bytes: without quads of the tile between them.
  void interleave(const ConvPlan& plan, const Tile& tile, size_t n, size_t count, uint8_t* columns,
                  size_t stride) const;
  /// Quads of all channels of a tile, and of what may be read behind them.
  size_t quadsOfTile(const ConvPlan& plan) const;

  const Microkernels& kernels_;
  Window window_;
  size_t outputs_;
  bool
      isPointwise_;  // positions are the places of an image, as they lie, and each window is one of them in several channels
  float inputScale_;
  uint8_t inputZeroPoint_;
  WindowQuads quads_;
  PackedWeights weights_;
  PackedScale scale_;
};

}  // namespace lutnn
