#include "core/lut_conv.h"

#include <algorithm>
#include <cstring>

#include "core/encode_integer.h"
#include "core/pieces.h"

namespace lutnn {

/// Positions encoded before they are looked up.
constexpr size_t kTilePositions = 4096;
/// Positions looked up in one go: the codes of so many stay in the first-level cache.
constexpr size_t kLookupPositions = 256;
/// Codebooks that a task encodes, a multiple of every G, and outputs that a task looks up.
constexpr size_t kTaskCodebooks = 4;
constexpr size_t kTaskOutputs = kGatherOutputs;
/// Codes of so many bytes, of images of a single tile, are there at a time: each block of outputs, whose table the second cache holds, is
/// looked up for all these images.
constexpr size_t kCodesTogether = size_t{1} << 19;
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

LutConv::LutConv(const Microkernels& kernels, const Lookup& lookup, const Window& window, Encoding encoding, Read read)
    : kernels_(kernels),
      window_(window),
      channelsPerCodebook_(lookup.subvectorLength / (window.filterHeight * window.filterWidth)),
      numCodebooks_(lookup.numCodebooks),
      numCentroids_(lookup.numCentroids),
      outputs_(lookup.outputs),
      read_(read),
      encoder_(encoding, kernels, lookup, &window),
      table_(kernels, lookup, firstOrder(lookup, read)),
      scale_(lookup.tableScale, lookup.bias, lookup.outputs) {}

ConvPlan LutConv::plan(size_t height, size_t width) const {
  ConvPlan plan{
      WindowPlanes(window_, height, width, channelsPerCodebook_, kTilePositions, !encoder_->readsWholePlanes()), {}};
  plan.readTaps = encoder_->taps(plan);
  return plan;
}

bool LutConv::shuffles(size_t positions) const {
  if (numCentroids_ > kBlockCentroids || read_ == Read::kGather) return false;
  return read_ == Read::kShuffle || positions > kernels_.gatherUpTo(numCodebooks_, outputs_);
}

template <class Encode>
void LutConv::encodeStrips(const ConvPlan& plan, const Tile& tile, const TileCodes& to, Scratch& scratch,
                           const Encode& encode) const {
  const size_t width = plan.outputWidth();
  const bool compact = plan.pitch() == width;
  uint8_t* codes = to.codes;
  for (size_t c = to.first; c < to.first + to.count; c++, codes += to.stride) {
    uint8_t* strip = compact ? codes : scratch.strip.reserve(plan.positions(tile.rows) + kPiece);
    encode(c, strip);
    for (size_t r = 0; !compact && r < tile.rows; r++)
      for (size_t n = 0; n < width; n += kPiece)
        std::memcpy(codes + r * width + n, strip + r * plan.pitch() + n, kPiece);
  }
}

void LutConv::encodeTile(const Encoder& encoder, const ptrdiff_t* taps, const ConvPlan& plan, const Tile& tile,
                         const TileCodes& to, Scratch& scratch) const {
  if (const IntegerEncoder* integer = encoder.asInteger())
    return encodeIntegerTile(*integer, taps, plan, tile, to, scratch);
  const size_t channelFloats = plan.height() * plan.width();
  float* copy = nullptr;
  if (!plan.direct()) {
    const size_t floats = plan.channelElements() * channelsPerCodebook_;
    copy = scratch.planes.reserve(floats);
    if (encoder.readsWholePlanes() || plan.padded()) std::memset(copy, 0, floats * sizeof(float));
  }
  encodeStrips(plan, tile, to, scratch, [&](size_t c, uint8_t* strip) {
    const float* channel = tile.image.x + c * channelsPerCodebook_ * channelFloats;
    for (size_t i = 0; copy && i < channelsPerCodebook_; i++)
      plan.fill(kernels_, channel + i * channelFloats, tile.firstRow, tile.rows, copy + i * plan.channelElements());
    encoder.encodePositions(c,
                            {.channels = copy ? copy : channel + tile.firstRow * plan.width(),
                             .channelFloats = plan.channelElements(),
                             .numChannels = channelsPerCodebook_,
                             .taps = taps,
                             .positions = plan.positions(tile.rows)},
                            strip, scratch);
  });
}

void LutConv::encodeIntegerTile(const IntegerEncoder& encoder, const ptrdiff_t* taps, const ConvPlan& plan,
                                const Tile& tile, const TileCodes& to, Scratch& scratch) const {
  const size_t channelElements = plan.height() * plan.width(), planeElements = plan.channelElements();
  const WindowPlanes::Rows rows = plan.inputRows(tile.firstRow, tile.rows);
  const size_t first = rows.first * plan.width(), count = (rows.end - rows.first) * plan.width();
  uint8_t* quantized = tile.image.areBytes ? nullptr : scratch.image.reserve(channelElements);
  uint8_t* planes = scratch.bytes.reserve(planeElements * channelsPerCodebook_ + kBytesBehind);
  std::memset(planes, encoder.zeroPoint(), planeElements * channelsPerCodebook_ + kBytesBehind);
  encodeStrips(plan, tile, to, scratch, [&](size_t c, uint8_t* strip) {
    for (size_t i = 0; i < channelsPerCodebook_; i++) {
      const LayerInput channel = tile.image.from((c * channelsPerCodebook_ + i) * channelElements);
      if (quantized) encoder.quantize(channel.x + first, count, quantized + first);
      plan.fill<uint8_t>(kernels_, quantized ? quantized : channel.bytes, tile.firstRow, tile.rows,
                         planes + i * planeElements);
    }
    encoder.encodeBytes(c,
                        {.channels = planes,
                         .channelElements = planeElements,
                         .numChannels = channelsPerCodebook_,
                         .taps = taps,
                         .positions = plan.positions(tile.rows)},
                        strip, scratch);
  });
}

void LutConv::lookupGathered(const uint8_t* codes, size_t stride, size_t positions, size_t m, size_t count,
                             const Output& out, Scratch& scratch) const {
  const GatherTable block = table_.gather().blocks(m, count);
  uint8_t* rows = scratch.rows.reserve(kLookupPositions * block.numCodebooks);
  int32_t* sums = scratch.sums.reserve(kLookupPositions * kGatherOutputs);
  transpose(codes, stride, block.numCodebooks, positions, rows, block.numCodebooks);
  kernels_.lookupGather(block, rows, positions, sumsOutput(sums, count));
  kernels_.finishTransposed(sums, positions, count, out);
}

void LutConv::run(const ConvPlan& plan, LayerInput x, size_t batch, float* y, const Epilogue& epilogue,
                  Workspace& workspace, Executor& executor) const {
  const size_t width = plan.outputWidth(), plane = plan.outputHeight() * width;
  const size_t numCodebooks = numCodebooks_, stride = codeStrideFor(plan.tileRows() * width);
  const bool shuffle = shuffles(plane);
  const size_t group = shuffle ? kernels_.groupCodebooks : 1;
  const Output out = scale_.output(y, plane, epilogue);
  const size_t imageCodes = roundUp(numCodebooks, group) * stride;
  const bool isOneTile = plan.tileRows() >= plan.outputHeight();
  const size_t together =
      isOneTile ? std::clamp<size_t>(kCodesTogether / imageCodes, 1, std::max<size_t>(batch, 1)) : 1;
  const size_t books = roundUp(numCodebooks, kTaskCodebooks) / kTaskCodebooks;
  const size_t blocks = roundUp(outputs_, kTaskOutputs) / kTaskOutputs;
  workspace.prepare(executor.slots());
  uint8_t* codes = workspace.codes.reserve(together * imageCodes);
  PhaseTimer timer(workspace);
  const auto runTiles = [&](size_t firstImage, size_t images, size_t firstRow, size_t rows) {
    const size_t positions = rows * width;
    executor.forEach(images * books, [&](size_t task, size_t slot) {
      const size_t image = task / books, first = task % books * kTaskCodebooks;
      const size_t count = std::min(kTaskCodebooks, numCodebooks - first);
      const Tile tile{x.from((firstImage + image) * imageElements(plan)), firstRow, rows};
      uint8_t* to = codes + image * imageCodes + first * stride;
      Scratch& scratch = workspace.scratch[slot];
      const ptrdiff_t* taps = plan.readTaps.data();
      if (group == 1) return encodeTile(*encoder_, taps, plan, tile, {first, count, to, stride}, scratch);
      uint8_t* ungrouped = scratch.rows.reserve(kTaskCodebooks * stride);
      encodeTile(*encoder_, taps, plan, tile, {first, count, ungrouped, stride}, scratch);
      kernels_.groupCodes(ungrouped, stride, count, positions, to);
    });
    timer.encoded();
    const size_t chunks = roundUp(positions, kLookupPositions) / kLookupPositions;
    executor.forEach(images * blocks * chunks, [&](size_t task, size_t slot) {
      // Of one image its codes are looked up in all blocks, of several a block of all their codes.
      const size_t block = images == 1 ? task % blocks : task / (images * chunks);
      const size_t place = images == 1 ? task / blocks : task % (images * chunks), image = place / chunks;
      const size_t m = block * kTaskOutputs, count = std::min(kTaskOutputs, outputs_ - m);
      const size_t n = place % chunks * kLookupPositions, some = std::min(kLookupPositions, positions - n);
      Scratch& scratch = workspace.scratch[slot];
      const uint8_t* chunk = codes + image * imageCodes + n * group;
      const auto lookup = [&](const Output& part) {
        if (!shuffle) return lookupGathered(chunk, stride, some, m, count, part, scratch);
        kernels_.lookupShuffle(table_.shuffle().panels(m, count, group), chunk, stride * group, some, part);
      };
      const Output part = partOf(out, ((firstImage + image) * outputs_ + m) * plane + firstRow * width + n, m);
      if (!epilogue.byPieces()) return lookup(part);
      computePiece(kernels_, part, epilogue, {count, some}, scratch, lookup);
    });
    timer.lookedUp();
  };
  for (size_t image = 0; image < batch; image += together)
    forEachTile(plan, [&](size_t row, size_t rows) { runTiles(image, std::min(together, batch - image), row, rows); });
}

void LutConv::encodeBatch(const Encoder& encoder, const ptrdiff_t* taps, const ConvPlan& plan, LayerInput x,
                          size_t batch, uint8_t* codes, Workspace& workspace) const {
  const size_t width = plan.outputWidth();
  workspace.prepare(1);
  uint8_t* row = workspace.codes.reserve(codeStrideFor(plan.tileRows() * width));
  for (size_t image = 0; image < batch; image++)
    forEachTile(plan, [&](size_t firstRow, size_t rows) {
      const Tile tile{x.from(image * imageElements(plan)), firstRow, rows};
      const size_t positions = rows * width;
      for (size_t c = 0; c < numCodebooks_; c++) {
        encodeTile(encoder, taps, plan, tile, {c, 1, row, 0}, workspace.scratch[0]);
        for (size_t n = 0; n < positions; n++) codes[n * numCodebooks_ + c] = row[n];
      }
      codes += positions * numCodebooks_;
    });
}

void LutConv::encode(const ConvPlan& plan, LayerInput x, size_t batch, uint8_t* codes, Workspace& workspace) const {
  encodeBatch(*encoder_, plan.readTaps.data(), plan, x, batch, codes, workspace);
}

void LutConv::encodeExactly(const ConvPlan& plan, const float* x, size_t batch, uint8_t* codes,
                            Workspace& workspace) const {
  encodeBatch(encoder_.exact(), plan.taps().data(), plan, x, batch, codes, workspace);
}

void LutConv::lookup(const uint8_t* codes, size_t positions, int32_t* sums, Workspace& workspace) const {
  const size_t numCodebooks = numCodebooks_;
  if (!shuffles(positions)) return kernels_.lookupGather(table_.gather(), codes, positions, sumsOutput(sums, outputs_));
  const size_t group = kernels_.groupCodebooks, stride = kLookupPositions;
  workspace.prepare(1);
  uint8_t* grouped = workspace.codes.reserve(roundUp(numCodebooks, group) * stride);
  uint8_t* rows = workspace.scratch[0].rows.reserve(numCodebooks * stride);
  int32_t* tileSums = workspace.scratch[0].sums.reserve(outputs_ * stride);
  for (size_t n = 0; n < positions; n += stride) {
    const size_t count = std::min(stride, positions - n);
    transpose(codes + n * numCodebooks, numCodebooks, count, numCodebooks, group > 1 ? rows : grouped, stride);
    for (size_t c = 0; group > 1 && c < numCodebooks; c += group)
      kernels_.groupCodes(rows + c * stride, stride, std::min(group, numCodebooks - c), count, grouped + c * stride);
    kernels_.lookupShuffle(table_.shuffle(), grouped, stride * group, count, sumsOutput(tileSums, stride));
    transpose(tileSums, stride, outputs_, count, sums + n * outputs_, outputs_);
  }
}

}  // namespace lutnn
