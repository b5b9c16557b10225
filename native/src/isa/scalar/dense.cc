// Plain loops of the definitions of MicrokernelsDense: the reference of every other file, and what runs where no other file
// does.
#include <cstring>

#include "isa/microkernels.h"

namespace lutnn {
namespace {

/// The sum of output m over quads that are 4 bytes at quad(q).
template <class Quad>
int32_t sumOf(const DenseWeights& w, size_t m, Quad quad) {
  const int8_t* weights = w.weights + m / kDenseOutputs * w.numQuads * kDenseOutputs * 4 + m % kDenseOutputs * 4;
  int32_t sum = w.starts[m];
  for (size_t q = 0; q < w.numQuads; q++)
    for (size_t b = 0; b < 4; b++) sum += quad(q)[b] * weights[q * kDenseOutputs * 4 + b];
  return sum;
}

void multiplyRows(const DenseWeights& w, const uint8_t* x, size_t rowStride, size_t rows, const Output& out) {
  for (size_t n = 0; n < rows; n++)
    for (size_t m = 0; m < w.outputs; m++)
      finish(out, n * out.stride + m, m, sumOf(w, m, [&](size_t q) { return x + n * rowStride + 4 * q; }));
}

void gatherColumns(const ColumnBlock& block) {
  for (size_t q = 0; q < block.numQuads; q++) {
    uint8_t* to = block.columns + q * block.stride * 4;
    for (size_t r = 0; r < block.numRuns; r++) {
      const auto [from, count] = block.runs[r];
      std::memcpy(to, block.quads + (block.taps[q] + static_cast<ptrdiff_t>(from)) * 4, count * 4);
      to += count * 4;
    }
  }
}

void multiplyColumns(const DenseWeights& w, const uint8_t* quads, size_t stride, size_t positions, const Output& out) {
  for (size_t m = 0; m < w.outputs; m++)
    for (size_t n = 0; n < positions; n++)
      finish(out, m * out.stride + n, m, sumOf(w, m, [&](size_t q) { return quads + 4 * (q * stride + n); }));
}

}  // namespace

const MicrokernelsDense kScalarMicrokernelsDense = {
    .isSigned = false,
    .makesBytes = false,
    .rowQuads = 1,
    .columnQuads = 1,
    .multiplyRows = multiplyRows,
    .gatherColumns = gatherColumns,
    .multiplyColumns = multiplyColumns,
};

}  // namespace lutnn
