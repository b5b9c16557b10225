#include "core/dense_conv.h"

#include <algorithm>
#include <cstring>

#include "core/encode_bytes.h"
#include "core/pieces.h"

namespace lutnn {

/// Quads of a tile's channels stay in the second-level cache; a tile has so many positions.
constexpr size_t kTileBytes = size_t{1} << 19, kLeastTilePositions = 256, kMostTilePositions = 8192;
/// Columns of a block are cached; a block has so many positions, multiples of every instruction set's strips.
constexpr size_t kBlockBytes = size_t{3} << 15, kLeastBlockPositions = 96, kMostBlockPositions = 192;
/// Outputs for which a task gathers columns, and multiplies them at a time.
constexpr size_t kTaskOutputs = 256, kProductOutputs = 64;

static size_t tilePositions(const Window& window) {
  return std::clamp(kTileBytes / window.inputChannels, kLeastTilePositions, kMostTilePositions);
}

static size_t blockPositions(size_t numQuads) {
  const size_t fitting = kBlockBytes / (numQuads * 4) / kLeastBlockPositions * kLeastBlockPositions;
  return std::clamp(fitting, kLeastBlockPositions, kMostBlockPositions);
}

DenseConv::DenseConv(const Microkernels& kernels, const Dense& dense, const Window& window)
    : kernels_(kernels),
      window_(window),
      outputs_(dense.outputs),
      isPointwise_(window.filterHeight == 1 && window.filterWidth == 1 && window.strideHeight == 1 &&
                   window.strideWidth == 1 && window.inputChannels > 1 &&
                   window.padTop + window.padLeft + window.padBottom + window.padRight == 0),
      inputScale_(dense.inputScale),
      inputZeroPoint_(dense.inputZeroPoint),
      quads_(window, window.inputChannels),
      weights_(*kernels.dense, dense, PackedWeights::Of::kColumns, quads_.quads),
      scale_(dense.scale, dense.bias, dense.outputs) {}

ConvPlan DenseConv::plan(size_t height, size_t width) const {
  ConvPlan plan{WindowPlanes(window_, height, width, window_.inputChannels, tilePositions(window_), false), {}};
  plan.readTaps = quads_.taps(plan);
  return plan;
}

size_t DenseConv::quadsOfTile(const ConvPlan& plan) const {
  const size_t channels = window_.inputChannels, planes = quads_.byChannels ? roundUp(channels, 4) / 4 : channels;
  return planes * plan.channelElements() + kCopiedQuads;
}

void DenseConv::quadsOf(const ConvPlan& plan, const Tile& tile, size_t first, uint8_t* quads,
                        Workspace::Scratch& scratch) const {
  const size_t channelElements = plan.height() * plan.width(), planeElements = plan.channelElements();
  const size_t count = std::min<size_t>(4, window_.inputChannels - first);
  const WindowPlanes::Rows rows = plan.inputRows(tile.firstRow, tile.rows);
  const size_t start = rows.first * plan.width(), some = (rows.end - rows.first) * plan.width();
  uint8_t* quantized = tile.image.areBytes ? nullptr : scratch.image.reserve(channelElements);
  uint8_t* planes = scratch.bytes.reserve(4 * planeElements + kBytesBehind);
  std::memset(planes, inputZeroPoint_, 4 * planeElements + kBytesBehind);
  for (size_t i = 0; i < count; i++) {
    const LayerInput channel = tile.image.from((first + i) * channelElements);
    if (quantized) kernels_.int8->quantizeBy(channel.x + start, some, inputScale_, inputZeroPoint_, quantized + start);
    plan.fill<uint8_t>(kernels_, quantized ? quantized : channel.bytes, tile.firstRow, tile.rows,
                       planes + i * planeElements);
  }
  if (quads_.byChannels)
    kernels_.int8->interleave(planes, planeElements, count, planeElements, quads + first * planeElements);
  else kernels_.int8->spread(planes, count * planeElements, quads + first * planeElements * 4);
}

void DenseConv::gather(const ConvPlan& plan, const uint8_t* quads, size_t n, size_t count, uint8_t* columns,
                       size_t stride) const {
  const size_t width = plan.outputWidth(), end = n + count;
  ColumnBlock::Run runs[kMostBlockPositions];
  size_t numRuns = 0;
  for (size_t at = n; at < end; at += runs[numRuns++].count) {
    const size_t column = at % width;
    runs[numRuns] = {at / width * plan.pitch() + column, std::min(width - column, end - at)};
  }
  kernels_.dense->gatherColumns({.quads = quads,
                                 .taps = plan.readTaps.data(),
                                 .numQuads = plan.readTaps.size(),
                                 .runs = runs,
                                 .numRuns = numRuns,
                                 .columns = columns,
                                 .stride = stride});
}

void DenseConv::interleave(const ConvPlan& plan, const Tile& tile, size_t n, size_t count, uint8_t* columns,
                           size_t stride) const {
  const size_t channels = window_.inputChannels, plane = plan.height() * plan.width();
  const uint8_t* from = tile.image.bytes + tile.firstRow * plan.width() + n;
  for (size_t first = 0; first < channels; first += 4)
    kernels_.int8->interleave(from + first * plane, plane, std::min<size_t>(4, channels - first), count,
                              columns + first * stride);
}

void DenseConv::run(const ConvPlan& plan, LayerInput x, size_t batch, float* y, const Epilogue& epilogue,
                    Workspace& workspace, Executor& executor) const {
  const size_t width = plan.outputWidth(), plane = plan.outputHeight() * width, channels = window_.inputChannels;
  const size_t imageElements = channels * plan.height() * plan.width(), numQuads = weights_.numQuads();
  const size_t most = blockPositions(numQuads), groups = roundUp(outputs_, kTaskOutputs) / kTaskOutputs;
  const Output out = scale_.output(y, plane, epilogue);
  const bool alongTheWay = !epilogue.gelu && (kernels_.dense->makesBytes || !epilogue.byPieces());
  workspace.prepare(executor.slots());
  const bool atOnce = isPointwise_ && x.areBytes;
  uint8_t* quads = atOnce ? nullptr : workspace.codes.reserve(quadsOfTile(plan) * 4);
  PhaseTimer timer(workspace);
  for (size_t image = 0; image < batch; image++)
    for (size_t row = 0; row < plan.outputHeight(); row += plan.tileRows()) {
      const Tile tile{x.from(image * imageElements), row, std::min(plan.tileRows(), plan.outputHeight() - row)};
      const size_t positions = tile.rows * width, first = image * outputs_ * plane + row * width;
      if (!atOnce)
        executor.forEach(roundUp(channels, 4) / 4, channels * plan.channelElements(), [&](size_t task, size_t slot) {
          quadsOf(plan, tile, task * 4, quads, workspace.scratch[slot]);
        });
      timer.encoded();
      const size_t blocks = roundUp(positions, most) / most;
      executor.forEach(blocks * groups, positions * outputs_ * numQuads * 4, [&](size_t task, size_t slot) {
        Workspace::Scratch& scratch = workspace.scratch[slot];
        const size_t n = task / groups * most, some = std::min(most, positions - n);
        const size_t stride = roundUp(some, kDensePositions);
        uint8_t* columns = scratch.quads.reserve((numQuads * stride + kCopiedQuads) * 4);
        if (atOnce) interleave(plan, tile, n, some, columns, stride);
        else gather(plan, quads, n, some, columns, stride);
        const size_t from = task % groups * kTaskOutputs, end = std::min(outputs_, from + kTaskOutputs);
        for (size_t m = from; m < end; m += kProductOutputs) {
          const size_t count = std::min(kProductOutputs, end - m), at = first + m * plane + n;
          const auto multiply = [&](const Output& part) {
            kernels_.dense->multiplyColumns(weights_.part(m, count), columns, stride, some, part);
          };
          const Output part = partOf(out, at, m);
          if (alongTheWay) multiply(part);
          else computePiece(kernels_, part, epilogue, {count, some}, scratch, multiply);
        }
      });
      timer.lookedUp();
    }
}

}  // namespace lutnn
