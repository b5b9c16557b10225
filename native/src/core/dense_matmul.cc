#include "core/dense_matmul.h"

#include <algorithm>
#include <cstring>

#include "core/pieces.h"

namespace lutnn {

/// Rows that are multiplied by a task's weights while these are cached, and brought into bytes before.
constexpr size_t kTileRows = 256;
/// Rows that a task brings into bytes; rows and outputs that a task multiplies, of which a piece is cached.
constexpr size_t kTaskRows = 32, kProductRows = 64, kProductOutputs = 64;

DenseMatMul::DenseMatMul(const Microkernels& kernels, const Dense& dense)
    : kernels_(kernels),
      inputs_(dense.inputs),
      outputs_(dense.outputs),
      inputScale_(dense.inputScale),
      inputZeroPoint_(dense.inputZeroPoint),
      weights_(*kernels.dense, dense, PackedWeights::Of::kRows, rowQuads(dense.inputs)),
      scale_(dense.scale, dense.bias, dense.outputs) {}

DenseMatMul::Rows DenseMatMul::rowsOf(LayerInput x, size_t rows, Workspace& workspace, Executor& executor) const {
  const size_t stride = weights_.numQuads() * 4;
  if (x.areBytes && stride == inputs_) return {x.bytes, stride};
  uint8_t* bytes = workspace.codes.reserve(kTileRows * stride);
  executor.forEach(roundUp(rows, kTaskRows) / kTaskRows, rows * stride, [&](size_t task, size_t) {
    const size_t end = std::min(rows, (task + 1) * kTaskRows);
    for (size_t n = task * kTaskRows; n < end; n++) {
      uint8_t* row = bytes + n * stride;
      if (x.areBytes) std::memcpy(row, x.bytes + n * inputs_, inputs_);
      else kernels_.int8->quantizeBy(x.x + n * inputs_, inputs_, inputScale_, inputZeroPoint_, row);
      std::memset(row + inputs_, 0, stride - inputs_);
    }
  });
  return {bytes, stride};
}

void DenseMatMul::run(LayerInput x, size_t rows, float* y, const Epilogue& epilogue, Workspace& workspace,
                      Executor& executor) const {
  const Output out = scale_.output(y, outputs_, epilogue);
  const bool alongTheWay = !epilogue.gelu && (kernels_.dense->makesBytes || !epilogue.byPieces());
  workspace.prepare(executor.slots());
  PhaseTimer timer(workspace);
  const size_t blocks = roundUp(outputs_, kProductOutputs) / kProductOutputs;
  for (size_t tile = 0; tile < rows; tile += kTileRows) {
    const size_t count = std::min(kTileRows, rows - tile), pieces = roundUp(count, kProductRows) / kProductRows;
    const Rows all = rowsOf(x.from(tile * inputs_), count, workspace, executor);
    timer.encoded();
    executor.forEach(blocks * pieces, count * outputs_ * inputs_, [&](size_t task, size_t slot) {
      const size_t m = task / pieces * kProductOutputs, width = std::min(kProductOutputs, outputs_ - m);
      const size_t n = task % pieces * kProductRows, some = std::min(kProductRows, count - n);
      const size_t at = (tile + n) * outputs_ + m;
      const auto multiply = [&](const Output& part) {
        kernels_.dense->multiplyRows(weights_.part(m, width), all.bytes + n * all.stride, all.stride, some, part);
      };
      const Output part = partOf(out, at, m);
      if (alongTheWay) return multiply(part);
      computePiece(kernels_, part, epilogue, {some, width}, workspace.scratch[slot], multiply);
    });
    timer.lookedUp();
  }
}

}  // namespace lutnn
