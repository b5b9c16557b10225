#include "core/max_pool.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <numeric>

namespace lutnn {

/// Planes that a task does.
constexpr size_t kTaskPlanes = 4;
/// Bytes that are compared at a time; so many may be read behind the last.
constexpr size_t kChunk = 16;

static uint8_t larger(uint8_t a, uint8_t b) { return std::max(a, b); }

/// to[i] = max(to[i], from[stride · i]); the stride is known where loops are to become vectors.
template <size_t kStride>
static void takeLarger(const uint8_t* from, size_t count, uint8_t* to) {
  for (size_t i = 0; i < count; i++) to[i] = std::max(to[i], from[kStride * i]);
}
static void takeLargerOf(const uint8_t* from, size_t stride, size_t count, uint8_t* to) {
  if (stride == 1) return takeLarger<1>(from, count, to);
  if (stride == 2) return takeLarger<2>(from, count, to);
  for (size_t i = 0; i < count; i++) to[i] = std::max(to[i], from[stride * i]);
}

/// Row i of a plane becomes its largest bytes of `filter` neighbours each: (height, width) → (height, output width). Where
/// rows are whole numbers of steps without padding, all are one row. `row` is for a row with what is around it: zeros, below
/// which no byte is.
static void poolRows(const Window& w, const PoolPlanes& planes, const uint8_t* x, uint8_t* row, uint8_t* narrow) {
  const bool isOne =
      w.padLeft == 0 && w.filterWidth <= w.strideWidth && planes.width == w.strideWidth * planes.outputWidth;
  const size_t outputs = planes.outputWidth * (isOne ? planes.height : 1);
  const auto pool = [&](const uint8_t* from, uint8_t* to) {
    if (w.filterWidth == 2 && w.strideWidth == 2) {
      for (size_t i = 0; i < outputs; i++) to[i] = std::max(from[2 * i], from[2 * i + 1]);
      return;
    }
    std::memset(to, 0, outputs);
    for (size_t t = 0; t < w.filterWidth; t++) takeLargerOf(from + t, w.strideWidth, outputs, to);
  };
  if (isOne) return pool(x, narrow);
  for (size_t i = 0; i < planes.height; i++) {
    std::memcpy(row + w.padLeft, x + i * planes.width, planes.width);
    pool(row, narrow + i * planes.outputWidth);
  }
}

/// The rows of a plane that output row i sees, from `first` to before `end`.
struct SeenRows {
  size_t first, end;
};
static SeenRows rowsSeen(const Window& w, const PoolPlanes& planes, size_t i) {
  const size_t top = i * w.strideHeight;
  return {std::max(top, w.padTop) - w.padTop, std::min(top + w.filterHeight, w.padTop + planes.height) - w.padTop};
}

/// to[i] = the largest of from[r · count + i], r below `rows`, for i below `count`; up to `room` bytes may be written, and
/// kChunk more bytes than there are be read.
static void poolColumn(const uint8_t* from, size_t rows, size_t count, uint8_t* to, size_t room) {
  size_t n = 0;
  for (; n < count && n + kChunk <= room; n += kChunk) {
    uint8_t most[kChunk], other[kChunk];
    std::memcpy(most, from + n, kChunk);
    for (size_t r = 1; r < rows; r++) {
      std::memcpy(other, from + r * count + n, kChunk);
      for (size_t i = 0; i < kChunk; i++) most[i] = std::max(most[i], other[i]);
    }
    std::memcpy(to + n, most, kChunk);
  }
  for (; n < count; n++) {
    to[n] = from[n];
    for (size_t r = 1; r < rows; r++) to[n] = std::max(to[n], from[r * count + n]);
  }
}

/// A plane whose windows are wider than its rows: each takes a row's beginning, its end, or all of it. Time and memory are those of the
/// plane and of what comes out, whatever the filter's and the padding's width. `scratch` is for three rows.
static void poolWide(const Window& w, const PoolPlanes& planes, const uint8_t* x, uint8_t* scratch, uint8_t* y) {
  const size_t width = planes.width;
  uint8_t *row = scratch, *upTo = row + width, *from = upTo + width;
  for (size_t i = 0; i < planes.outputHeight; i++, y += planes.outputWidth) {
    const SeenRows rows = rowsSeen(w, planes, i);
    std::memcpy(row, x + rows.first * width, width);
    for (size_t r = rows.first + 1; r < rows.end; r++) takeLarger<1>(x + r * width, width, row);
    std::partial_sum(row, row + width, upTo, larger);
    std::partial_sum(std::reverse_iterator(row + width), std::reverse_iterator(row),
                     std::reverse_iterator(from + width), larger);
    for (size_t j = 0; j < planes.outputWidth; j++) {
      const size_t left = j * w.strideWidth;  // counted from the padding's edge, as the end is
      y[j] = left > w.padLeft ? from[left - w.padLeft] : upTo[std::min(left + w.filterWidth - w.padLeft, width) - 1];
    }
  }
}

void maxPool(const Window& w, const PoolPlanes& planes, const uint8_t* x, uint8_t* y, Workspace& workspace,
             Executor& executor) {
  const size_t plane = planes.height * planes.width, output = planes.outputHeight * planes.outputWidth;
  const bool isWide = w.filterWidth > planes.width;
  const size_t rowBytes = isWide ? 3 * planes.width : w.padLeft + planes.width + w.padRight;
  workspace.prepare(executor.slots());
  executor.forEach(roundUp(planes.count, kTaskPlanes) / kTaskPlanes, [&](size_t task, size_t slot) {
    Workspace::Scratch& scratch = workspace.scratch[slot];
    uint8_t* row = scratch.strip.reserve(rowBytes);
    uint8_t* narrow = isWide ? nullptr : scratch.bytes.reserve(planes.height * planes.outputWidth + kChunk);
    std::memset(row, 0, rowBytes);
    const size_t first = task * kTaskPlanes, end = std::min(first + kTaskPlanes, planes.count);
    for (size_t p = first; p < end; p++) {
      if (isWide) {
        poolWide(w, planes, x + p * plane, row, y + p * output);
        continue;
      }
      poolRows(w, planes, x + p * plane, row, narrow);
      for (size_t i = 0; i < planes.outputHeight; i++) {
        const SeenRows rows = rowsSeen(w, planes, i);
        const size_t at = i * planes.outputWidth;  // what is written behind the row is written again by the next
        poolColumn(narrow + rows.first * planes.outputWidth, rows.end - rows.first, planes.outputWidth,
                   y + p * output + at, output - at);
      }
    }
  });
}

}  // namespace lutnn
