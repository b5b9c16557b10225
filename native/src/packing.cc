#include "packing.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace lutnn {

constexpr float kNoFloor = -std::numeric_limits<float>::infinity();

void PackedCodebooks::pack(const float* centroids, size_t numCodebooks, size_t numCentroids, size_t subvectorLength) {
  const size_t numBlocks = roundUp(numCentroids, kBlockCentroids) / kBlockCentroids, length = subvectorLength;
  float* value = values_.reserve(numCodebooks * numBlocks * length * kBlockCentroids);
  float* halfNorm = halfNorms_.reserve(numCodebooks * numBlocks * kBlockCentroids);
  view_ = {numCodebooks, numBlocks, length, value, halfNorm};
  for (size_t c = 0; c < numCodebooks; c++)
    for (size_t b = 0; b < numBlocks; b++, value += length * kBlockCentroids)
      for (size_t i = 0; i < kBlockCentroids; i++) {
        const size_t k = b * kBlockCentroids + i;
        const float* centroid = centroids + (c * numCentroids + (k < numCentroids ? k : 0)) * length;
        double norm = 0;
        for (size_t v = 0; v < length; v++) {
          value[v * kBlockCentroids + i] = centroid[v];
          norm += static_cast<double>(centroid[v]) * centroid[v];
        }
        *halfNorm++ = static_cast<float>(-0.5 * norm);
      }
}

static uint8_t biased(int8_t entry, uint8_t bias) { return static_cast<uint8_t>(static_cast<uint8_t>(entry) + bias); }

PackedShuffleTable::PackedShuffleTable(const Lookup& lookup, const Microkernels& kernels)
    : entries_(roundUp(lookup.outputs, kPanelOutputs) * roundUp(lookup.numCodebooks, kernels.groupCodebooks) * 16),
      view_{lookup.numCodebooks, lookup.outputs, entries_.data()} {
  std::memset(entries_.data(), 0, entries_.bytes());
  const size_t group = kernels.groupCodebooks, numGroups = roundUp(lookup.numCodebooks, group) / group;
  const int8_t* entry = lookup.lookupTable;
  for (size_t c = 0; c < lookup.numCodebooks; c++)
    for (size_t k = 0; k < lookup.numCentroids; k++)
      for (size_t m = 0; m < lookup.outputs; m++) {
        const size_t panel = m / kPanelOutputs * numGroups + c / group;
        const size_t row = (panel * kPanelOutputs + m % kPanelOutputs) * group + c % group;
        entries_.data()[row * 16 + k] = biased(*entry++, kernels.shuffleBias);
      }
}

/// Place of output i within a row of 64.
static size_t gatherPlace(size_t i, size_t span) {
  if (span == 0) return i;
  const size_t half = span / 2, within = i % span;
  return i - within + within % half * 2 + within / half;
}

PackedGatherTable::PackedGatherTable(const Lookup& lookup, const Microkernels& kernels)
    : entries_(roundUp(lookup.outputs, kGatherOutputs) * lookup.numCodebooks * lookup.numCentroids),
      view_{lookup.numCodebooks, lookup.numCentroids, lookup.outputs, entries_.data()} {
  std::memset(entries_.data(), 0, entries_.bytes());
  const size_t rows = lookup.numCodebooks * lookup.numCentroids;
  for (size_t m = 0; m < lookup.outputs; m += kGatherOutputs)
    for (size_t row = 0; row < rows; row++) {
      const int8_t* from = lookup.lookupTable + row * lookup.outputs + m;
      uint8_t* to = entries_.data() + m * rows + row * kGatherOutputs;
      const size_t count = std::min(kGatherOutputs, lookup.outputs - m);
      for (size_t i = 0; i < count; i++) to[gatherPlace(i, kernels.gatherSpan)] = biased(from[i], kernels.gatherBias);
    }
}

PackedScale::PackedScale(const Lookup& lookup)
    : scale_(roundUp(lookup.outputs, kGatherOutputs)), bias_(roundUp(lookup.outputs, kGatherOutputs)) {
  std::memset(scale_.data(), 0, scale_.bytes());
  std::memset(bias_.data(), 0, bias_.bytes());
  std::copy_n(lookup.tableScale, lookup.outputs, scale_.data());
  std::copy_n(lookup.bias, lookup.outputs, bias_.data());
}

Output PackedScale::output(float* y, size_t stride) const {
  return {nullptr, y, nullptr, stride, kNoFloor, scale_.data(), bias_.data()};
}

Output sumsOutput(int32_t* sums, size_t stride) { return {sums, nullptr, nullptr, stride, false, nullptr, nullptr}; }

}  // namespace lutnn
