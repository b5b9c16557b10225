#include "lut_conv.h"

#include <algorithm>
#include <cstring>

namespace lutnn {

/// Positions encoded before they are looked up.
constexpr size_t kTilePositions = 4096;
/// Positions looked up in one go: the codes of so many stay in the first-level cache.
constexpr size_t kShufflePositions = 256;
constexpr size_t kGatherPositions = 64;
/// Codes are copied in pieces of this size, so rows of codes may be written past their end by less than that.
constexpr size_t kPiece = 16;

/// (rows, columns) → (columns, rows)
template <class T>
static void transpose(const T* from, size_t fromStride, size_t rows, size_t columns, T* to, size_t toStride) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) to[c * toStride + r] = from[r * fromStride + c];
}

/// Bytes between the codes of one codebook and the next: whole cache lines, an odd number of them so that the codes of
/// many codebooks at one position spread over the cache.
static size_t codeStrideFor(size_t positions) {
  const size_t lines = roundUp(positions + kPiece, kAlignment) / kAlignment;
  return (lines | 1) * kAlignment;
}

LutConv::LutConv(const Microkernels& kernels, const Lookup& lookup, const Window& window)
    : kernels_(kernels),
      window_(window),
      channelsPerCodebook_(lookup.subvectorLength / (window.filterHeight * window.filterWidth)),
      outputs_(lookup.outputs),
      scale_(lookup) {
  codebooks_.pack(lookup.centroids, lookup.numCodebooks, lookup.numCentroids, lookup.subvectorLength);
  if (lookup.numCentroids <= kBlockCentroids) shuffleTable_.emplace(lookup, kernels.tableBias);
  else gatherTable_.emplace(lookup, kernels.tableBias);
}

WindowPlanes LutConv::plan(size_t height, size_t width) const {
  return WindowPlanes(window_, height, width, channelsPerCodebook_, kTilePositions);
}

size_t LutConv::bytes() const {
  return codebooks_.bytes() + (shuffleTable_ ? shuffleTable_->bytes() : gatherTable_->bytes()) + scale_.bytes();
}

void LutConv::encodeTile(const WindowPlanes& planes, const float* image, size_t firstRow, size_t rows,
                         size_t codeStride, Workspace& workspace) const {
  const Codebooks& books = codebooks_.view();
  const size_t channelFloats = planes.height() * planes.width(), width = planes.outputWidth();
  const size_t positions = planes.positions(rows);
  const bool compact = planes.pitch() == width;
  uint8_t* strip = workspace.strip.reserve(positions + kPiece);
  float* scratch = nullptr;
  if (!planes.direct()) {
    scratch = workspace.planes.reserve(planes.floats() * channelsPerCodebook_);
    std::memset(scratch, 0, planes.floats() * channelsPerCodebook_ * sizeof(float));
  }
  for (size_t c = 0; c < books.numCodebooks; c++) {
    const float* channel = image + c * channelsPerCodebook_ * channelFloats;
    const float* start = channel + firstRow * planes.width();
    if (!planes.direct()) {
      start = scratch;
      for (size_t i = 0; i < channelsPerCodebook_; i++)
        planes.fill(channel + i * channelFloats, firstRow, rows, scratch + i * planes.floats());
    }
    uint8_t* codes = workspace.codes.data() + c * codeStride;
    kernels_.encodePositions(books, c, start, planes.taps().data(), positions, compact ? codes : strip);
    if (compact) continue;
    for (size_t r = 0; r < rows; r++)
      for (size_t n = 0; n < width; n += kPiece)
        std::memcpy(codes + r * width + n, strip + r * planes.pitch() + n, kPiece);
  }
}

void LutConv::lookupTile(const uint8_t* codes, size_t codeStride, size_t positions, const Output& out,
                         Workspace& workspace) const {
  const size_t numCodebooks = codebooks_.view().numCodebooks;
  Output part = out;
  const size_t step = shuffleTable_ ? kShufflePositions : kGatherPositions;
  for (size_t n = 0; n < positions; n += step) {
    const size_t count = std::min(step, positions - n);
    if (out.sums) part.sums = out.sums + n;
    else part.y = out.y + n;
    if (shuffleTable_) {
      kernels_.lookupShuffle(shuffleTable_->view(), codes + n, codeStride, count, part);
      continue;
    }
    uint8_t* rows = workspace.strip.reserve(kGatherPositions * numCodebooks);
    int32_t* sums = workspace.sums.reserve(kGatherPositions * outputs_);
    transpose(codes + n, codeStride, numCodebooks, count, rows, numCodebooks);
    kernels_.lookupGather(gatherTable_->view(), rows, count, sumsOutput(sums, outputs_));
    for (size_t m = 0; m < outputs_; m++)
      for (size_t i = 0; i < count; i++) finish(part, m * part.stride + i, m, sums[i * outputs_ + m]);
  }
}

void LutConv::run(const WindowPlanes& planes, const float* x, size_t batch, float* y, Workspace& workspace) const {
  const size_t width = planes.outputWidth(), height = planes.outputHeight();
  const size_t codeStride = codeStrideFor(planes.tileRows() * width);
  const uint8_t* codes = workspace.codes.reserve(codebooks_.view().numCodebooks * codeStride);
  for (size_t image = 0; image < batch; image++) {
    const float* from = x + image * window_.inputChannels * planes.height() * planes.width();
    float* to = y + image * outputs_ * height * width;
    for (size_t row = 0; row < height; row += planes.tileRows()) {
      const size_t rows = std::min(planes.tileRows(), height - row);
      encodeTile(planes, from, row, rows, codeStride, workspace);
      lookupTile(codes, codeStride, rows * width, scale_.output(to + row * width, height * width), workspace);
    }
  }
}

void LutConv::encode(const WindowPlanes& planes, const float* x, size_t batch, uint8_t* codes,
                     Workspace& workspace) const {
  const size_t width = planes.outputWidth(), height = planes.outputHeight();
  const size_t numCodebooks = codebooks_.view().numCodebooks, codeStride = codeStrideFor(planes.tileRows() * width);
  const uint8_t* tile = workspace.codes.reserve(numCodebooks * codeStride);
  for (size_t image = 0; image < batch; image++) {
    const float* from = x + image * window_.inputChannels * planes.height() * planes.width();
    for (size_t row = 0; row < height; row += planes.tileRows()) {
      const size_t rows = std::min(planes.tileRows(), height - row);
      encodeTile(planes, from, row, rows, codeStride, workspace);
      transpose(tile, codeStride, numCodebooks, rows * width, codes, numCodebooks);
      codes += rows * width * numCodebooks;
    }
  }
}

void LutConv::lookup(const uint8_t* codes, size_t positions, int32_t* sums, Workspace& workspace) const {
  const size_t numCodebooks = codebooks_.view().numCodebooks;
  if (gatherTable_) return kernels_.lookupGather(gatherTable_->view(), codes, positions, sumsOutput(sums, outputs_));
  uint8_t* tile = workspace.codes.reserve(numCodebooks * kShufflePositions);
  int32_t* tileSums = workspace.sums.reserve(outputs_ * kShufflePositions);
  for (size_t n = 0; n < positions; n += kShufflePositions) {
    const size_t count = std::min(kShufflePositions, positions - n);
    transpose(codes + n * numCodebooks, numCodebooks, count, numCodebooks, tile, kShufflePositions);
    kernels_.lookupShuffle(shuffleTable_->view(), tile, kShufflePositions, count,
                           sumsOutput(tileSums, kShufflePositions));
    transpose(tileSums, kShufflePositions, outputs_, count, sums + n * outputs_, outputs_);
  }
}

}  // namespace lutnn
