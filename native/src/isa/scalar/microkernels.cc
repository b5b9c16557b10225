// Plain loops that read like the definitions in microkernels.h: the reference of every other file, and what runs
// where no other file does.
#include <cmath>

#include "isa/generic/attention.h"
#include "isa/generic/encode_tree.h"
#include "isa/generic/gelu.h"
#include "isa/generic/layer_norm.h"
#include "isa/generic/table_sums.h"
#include "isa/microkernels.h"

namespace lutnn {
namespace {

/// Code of the sub-vector with elements x[at(v)].
template <class At>
uint8_t nearest(const Codebooks& books, size_t codebook, const float* x, At at) {
  const size_t length = books.subvectorLength;
  int32_t bestKey = INT32_MIN;
  size_t best = 0;
  for (size_t k = 0; k < books.numBlocks * kBlockCentroids; k++) {
    const size_t block = codebook * books.numBlocks + k / kBlockCentroids;
    const float* centroid = books.centroids + block * length * kBlockCentroids + k % kBlockCentroids;
    float score = books.halfNorms[block * kBlockCentroids + k % kBlockCentroids];
    for (size_t v = 0; v < length; v++) score = std::fmaf(x[at(v)], centroid[v * kBlockCentroids], score);
    if (key(score) > bestKey) {
      bestKey = key(score);
      best = k;
    }
  }
  return static_cast<uint8_t>(best);
}

void copyEverySecond(const EverySecond& copy) {
  for (size_t r = 0; r < copy.rows; r++)
    for (size_t n = 0; n < copy.count; n++) copy.y[r * copy.yStride + n] = copy.x[r * copy.xStride + 2 * n];
}

void encodeRows(const Codebooks& books, const float* x, size_t rowStride, size_t rows, uint8_t* codes) {
  for (size_t n = 0; n < rows; n++)
    for (size_t c = 0; c < books.numCodebooks; c++) {
      const size_t start = n * rowStride + c * books.subvectorLength;
      codes[n * books.numCodebooks + c] = nearest(books, c, x, [&](size_t v) { return start + v; });
    }
}

void encodePositions(const Codebooks& books, size_t codebook, const float* x, const ptrdiff_t* taps, size_t positions,
                     uint8_t* codes) {
  for (size_t n = 0; n < positions; n++)
    codes[n] = nearest(books, codebook, x, [&](size_t v) { return taps[v] + static_cast<ptrdiff_t>(n); });
}

void encodePositionsTree(const Trees& trees, size_t codebook, const float* x, const ptrdiff_t* taps, size_t positions,
                         uint8_t* codes) {
  for (size_t n = 0; n < positions; n++) codes[n] = leafOf(trees, codebook, x + n, [&](size_t v) { return taps[v]; });
}

void lookupShuffle(const ShuffleTable& table, const uint8_t* codes, size_t codeStride, size_t positions,
                   const Output& out) {
  const size_t panelBytes = table.numCodebooks * kPanelOutputs * 16;
  for (size_t m = 0; m < table.outputs; m++) {
    const uint8_t* entries = table.entries + m / kPanelOutputs * panelBytes + m % kPanelOutputs * 16;
    for (size_t n = 0; n < positions; n++) {
      int32_t sum = 0;
      for (size_t c = 0; c < table.numCodebooks; c++)
        sum += static_cast<int8_t>(entries[c * kPanelOutputs * 16 + codes[c * codeStride + n]]);
      finish(out, m * out.stride + n, m, sum);
    }
  }
}

void lookupGather(const GatherTable& table, const uint8_t* codes, size_t rows, const Output& out) {
  const size_t rowBytes = kGatherOutputs, bookBytes = table.numCentroids * rowBytes;
  for (size_t n = 0; n < rows; n++)
    for (size_t m = 0; m < table.outputs; m++) {
      const uint8_t* entries = table.entries + m / kGatherOutputs * table.numCodebooks * bookBytes + m % kGatherOutputs;
      int32_t sum = 0;
      for (size_t c = 0; c < table.numCodebooks; c++)
        sum += static_cast<int8_t>(entries[c * bookBytes + codes[n * table.numCodebooks + c] * rowBytes]);
      finish(out, n * out.stride + m, m, sum);
    }
}

void finishTransposed(const int32_t* sums, size_t positions, size_t outputs, const Output& out) {
  for (size_t m = 0; m < outputs; m++)
    for (size_t n = 0; n < positions; n++) finish(out, m * out.stride + n, m, sums[n * outputs + m]);
}

/// What gelu.h asks for, of one lane.
struct OneFloat : OneLane {
  static float set(float x) { return x; }
  static float subtract(float a, float b) { return a - b; }
  static float multiply(float a, float b) { return a * b; }
  static float fma(float a, float b, float c) { return std::fmaf(a, b, c); }
  static float absolute(float x) { return std::fabs(x); }
  static float smaller(float a, float b) { return a < b ? a : b; }
  static float addToExponent(float p, float n) {
    uint32_t bits, whole;
    std::memcpy(&bits, &p, sizeof bits);
    std::memcpy(&whole, &n, sizeof whole);
    bits += whole << 23;
    std::memcpy(&p, &bits, sizeof bits);
    return p;
  }
  static void storeLowBytes(uint8_t* p, float v) {
    uint32_t bits;
    std::memcpy(&bits, &v, sizeof bits);
    *p = static_cast<uint8_t>(bits);
  }
};

}  // namespace

const Microkernels kScalarMicrokernels = {
    .isa = "scalar",
    .shuffleUnsigned = false,
    .gatherUnsigned = false,
    .gatherSpan = 0,
    .groupCodebooks = 1,
    .copyEverySecond = copyEverySecond,
    .encodeRows = encodeRows,
    .encodePositions = encodePositions,
    .encodeRowsTree = encodeRowsTree,
    .encodePositionsTree = encodePositionsTree,
    .groupCodes = nullptr,
    .lookupShuffle = lookupShuffle,
    .lookupGather = lookupGather,
    .finishTransposed = finishTransposed,
    .gelu = GeluOf<OneFloat>::gelu,
    .attend = AttentionOf<OneFloat>::attend,
    .byteShares = AttentionOf<OneFloat>::byteShares,
    .layerNorm = LayerNormOf<OneFloat>::layerNorm,
    .lookupAdd = TableSumsOf<OneLane>::lookupAdd,
    .scatterAdd = TableSumsOf<OneLane>::scatterAdd,
    .int8 = &kScalarMicrokernelsInt8,
    .dense = &kScalarMicrokernelsDense,
    .gatherLimits = {{{0, 0}, {0, 0}, {0, 0}, {0, 0}}},
};

}  // namespace lutnn
