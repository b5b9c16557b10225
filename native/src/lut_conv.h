// A convolution by lookup: windows gathered, encoded, looked up and written as NCHW tile by tile, over the microkernels
// of one instruction set.
#pragma once

#include "packing.h"
#include "window.h"

namespace lutnn {

class LutConv {
 public:
  /// How tables are read: as measured to be the fastest for an image's size, or always in one way.
  enum class Read { kFastest, kShuffle, kGather };

  /// K ≤ 16 for Read::kShuffle.
  LutConv(const Microkernels& kernels, const Lookup& lookup, const Window& window, Read read = Read::kFastest);

  /// What run and encode need to know of images of one size; the filter must fit.
  WindowPlanes plan(size_t height, size_t width) const;

  /// x float32 (batch, channels, height, width) → y float32 (batch, M, output height, output width)
  void run(const WindowPlanes& planes, const float* x, size_t batch, float* y, Workspace& workspace) const;
  /// x → codes uint8 (positions, C)
  void encode(const WindowPlanes& planes, const float* x, size_t batch, uint8_t* codes, Workspace& workspace) const;
  /// codes uint8 (positions, C), all below K → sums int32 (positions, M)
  void lookup(const uint8_t* codes, size_t positions, int32_t* sums, Workspace& workspace) const;

  const Window& window() const { return window_; }
  size_t bytes() const { return codebooks_.bytes() + table_.bytes() + scale_.bytes(); }

 private:
  /// One image's output rows from firstRow on.
  struct Tile {
    const float* image;
    size_t firstRow, rows;
  };
  /// Calls body(tile, image's index) for all tiles of a batch.
  template <class Body>
  void forEachTile(const WindowPlanes& planes, const float* x, size_t batch, Body body) const;
  bool shuffles(size_t positions) const;
  /// Codes of one codebook → codes (positions), writable for kPiece bytes more.
  void encodeCodebook(const WindowPlanes& planes, const Tile& tile, size_t codebook, uint8_t* codes,
                      Workspace& workspace) const;
  /// Codes (ceil(C / G), positions, G) → y (M, positions).
  void lookupShuffled(const uint8_t* codes, size_t codeStride, size_t positions, const Output& out) const;
  /// Codes (C, positions) → y (M, positions).
  void lookupGathered(const uint8_t* codes, size_t codeStride, size_t positions, const Output& out,
                      Workspace& workspace) const;

  const Microkernels& kernels_;
  Window window_;
  size_t channelsPerCodebook_, numCentroids_, outputs_;
  Read read_;
  PackedCodebooks codebooks_;
  PackedTable table_;
  PackedScale scale_;
};

}  // namespace lutnn
