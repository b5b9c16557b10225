// Codes by trees of comparisons, written once: rows in plain code, positions in lanes over a file's own `Simd`, with
//   pick(thresholds, code)       thresholds[code] in every lane, of 8 floats
//   descend(code, x, threshold)  2 · code, or one more where x is greater
//   inverted(code)               all bits
// beside what encode_simd.h lists. Included by one file per instruction set; everything here is local to it.
#pragma once

#include "isa/generic/compiler.h"
#include "isa/microkernels.h"

namespace lutnn {
namespace {

template <class At>
inline uint8_t leafOf(const Trees& trees, size_t codebook, const float* x, At at) {
  const int32_t* dimensions = trees.dimensions + codebook * kTreeLevels;
  const float* thresholds = trees.thresholds + codebook * kTreeLevels * kTreeNodes;
  size_t node = 0;
  for (size_t level = 0; level < kTreeLevels; level++) {
    const float value = x[at(static_cast<size_t>(dimensions[level]))];
    node = 2 * node + (value > thresholds[level * kTreeNodes + node]);
  }
  return static_cast<uint8_t>(node);
}

inline void encodeRowsTree(const Trees& trees, const float* x, size_t rowStride, size_t rows, uint8_t* codes) {
  for (size_t n = 0; n < rows; n++, x += rowStride)
    for (size_t c = 0; c < trees.numCodebooks; c++)
      codes[n * trees.numCodebooks + c] =
          leafOf(trees, c, x + c * trees.subvectorLength, [](size_t v) { return static_cast<ptrdiff_t>(v); });
}

template <class Simd>
inline void encodePositionsTree(const Trees& trees, size_t codebook, const float* x, const ptrdiff_t* taps,
                                size_t positions, uint8_t* codes) {
  const int32_t* dimensions = trees.dimensions + codebook * kTreeLevels;
  const float* thresholds = trees.thresholds + codebook * kTreeLevels * kTreeNodes;
  size_t n = 0;
  for (; n + Simd::kLanes <= positions; n += Simd::kLanes) {
    typename Simd::Int code = Simd::same(0);
    LUTNN_UNROLL(size_t level = 0; level < kTreeLevels; level++)
      code = Simd::descend(code, Simd::load(x + taps[dimensions[level]] + n),
                           Simd::pick(thresholds + level * kTreeNodes, code));
    Simd::storeCodes(codes + n, Simd::inverted(code), Simd::same(0));
  }
  for (; n < positions; n++) codes[n] = leafOf(trees, codebook, x + n, [&](size_t v) { return taps[v]; });
}

}  // namespace
}  // namespace lutnn
