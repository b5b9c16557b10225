// Where a convolution's sub-vectors lie in memory, so that each of their elements is read from consecutive places at
// consecutive positions, without an im2col buffer.
//
// A channel is copied into planes, one for each phase (row mod stride, column mod stride) that the filter touches. In
// a plane, output row and column advance by one, so tap (i, j) of the filter is a constant offset. Rows lie `pitch`
// apart, with zeros between them that serve the end of one row and the start of the next. Positions are counted along
// the pitch; those beyond the output's width are computed and dropped. A window without padding and stride reads the
// image as it lies. Taps that lie further from each other than a tile is long have planes of their own, so that what is
// between them, of a dilation and padding of millions most of it, takes no memory.
#pragma once

#include <cstddef>
#include <vector>

#include "isa/microkernels.h"

namespace lutnn {

/// See native/index.d.ts.
struct Window {
  size_t inputChannels;
  size_t filterHeight, filterWidth;
  size_t strideHeight, strideWidth;
  size_t dilationHeight, dilationWidth;
  size_t padTop, padLeft, padBottom, padRight;
};

/// Output extent of one axis, or 0 where the filter does not fit.
size_t outputExtent(size_t input, size_t filter, size_t stride, size_t dilation, size_t padBefore, size_t padAfter);

/// One axis: filter tap i reads the phase `phase[i]` at output index + shift[i].
struct AxisTaps {
  AxisTaps(size_t filter, size_t stride, size_t dilation, size_t padBefore);

  std::vector<size_t> phase;
  std::vector<ptrdiff_t> shift;
};

/// The taps of one axis in pieces: those of one phase whose shifts follow each other closely enough to read one plane.
struct AxisPieces {
  /// `tile` is how many outputs a plane serves.
  AxisPieces(const AxisTaps& taps, size_t tile);

  struct Piece {
    size_t phase;
    ptrdiff_t minShift, maxShift;
  };
  std::vector<Piece> pieces;
  std::vector<size_t> pieceOf;  // tap → its piece
};

/// The planes of a window on images of one size, for tiles of as many output rows as come near to tilePositions.
class WindowPlanes {
 public:
  /// `mayBeDirect`: an image that can be read as it lies is.
  WindowPlanes(const Window& window, size_t height, size_t width, size_t channelsPerCodebook, size_t tilePositions,
               bool mayBeDirect);

  size_t height() const { return height_; }
  size_t width() const { return width_; }
  size_t outputHeight() const { return outputHeight_; }
  size_t outputWidth() const { return outputWidth_; }
  size_t tileRows() const { return tileRows_; }
  /// Positions from one output row to the next.
  size_t pitch() const { return pitch_; }
  /// Whether the image is read as it lies, without planes.
  bool direct() const { return direct_; }
  /// Positions of `rows` output rows, along the pitch.
  size_t positions(size_t rows) const { return (rows - 1) * pitch_ + outputWidth_; }
  /// Whether fill leaves places alone.
  bool padded() const {
    return window_.filterHeight > 1 || window_.filterWidth > 1 || pitch_ > outputWidth_ || window_.padTop > 0 ||
           window_.padBottom > 0 || window_.padLeft > 0 || window_.padRight > 0;
  }
  /// Elements that the planes of one channel take.
  size_t channelElements() const { return rows_.pieces.size() * columns_.pieces.size() * planeElements_; }
  /// The input rows that `rows` output rows from firstRow on reach into: the first, and the end.
  struct Rows {
    size_t first, end;
  };
  Rows inputRows(size_t firstRow, size_t rows) const;

  /// Offsets of a sub-vector's elements (channel, filter row, filter column) from the first position's place: in the
  /// planes of neighbouring channels, or in the image.
  const std::vector<ptrdiff_t>& taps() const { return taps_; }
  /// Copies one channel (height, width) of floats or bytes for the output rows from firstRow on, and reads inputRows of it
  /// alone; what it leaves alone must hold what padding means.
  template <class T>
  void fill(const Microkernels& kernels, const T* channel, size_t firstRow, size_t rows, T* planes) const;

 private:
  /// The phase's column that a piece's planes begin with, of the columns that its taps read from where none is shifted.
  static ptrdiff_t originOf(const AxisPieces::Piece& columns);

  Window window_;
  size_t height_, width_, outputHeight_, outputWidth_, tileRows_;
  AxisTaps rowTaps_, columnTaps_;
  AxisPieces rows_, columns_;  // a plane for each pair of them
  bool direct_;
  size_t maxColumns_, pitch_, lead_, rowSpan_, planeElements_;
  std::vector<ptrdiff_t> taps_;
};

}  // namespace lutnn
