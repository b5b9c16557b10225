#include "core/lut_matmul.h"

#include <algorithm>
#include <cstring>

namespace lutnn {

/// Rows encoded before they are looked up: many, so that a block of the table serves all of them while it is cached.
constexpr size_t kTileRows = 256;
/// Rows that a task encodes, and outputs that a task looks up for all rows of a tile.
constexpr size_t kTaskRows = 32;
constexpr size_t kTaskOutputs = 4 * kGatherOutputs;

LutMatMul::LutMatMul(const Microkernels& kernels, const Lookup& lookup, Encoding encoding)
    : kernels_(kernels),
      outputs_(lookup.outputs),
      encoding_(encoding),
      table_(kernels, lookup, PackedTable::Order::kGather),
      scale_(lookup) {
  codebooks_.pack(lookup.centroids, lookup.numCodebooks, lookup.numCentroids, lookup.subvectorLength);
  if (encoding == Encoding::kInt8)
    codebooksInt8_.pack(lookup.centroids, lookup.numCodebooks, lookup.numCentroids, lookup.subvectorLength,
                        rowQuads(lookup.subvectorLength));
  if (encoding == Encoding::kTree) trees_.pack(lookup);
}

void LutMatMul::run(const float* x, size_t rows, float* y, const Epilogue& epilogue, Workspace& workspace,
                    Executor& executor) const {
  const Codebooks& books = codebooks_.view();
  const size_t length = books.numCodebooks * books.subvectorLength;
  const Output out = scale_.output(y, outputs_, epilogue);
  workspace.prepare(executor.slots());
  uint8_t* codes = workspace.codes.reserve(kTileRows * books.numCodebooks);
  PhaseTimer timer(workspace);
  for (size_t tile = 0; tile < rows; tile += kTileRows) {
    const size_t count = std::min(kTileRows, rows - tile);
    executor.forEach(roundUp(count, kTaskRows) / kTaskRows, [&](size_t task, size_t slot) {
      const size_t n = task * kTaskRows;
      encodeRows(encoding_, x + (tile + n) * length, std::min(kTaskRows, count - n), codes + n * books.numCodebooks,
                 workspace.scratch[slot]);
    });
    timer.encoded();
    executor.forEach(roundUp(outputs_, kTaskOutputs) / kTaskOutputs, [&](size_t task, size_t) {
      const size_t m = task * kTaskOutputs;
      const GatherTable block = table_.gather().blocks(m, std::min(kTaskOutputs, outputs_ - m));
      kernels_.lookupGather(block, codes, count, partOf(out, tile * outputs_ + m, m));
    });
    timer.lookedUp();
  }
}

void LutMatMul::encodeRows(Encoding encoding, const float* x, size_t rows, uint8_t* codes,
                           Workspace::Scratch& scratch) const {
  const Codebooks& books = codebooks_.view();
  const size_t length = books.numCodebooks * books.subvectorLength;
  if (encoding == Encoding::kInt8) encodeRowsInt8(x, rows, codes, scratch);
  else if (encoding == Encoding::kTree) kernels_.encodeRowsTree(trees_.view(), x, length, rows, codes);
  else kernels_.encodeRows(books, x, length, rows, codes);
}

void LutMatMul::encodeRowsInt8(const float* x, size_t rows, uint8_t* codes, Workspace::Scratch& scratch) const {
  const CodebooksInt8& books = codebooksInt8_.view();
  const size_t V = codebooks_.view().subvectorLength, length = books.numCodebooks * V;
  const size_t bookBytes = books.numQuads * 4, rowBytes = books.numCodebooks * bookBytes;
  uint8_t* quads = scratch.rows.reserve(kTaskRows * rowBytes);
  uint8_t* row = scratch.strip.reserve(length);
  float scales[kTaskRows];
  const bool whole = V == bookBytes;  // else the rest of a codebook's last quad stays 0
  if (!whole) std::memset(quads, 0, kTaskRows * rowBytes);
  for (size_t n = 0; n < rows; n += kTaskRows) {
    const size_t count = std::min(kTaskRows, rows - n);
    for (size_t r = 0; r < count; r++) {
      const float* from = x + (n + r) * length;
      scales[r] = codebooksInt8_.inputScale(kernels_.int8->largest(from, length));
      kernels_.int8->quantize(from, length, scales[r], whole ? quads + r * rowBytes : row);
      for (size_t c = 0; !whole && c < books.numCodebooks; c++)
        std::memcpy(quads + r * rowBytes + c * bookBytes, row + c * V, V);
    }
    kernels_.int8->encodeRows(books, quads, scales, count, codes + n * books.numCodebooks);
  }
}

void LutMatMul::encodeAs(Encoding encoding, const float* x, size_t rows, uint8_t* codes, Workspace& workspace) const {
  workspace.prepare(1);
  encodeRows(encoding, x, rows, codes, workspace.scratch[0]);
}

void LutMatMul::encode(const float* x, size_t rows, uint8_t* codes, Workspace& workspace) const {
  encodeAs(encoding_, x, rows, codes, workspace);
}

void LutMatMul::lookup(const uint8_t* codes, size_t rows, int32_t* sums) const {
  kernels_.lookupGather(table_.gather(), codes, rows, sumsOutput(sums, outputs_));
}

}  // namespace lutnn
