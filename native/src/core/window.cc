#include "core/window.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

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
  minShift = *std::min_element(shift.begin(), shift.end());
  maxShift = *std::max_element(shift.begin(), shift.end());
}

WindowPlanes::WindowPlanes(const Window& w, size_t height, size_t width, size_t channelsPerCodebook,
                           size_t tilePositions, bool mayBeDirect)
    : window_(w),
      height_(height),
      width_(width),
      outputHeight_(outputExtent(height, w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop, w.padBottom)),
      outputWidth_(outputExtent(width, w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft, w.padRight)),
      rowTaps_(w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop),
      columnTaps_(w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft),
      direct_(mayBeDirect && w.strideHeight == 1 && w.strideWidth == 1 &&
              w.padTop + w.padLeft + w.padBottom + w.padRight == 0) {
  tileRows_ = std::max<size_t>(1, std::min(outputHeight_, tilePositions / outputWidth_));
  // A row's data, then zeros: as many as the leftmost tap reaches back into, and up to what the rightmost tap reads.
  lead_ = static_cast<size_t>(std::max<ptrdiff_t>(-columnTaps_.minShift, 0));
  maxColumns_ = outputWidth_ + static_cast<size_t>(std::max<ptrdiff_t>(columnTaps_.maxShift, 0));
  const size_t phaseWidth = (width + w.strideWidth - 1) / w.strideWidth;
  pitch_ = direct_ ? width : std::max(maxColumns_, std::min(phaseWidth, maxColumns_) + lead_);
  rowSpan_ = static_cast<size_t>(rowTaps_.maxShift - rowTaps_.minShift);
  const double elements = (static_cast<double>(tileRows_ + rowSpan_) * pitch_ + lead_) * channelsPerCodebook;
  if (elements * w.filterHeight * w.filterWidth > kMaxPlaneElements) throw std::bad_alloc();
  planeElements_ = lead_ + (tileRows_ + rowSpan_) * pitch_;
  for (size_t rowPhase : rowTaps_.phase)
    for (size_t columnPhase : columnTaps_.phase)
      if (findPlane(rowPhase, columnPhase) == planes_.size()) planes_.push_back({rowPhase, columnPhase});

  for (size_t channel = 0; channel < channelsPerCodebook; channel++)
    for (size_t i = 0; i < w.filterHeight; i++)
      for (size_t j = 0; j < w.filterWidth; j++) {
        if (direct_) {
          const size_t row = channel * height + i * w.dilationHeight;
          taps_.push_back(static_cast<ptrdiff_t>(row * width + j * w.dilationWidth));
          continue;
        }
        const size_t plane = findPlane(rowTaps_.phase[i], columnTaps_.phase[j]);
        const size_t row = static_cast<size_t>(rowTaps_.shift[i] - rowTaps_.minShift);
        const size_t place = channel * channelElements() + plane * planeElements_ + lead_ + row * pitch_;
        taps_.push_back(static_cast<ptrdiff_t>(place) + columnTaps_.shift[j]);
      }
}

size_t WindowPlanes::findPlane(size_t rowPhase, size_t columnPhase) const {
  size_t i = 0;
  while (i < planes_.size() && (planes_[i].rowPhase != rowPhase || planes_[i].columnPhase != columnPhase)) i++;
  return i;
}

WindowPlanes::Rows WindowPlanes::inputRows(size_t firstRow, size_t rows) const {
  const ptrdiff_t down = static_cast<ptrdiff_t>(window_.strideHeight), start = static_cast<ptrdiff_t>(firstRow);
  const ptrdiff_t first = (start + rowTaps_.minShift) * down;
  const ptrdiff_t end = (start + static_cast<ptrdiff_t>(rows) + rowTaps_.maxShift) * down;
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
  const size_t step = window_.strideWidth;
  for (const Plane& plane : planes_) {
    const size_t phaseColumns = plane.columnPhase < width_ ? (width_ - plane.columnPhase + step - 1) / step : 0;
    const size_t columns = std::min(phaseColumns, maxColumns_);
    T* to = planes + lead_;
    planes += planeElements_;
    if (columns == 0) continue;
    // The rows of the plane that lie in the image.
    const ptrdiff_t start = static_cast<ptrdiff_t>(firstRow) + rowTaps_.minShift;
    const size_t first = start < 0 ? static_cast<size_t>(-start) : 0, down = window_.strideHeight;
    const size_t top = static_cast<size_t>(start + static_cast<ptrdiff_t>(first)) * down + plane.rowPhase;
    if (first >= rows + rowSpan_ || top >= height_) continue;
    const size_t count = std::min(rows + rowSpan_ - first, (height_ - top + down - 1) / down);
    const T* from = channel + top * width_ + plane.columnPhase;
    to += first * pitch_;
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
