#include "lut_conv.h"

#include <algorithm>
#include <cstring>

namespace lutnn {

/// Positions encoded before they are looked up.
constexpr size_t kTilePositions = 4096;
/// Positions looked up in one go: the codes of so many stay in the first-level cache.
constexpr size_t kLookupPositions = 256;
/// Codes are copied in pieces of this size, so rows of codes are read and written past their end by less than that.
constexpr size_t kPiece = 16;

/// (rows, columns) → (columns, rows)
template <class T>
static void transpose(const T* from, size_t fromStride, size_t rows, size_t columns, T* to, size_t toStride) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) to[c * toStride + r] = from[r * fromStride + c];
}

/// Positions between one row of codes and the next: whole cache lines, an odd number of them so that the codes of many
/// codebooks at one position spread over the cache.
static size_t codeStrideFor(size_t positions) {
  const size_t lines = roundUp(positions + kPiece, kAlignment) / kAlignment;
  return (lines | 1) * kAlignment;
}

static PackedTable::Order firstOrder(const Lookup& lookup, LutConv::Read read) {
  const bool gather = lookup.numCentroids > kBlockCentroids || read == LutConv::Read::kGather;
  return gather ? PackedTable::Order::kGather : PackedTable::Order::kShuffle;
}

LutConv::LutConv(const Microkernels& kernels, const Lookup& lookup, const Window& window, Read read)
    : kernels_(kernels),
      window_(window),
      channelsPerCodebook_(lookup.subvectorLength / (window.filterHeight * window.filterWidth)),
      numCentroids_(lookup.numCentroids),
      outputs_(lookup.outputs),
      read_(read),
      table_(kernels, lookup, firstOrder(lookup, read)),
      scale_(lookup) {
  codebooks_.pack(lookup.centroids, lookup.numCodebooks, lookup.numCentroids, lookup.subvectorLength);
}

WindowPlanes LutConv::plan(size_t height, size_t width) const {
  return WindowPlanes(window_, height, width, channelsPerCodebook_, kTilePositions);
}

bool LutConv::shuffles(size_t positions) const {
  if (numCentroids_ > kBlockCentroids || read_ == Read::kGather) return false;
  return read_ == Read::kShuffle || positions > kernels_.gatherUpTo(codebooks_.view().numCodebooks, outputs_);
}

template <class Body>
void LutConv::forEachTile(const WindowPlanes& planes, const float* x, size_t batch, Body body) const {
  const size_t imageFloats = window_.inputChannels * planes.height() * planes.width();
  for (size_t image = 0; image < batch; image++)
    for (size_t row = 0; row < planes.outputHeight(); row += planes.tileRows())
      body(Tile{x + image * imageFloats, row, std::min(planes.tileRows(), planes.outputHeight() - row)}, image);
}

void LutConv::encodeCodebook(const WindowPlanes& planes, const Tile& tile, size_t codebook, uint8_t* codes,
                             Workspace& workspace) const {
  const size_t channelFloats = planes.height() * planes.width(), width = planes.outputWidth();
  const size_t positions = planes.positions(tile.rows);
  const float* channel = tile.image + codebook * channelsPerCodebook_ * channelFloats;
  const float* start = channel + tile.firstRow * planes.width();
  if (!planes.direct()) {
    const size_t floats = planes.floats() * channelsPerCodebook_;
    float* scratch = workspace.planes.reserve(floats);
    if (codebook == 0) std::memset(scratch, 0, floats * sizeof(float));
    for (size_t i = 0; i < channelsPerCodebook_; i++)
      planes.fill(kernels_, channel + i * channelFloats, tile.firstRow, tile.rows, scratch + i * planes.floats());
    start = scratch;
  }
  const bool compact = planes.pitch() == width;
  uint8_t* strip = compact ? codes : workspace.strip.reserve(positions + kPiece);
  kernels_.encodePositions(codebooks_.view(), codebook, start, planes.taps().data(), positions, strip);
  if (compact) return;
  for (size_t r = 0; r < tile.rows; r++)
    for (size_t n = 0; n < width; n += kPiece)
      std::memcpy(codes + r * width + n, strip + r * planes.pitch() + n, kPiece);
}

void LutConv::lookupShuffled(const uint8_t* codes, size_t codeStride, size_t positions, const Output& out) const {
  Output part = out;
  for (size_t n = 0; n < positions; n += kLookupPositions) {
    if (out.sums) part.sums = out.sums + n;
    else part.y = out.y + n;
    kernels_.lookupShuffle(table_.shuffle(), codes + n * kernels_.groupCodebooks, codeStride,
                           std::min(kLookupPositions, positions - n), part);
  }
}

void LutConv::lookupGathered(const uint8_t* codes, size_t codeStride, size_t positions, const Output& out,
                             Workspace& workspace) const {
  const GatherTable table = table_.gather();
  uint8_t* rows = workspace.rows.reserve(kLookupPositions * table.numCodebooks);
  int32_t* sums = workspace.sums.reserve(kLookupPositions * kGatherOutputs);
  for (size_t n = 0; n < positions; n += kLookupPositions) {
    const size_t count = std::min(kLookupPositions, positions - n);
    transpose(codes + n, codeStride, table.numCodebooks, count, rows, table.numCodebooks);
    for (size_t m = 0; m < outputs_; m += kGatherOutputs) {
      GatherTable block = table;
      block.outputs = std::min(kGatherOutputs, outputs_ - m);
      block.entries += m * table.numCodebooks * table.numCentroids;
      Output part = out;
      part.y += m * out.stride + n;
      part.scale += m;
      part.bias += m;
      kernels_.lookupGather(block, rows, count, sumsOutput(sums, block.outputs));
      kernels_.finishTransposed(sums, count, block.outputs, part);
    }
  }
}

void LutConv::run(const WindowPlanes& planes, const float* x, size_t batch, float* y, Workspace& workspace) const {
  const size_t width = planes.outputWidth(), plane = planes.outputHeight() * width;
  const size_t numCodebooks = codebooks_.view().numCodebooks, stride = codeStrideFor(planes.tileRows() * width);
  const bool shuffle = shuffles(plane);
  const size_t group = shuffle ? kernels_.groupCodebooks : 1;
  uint8_t* codes = workspace.codes.reserve(roundUp(numCodebooks, group) * stride);
  uint8_t* rows = group > 1 ? workspace.rows.reserve(group * stride) : nullptr;
  forEachTile(planes, x, batch, [&](const Tile& tile, size_t image) {
    const size_t positions = tile.rows * width;
    for (size_t c = 0; c < numCodebooks; c++) {
      uint8_t* to = group > 1 ? rows + c % group * stride : codes + c * stride;
      encodeCodebook(planes, tile, c, to, workspace);
      const bool last = (c + 1) % group == 0 || c + 1 == numCodebooks;
      if (group > 1 && last)
        kernels_.groupCodes(rows, stride, 1, c % group + 1, positions, codes + c / group * stride * group);
    }
    const Output out = scale_.output(y + image * outputs_ * plane + tile.firstRow * width, plane);
    if (shuffle) lookupShuffled(codes, stride * group, positions, out);
    else lookupGathered(codes, stride, positions, out, workspace);
  });
}

void LutConv::encode(const WindowPlanes& planes, const float* x, size_t batch, uint8_t* codes,
                     Workspace& workspace) const {
  const size_t width = planes.outputWidth(), numCodebooks = codebooks_.view().numCodebooks;
  uint8_t* row = workspace.rows.reserve(codeStrideFor(planes.tileRows() * width));
  forEachTile(planes, x, batch, [&](const Tile& tile, size_t) {
    const size_t positions = tile.rows * width;
    for (size_t c = 0; c < numCodebooks; c++) {
      encodeCodebook(planes, tile, c, row, workspace);
      for (size_t n = 0; n < positions; n++) codes[n * numCodebooks + c] = row[n];
    }
    codes += positions * numCodebooks;
  });
}

void LutConv::lookup(const uint8_t* codes, size_t positions, int32_t* sums, Workspace& workspace) const {
  const size_t numCodebooks = codebooks_.view().numCodebooks;
  if (!shuffles(positions))
    return kernels_.lookupGather(table_.gather(), codes, positions, sumsOutput(sums, outputs_));
  const size_t group = kernels_.groupCodebooks, stride = kLookupPositions;
  uint8_t* grouped = workspace.codes.reserve(roundUp(numCodebooks, group) * stride);
  int32_t* tileSums = workspace.sums.reserve(outputs_ * stride);
  for (size_t n = 0; n < positions; n += stride) {
    const size_t count = std::min(stride, positions - n);
    const uint8_t* from = codes + n * numCodebooks;
    if (group == 1) transpose(from, numCodebooks, count, numCodebooks, grouped, stride);
    for (size_t c = 0; group > 1 && c < numCodebooks; c += group)
      kernels_.groupCodes(from + c, 1, numCodebooks, std::min(group, numCodebooks - c), count, grouped + c * stride);
    kernels_.lookupShuffle(table_.shuffle(), grouped, stride * group, count,
                           sumsOutput(tileSums, stride));
    transpose(tileSums, stride, outputs_, count, sums + n * outputs_, outputs_);
  }
}

}  // namespace lutnn
