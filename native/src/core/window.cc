#include "core/window.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>
#include <type_traits>
#include <utility>

namespace lutnn {

/// More than any machine's memory, and far from where the sizes below would wrap around.
constexpr double kMaxPlaneElements = 1e15;

size_t outputExtent(size_t input, size_t filter, size_t stride, size_t dilation, size_t padBefore, size_t padAfter) {
  const size_t padded = input + padBefore + padAfter, reach = (filter - 1) * dilation + 1;
  return padded < reach ? 0 : (padded - reach) / stride + 1;
}

AxisTaps::AxisTaps(size_t filter, size_t stride, size_t dilation, size_t padBefore) : phase(filter), shift(filter) {
  for (size_t i = 0; i < filter; i++) {
    const ptrdiff_t step = static_cast<ptrdiff_t>(stride);
    const ptrdiff_t start = static_cast<ptrdiff_t>(i * dilation) - static_cast<ptrdiff_t>(padBefore);
    shift[i] = start >= 0 ? start / step : -((step - 1 - start) / step);  // rounded down
    phase[i] = static_cast<size_t>(start - shift[i] * step);
  }
}

/// What is read together, a quad of neighbours, must lie in one plane.
constexpr size_t kReadTogether = 4;

AxisPieces::AxisPieces(const AxisTaps& taps, size_t tile) : pieceOf(taps.shift.size()) {
  const ptrdiff_t near = static_cast<ptrdiff_t>(std::max(tile, kReadTogether));
  std::vector<size_t> order(taps.shift.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(taps.phase[a], taps.shift[a]) < std::pair(taps.phase[b], taps.shift[b]);
  });
  for (size_t tap : order) {
    const bool joins =
        !pieces.empty() && pieces.back().phase == taps.phase[tap] && taps.shift[tap] - pieces.back().maxShift <= near;
    if (joins) pieces.back().maxShift = taps.shift[tap];
    else pieces.push_back({taps.phase[tap], taps.shift[tap], taps.shift[tap]});
    pieceOf[tap] = pieces.size() - 1;
  }
}

ptrdiff_t WindowPlanes::originOf(const AxisPieces::Piece& columns) {
  return std::clamp<ptrdiff_t>(0, columns.minShift, columns.maxShift);
}

WindowPlanes::WindowPlanes(const Window& w, size_t height, size_t width, size_t channelsPerCodebook,
                           size_t tilePositions, bool mayBeDirect)
    : window_(w),
      height_(height),
      width_(width),
      outputHeight_(outputExtent(height, w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop, w.padBottom)),
      outputWidth_(outputExtent(width, w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft, w.padRight)),
      tileRows_(std::max<size_t>(1, std::min(outputHeight_, tilePositions / outputWidth_))),
      rowTaps_(w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop),
      columnTaps_(w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft),
      rows_(rowTaps_, tileRows_),
      columns_(columnTaps_, outputWidth_),
      direct_(mayBeDirect && w.strideHeight == 1 && w.strideWidth == 1 &&
              w.padTop + w.padLeft + w.padBottom + w.padRight == 0) {
  // A row's data, then zeros: as many as the leftmost tap reaches back into, and up to what the rightmost tap reads.
  size_t right = 0;
  lead_ = rowSpan_ = 0;
  for (const AxisPieces::Piece& piece : columns_.pieces) {
    lead_ = std::max(lead_, static_cast<size_t>(originOf(piece) - piece.minShift));
    right = std::max(right, static_cast<size_t>(piece.maxShift - originOf(piece)));
  }
  for (const AxisPieces::Piece& piece : rows_.pieces)
    rowSpan_ = std::max(rowSpan_, static_cast<size_t>(piece.maxShift - piece.minShift));
  maxColumns_ = outputWidth_ + right;
  size_t dataColumns = 0;  // up to the last that may hold data
  const ptrdiff_t phaseWidth = static_cast<ptrdiff_t>((width + w.strideWidth - 1) / w.strideWidth);
  for (const AxisPieces::Piece& piece : columns_.pieces)
    dataColumns = std::max(dataColumns, static_cast<size_t>(std::clamp<ptrdiff_t>(
                                            phaseWidth - originOf(piece), 0, static_cast<ptrdiff_t>(maxColumns_))));
  pitch_ = direct_ ? width : std::max(maxColumns_, dataColumns + lead_);
  const double elements = (static_cast<double>(tileRows_ + rowSpan_) * pitch_ + lead_) * channelsPerCodebook;
  if (elements * w.filterHeight * w.filterWidth > kMaxPlaneElements) throw std::bad_alloc();
  planeElements_ = lead_ + (tileRows_ + rowSpan_) * pitch_;

  for (size_t channel = 0; channel < channelsPerCodebook; channel++)
    for (size_t i = 0; i < w.filterHeight; i++)
      for (size_t j = 0; j < w.filterWidth; j++) {
        if (direct_) {
          const size_t row = channel * height + i * w.dilationHeight;
          taps_.push_back(static_cast<ptrdiff_t>(row * width + j * w.dilationWidth));
          continue;
        }
        const AxisPieces::Piece &down = rows_.pieces[rows_.pieceOf[i]], &along = columns_.pieces[columns_.pieceOf[j]];
        const size_t plane = rows_.pieceOf[i] * columns_.pieces.size() + columns_.pieceOf[j];
        const size_t row = static_cast<size_t>(rowTaps_.shift[i] - down.minShift);
        const size_t place = channel * channelElements() + plane * planeElements_ + lead_ + row * pitch_;
        taps_.push_back(static_cast<ptrdiff_t>(place) + columnTaps_.shift[j] - originOf(along));
      }
}

WindowPlanes::Rows WindowPlanes::inputRows(size_t firstRow, size_t rows) const {
  const ptrdiff_t down = static_cast<ptrdiff_t>(window_.strideHeight), start = static_cast<ptrdiff_t>(firstRow);
  const ptrdiff_t first = (start + rowTaps_.shift.front()) * down;
  const ptrdiff_t end = (start + static_cast<ptrdiff_t>(rows) + rowTaps_.shift.back()) * down;
  const ptrdiff_t height = static_cast<ptrdiff_t>(height_);
  const ptrdiff_t from = std::clamp<ptrdiff_t>(first, 0, height);
  return {static_cast<size_t>(from), static_cast<size_t>(std::clamp(end, from, height))};
}

/// y[n] = x[step · n]
template <class T>
static void copyEvery(const T* x, size_t step, size_t count, T* y) {
  if (step == 1) std::memcpy(y, x, count * sizeof(T));
  else if (step == 2)
    for (size_t n = 0; n < count; n++) y[n] = x[n * 2];
  else
    for (size_t n = 0; n < count; n++) y[n] = x[n * step];
}

template <class T>
void WindowPlanes::fill(const Microkernels& kernels, const T* channel, size_t firstRow, size_t rows, T* planes) const {
  const size_t step = window_.strideWidth, down = window_.strideHeight;
  for (const AxisPieces::Piece& rowPiece : rows_.pieces)
    for (const AxisPieces::Piece& columnPiece : columns_.pieces) {
      T* to = planes + lead_;
      planes += planeElements_;
      // The columns of the plane that lie in the image: `skipped` and `count`; the phase's first of them.
      const size_t phase = columnPiece.phase, phaseColumns = phase < width_ ? (width_ - phase + step - 1) / step : 0;
      const ptrdiff_t origin = originOf(columnPiece);
      const size_t skipped = origin < 0 ? static_cast<size_t>(-origin) : 0;
      const size_t firstColumn = origin > 0 ? static_cast<size_t>(origin) : 0;
      if (skipped >= maxColumns_ || firstColumn >= phaseColumns) continue;
      const size_t columns = std::min(phaseColumns - firstColumn, maxColumns_ - skipped);
      // And the rows.
      const ptrdiff_t start = static_cast<ptrdiff_t>(firstRow) + rowPiece.minShift;
      const size_t first = start < 0 ? static_cast<size_t>(-start) : 0;
      const size_t top = static_cast<size_t>(start + static_cast<ptrdiff_t>(first)) * down + rowPiece.phase;
      const size_t planeRows = rows + static_cast<size_t>(rowPiece.maxShift - rowPiece.minShift);
      if (first >= planeRows || top >= height_) continue;
      const size_t count = std::min(planeRows - first, (height_ - top + down - 1) / down);
      const T* from = channel + top * width_ + firstColumn * step + phase;
      to += first * pitch_ + skipped;
      if constexpr (std::is_same_v<T, float>)
        if (step == 2) {
          kernels.copyEverySecond(
              {.x = from, .xStride = down * width_, .y = to, .yStride = pitch_, .rows = count, .count = columns});
          continue;
        }
      for (size_t r = 0; r < count; r++, from += down * width_, to += pitch_) copyEvery(from, step, columns, to);
    }
}

template void WindowPlanes::fill(const Microkernels&, const float*, size_t, size_t, float*) const;
template void WindowPlanes::fill(const Microkernels&, const uint8_t*, size_t, size_t, uint8_t*) const;

}  // namespace lutnn
