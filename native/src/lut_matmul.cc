#include "lut_matmul.h"

#include <algorithm>

namespace lutnn {

/// Rows encoded before they are looked up: many, so that a block of the table serves all of them while it is cached.
constexpr size_t kTileRows = 256;
/// Rows that a task encodes, and outputs that a task looks up for all rows of a tile.
constexpr size_t kTaskRows = 32;
constexpr size_t kTaskOutputs = 4 * kGatherOutputs;

LutMatMul::LutMatMul(const Microkernels& kernels, const Lookup& lookup)
    : kernels_(kernels),
      outputs_(lookup.outputs),
      table_(kernels, lookup, PackedTable::Order::kGather),
      scale_(lookup) {
  codebooks_.pack(lookup.centroids, lookup.numCodebooks, lookup.numCentroids, lookup.subvectorLength);
}

void LutMatMul::run(const float* x, size_t rows, float* y, const Epilogue& epilogue, Workspace& workspace,
                    Executor& executor) const {
  const Codebooks& books = codebooks_.view();
  const size_t length = books.numCodebooks * books.subvectorLength;
  const Output out = scale_.output(y, outputs_, epilogue);
  uint8_t* codes = workspace.codes.reserve(kTileRows * books.numCodebooks);
  for (size_t tile = 0; tile < rows; tile += kTileRows) {
    const size_t count = std::min(kTileRows, rows - tile);
    executor.forEach(roundUp(count, kTaskRows) / kTaskRows, [&](size_t task, size_t) {
      const size_t n = task * kTaskRows;
      kernels_.encodeRows(books, x + (tile + n) * length, length, std::min(kTaskRows, count - n),
                          codes + n * books.numCodebooks);
    });
    executor.forEach(roundUp(outputs_, kTaskOutputs) / kTaskOutputs, [&](size_t task, size_t) {
      const size_t m = task * kTaskOutputs;
      const GatherTable block = table_.gather().blocks(m, std::min(kTaskOutputs, outputs_ - m));
      kernels_.lookupGather(block, codes, count, partOf(out, tile * outputs_ + m, m));
    });
  }
}

void LutMatMul::encode(const float* x, size_t rows, uint8_t* codes) const {
  const Codebooks& books = codebooks_.view();
  kernels_.encodeRows(books, x, books.numCodebooks * books.subvectorLength, rows, codes);
}

void LutMatMul::lookup(const uint8_t* codes, size_t rows, int32_t* sums) const {
  kernels_.lookupGather(table_.gather(), codes, rows, sumsOutput(sums, outputs_));
}

}  // namespace lutnn
