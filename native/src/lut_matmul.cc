#include "lut_matmul.h"

#include <algorithm>

namespace lutnn {

/// Rows encoded before they are looked up: many, so that a block of the table serves all of them while it is cached.
constexpr size_t kTileRows = 256;

LutMatMul::LutMatMul(const Microkernels& kernels, const Lookup& lookup)
    : kernels_(kernels),
      outputs_(lookup.outputs),
      table_(kernels, lookup, PackedTable::Order::kGather),
      scale_(lookup) {
  codebooks_.pack(lookup.centroids, lookup.numCodebooks, lookup.numCentroids, lookup.subvectorLength);
}

void LutMatMul::run(const float* x, size_t rows, float* y, Workspace& workspace) const {
  const Codebooks& books = codebooks_.view();
  const size_t length = books.numCodebooks * books.subvectorLength;
  uint8_t* codes = workspace.codes.reserve(kTileRows * books.numCodebooks);
  for (size_t n = 0; n < rows; n += kTileRows) {
    const size_t count = std::min(kTileRows, rows - n);
    kernels_.encodeRows(books, x + n * length, length, count, codes);
    kernels_.lookupGather(table_.gather(), codes, count, scale_.output(y + n * outputs_, outputs_));
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
