#include "core/lut_matmul.h"

#include <algorithm>

#include "core/pieces.h"

namespace lutnn {

/// Rows encoded before they are looked up: many, so that a block of the table serves all of them while it is cached.
constexpr size_t kTileRows = 256;
/// Outputs that a task looks up for all rows of a tile.
constexpr size_t kTaskOutputs = 4 * kGatherOutputs;
/// Rows that are looked up before their results become bytes: those of 64 outputs stay in the first-level cache.
constexpr size_t kPieceRows = 64;

LutMatMul::LutMatMul(const Microkernels& kernels, const Lookup& lookup, Encoding encoding)
    : kernels_(kernels),
      numCodebooks_(lookup.numCodebooks),
      inputs_(lookup.numCodebooks * lookup.subvectorLength),
      outputs_(lookup.outputs),
      table_(kernels, lookup, PackedTable::Order::kGather),
      scale_(lookup.tableScale, lookup.bias, lookup.outputs) {
  if (encoding != Encoding::kCodes) encoder_.emplace(kernels, lookup, encoding);
}

void LutMatMul::lookUpPieces(const TilePart& tile, const Output& out, const Epilogue& epilogue,
                             Workspace::Scratch& scratch) const {
  const size_t end = tile.m + tile.count;
  for (size_t m = tile.m; m < end; m += kGatherOutputs) {
    const size_t width = std::min(kGatherOutputs, end - m);
    for (size_t n = 0; n < tile.rows; n += kPieceRows) {
      const size_t some = std::min(kPieceRows, tile.rows - n), at = (tile.firstRow + n) * outputs_ + m;
      computePiece(kernels_, partOf(out, at, m), epilogue, {some, width}, scratch, [&](const Output& part) {
        const uint8_t* codes = tile.codes + n * numCodebooks_;
        kernels_.lookupGather(table_.gather().blocks(m, width), codes, some, part);
      });
    }
  }
}

void LutMatMul::run(LayerInput x, size_t rows, float* y, const Epilogue& epilogue, Workspace& workspace,
                    Executor& executor) const {
  const Output out = scale_.output(y, outputs_, epilogue);
  workspace.prepare(executor.slots());
  uint8_t* room = encoder_ ? workspace.codes.reserve(kTileRows * numCodebooks_) : nullptr;
  PhaseTimer timer(workspace);
  for (size_t tile = 0; tile < rows; tile += kTileRows) {
    const size_t count = std::min(kTileRows, rows - tile);
    if (encoder_) encoder_->run(x.from(tile * inputs_), count, room, workspace, executor);
    const uint8_t* codes = encoder_ ? room : x.bytes + tile * numCodebooks_;
    timer.encoded();
    executor.forEach(roundUp(outputs_, kTaskOutputs) / kTaskOutputs, [&](size_t task, size_t slot) {
      const size_t m = task * kTaskOutputs, some = std::min(kTaskOutputs, outputs_ - m);
      if (epilogue.byPieces())
        return lookUpPieces({codes, tile, count, m, some}, out, epilogue, workspace.scratch[slot]);
      const GatherTable block = table_.gather().blocks(m, some);
      kernels_.lookupGather(block, codes, count, partOf(out, tile * outputs_ + m, m));
    });
    timer.lookedUp();
  }
}

void LutMatMul::encode(LayerInput x, size_t rows, uint8_t* codes, Workspace& workspace) const {
  SerialExecutor serial;
  encoder_->run(x, rows, codes, workspace, serial);
}

void LutMatMul::encodeExactly(const float* x, size_t rows, uint8_t* codes, Workspace& workspace) const {
  encoder_->runExactly(x, rows, codes, workspace);
}

void LutMatMul::lookup(const uint8_t* codes, size_t rows, int32_t* sums) const {
  kernels_.lookupGather(table_.gather(), codes, rows, sumsOutput(sums, outputs_));
}

}  // namespace lutnn
