#include "core/packing.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace lutnn {

constexpr float kNoFloor = -std::numeric_limits<float>::infinity();

/// −norm / 2; of a norm of 0 the positive zero, as a score of −0 would lose to another zero of a higher index.
static float negativeHalf(double norm) { return static_cast<float>(-0.5 * norm) + 0.0f; }

void PackedCodebooks::pack(const float* centroids, size_t numCodebooks, size_t numCentroids, size_t subvectorLength) {
  const size_t numBlocks = roundUp(numCentroids, kBlockCentroids) / kBlockCentroids, length = subvectorLength;
  float* value = values_.reserve(numCodebooks * numBlocks * length * kBlockCentroids);
  float* halfNorm = halfNorms_.reserve(numCodebooks * numBlocks * kBlockCentroids);
  view_ = {.numCodebooks = numCodebooks,
           .numBlocks = numBlocks,
           .subvectorLength = length,
           .centroids = value,
           .halfNorms = halfNorm};
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
        *halfNorm++ = negativeHalf(norm);
      }
}

template <class WeightOf, class HalfNormOf>
void PackedCodebooksInt8::pack(size_t numCodebooks, size_t numCentroids, const std::vector<Quad>& quads,
                               WeightOf weightOf, HalfNormOf halfNormOf) {
  const size_t numBlocks = roundUp(numCentroids, kBlockCentroids) / kBlockCentroids;
  const size_t lanes = numCodebooks * numBlocks * kBlockCentroids;
  int8_t* weights = weights_.reserve(lanes * quads.size() * 4);
  float* halfNorms = halfNorms_.reserve(lanes);
  int32_t* offsets = offsets_.reserve(lanes);
  view_ = {.numCodebooks = numCodebooks,
           .numBlocks = numBlocks,
           .numQuads = quads.size(),
           .weights = weights,
           .halfNorms = halfNorms,
           .offsets = offsets};
  for (size_t c = 0; c < numCodebooks; c++)
    for (size_t b = 0; b < numBlocks; b++)
      for (size_t lane = 0; lane < kBlockCentroids; lane++) {
        const size_t i = b * kBlockCentroids + lane, k = i < numCentroids ? i : 0;
        const size_t row = (c * numBlocks + b) * kBlockCentroids + lane;
        int sum = 0;
        for (size_t q = 0; q < quads.size(); q++)
          for (size_t byte = 0; byte < 4; byte++) {
            const int v = quads[q][byte];
            const int weight = v < 0 ? 0 : weightOf(c, k, static_cast<size_t>(v));
            weights[(((c * numBlocks + b) * quads.size() + q) * kBlockCentroids + lane) * 4 + byte] =
                static_cast<int8_t>(weight);
            sum += weight;
          }
        offsets[row] = -128 * sum;
        halfNorms[row] = halfNormOf(c, k, sum);
      }
}

static int roundedWeight(double value) { return std::isnan(value) ? 0 : static_cast<int>(std::nearbyint(value)); }

void PackedCodebooksInt8::pack(const float* centroids, size_t numCodebooks, size_t numCentroids, size_t subvectorLength,
                               const std::vector<Quad>& quads) {
  const size_t bookFloats = numCentroids * subvectorLength;
  std::vector<double> scales(numCodebooks);
  for (size_t c = 0; c < numCodebooks; c++) {
    float largest = 0;
    for (size_t i = 0; i < bookFloats; i++) largest = std::max(largest, std::fabs(centroids[c * bookFloats + i]));
    largest_ = std::max(largest_, largest);
    scales[c] = largest > 0 ? 127.0 / largest : 0;
  }
  const auto centroid = [&](size_t c, size_t k) { return centroids + c * bookFloats + k * subvectorLength; };
  pack(
      numCodebooks, numCentroids, quads,
      [&](size_t c, size_t k, size_t v) { return roundedWeight(centroid(c, k)[v] * scales[c]); },
      [&](size_t c, size_t k, int) {
        double norm = 0;
        for (size_t v = 0; v < subvectorLength; v++) norm += static_cast<double>(centroid(c, k)[v]) * centroid(c, k)[v];
        return negativeHalf(norm * scales[c]);
      });
}

/// Microkernels take 128 off each input; what is to be taken off is the zero point.
void PackedCodebooksInt8::pack(const IntegerCodes& codes, size_t numCodebooks, size_t numCentroids,
                               size_t subvectorLength, const std::vector<Quad>& quads) {
  pack(
      numCodebooks, numCentroids, quads,
      [&](size_t c, size_t k, size_t v) {
        return static_cast<int>(codes.centroids[(c * numCentroids + k) * subvectorLength + v]);
      },
      [&](size_t c, size_t k, int sum) {
        return static_cast<float>((128 - codes.inputZeroPoint) * sum - codes.halfNorms[c * numCentroids + k]);
      });
}

/// Inputs that are small beside the centroids keep a coarse scale, or half norms would leave no room for products.
float PackedCodebooksInt8::inputScale(float largest) const {
  const float size = std::max(largest, largest_ / 64);
  return size > 0 ? 127 / size : 0;
}

void PackedTrees::pack(const Lookup& lookup) {
  const size_t books = lookup.numCodebooks;
  length_ = lookup.subvectorLength;
  dimensions_.assign(lookup.treeDimensions, lookup.treeDimensions + books * kTreeLevels);
  thresholds_.assign(books * kTreeLevels * kTreeNodes, 0);
  for (size_t c = 0; c < books; c++)
    for (size_t level = 0; level < kTreeLevels; level++) {
      const size_t nodes = size_t{1} << level;
      std::copy_n(lookup.treeThresholds + c * 15 + nodes - 1, nodes,
                  thresholds_.data() + (c * kTreeLevels + level) * kTreeNodes);
    }
}

/// Entries that may be added up as bytes.
static size_t addendsOf(const int8_t* entries, size_t size) {
  int widest = 0;  // of a negative entry's complement, or of an entry
  for (size_t i = 0; i < size; i++) widest = std::max<int>(widest, entries[i] < 0 ? ~entries[i] : entries[i]);
  return widest < 8 ? kAddends4Bit : widest < 64 ? kAddends7Bit : kAddends8Bit;
}

static int biasOf(bool isUnsigned, size_t addends) { return isUnsigned ? 128 / static_cast<int>(addends) : 0; }

PackedTable::PackedTable(const Microkernels& kernels, const Lookup& lookup, Order first)
    : kernels_(kernels),
      numCodebooks_(lookup.numCodebooks),
      numCentroids_(lookup.numCentroids),
      outputs_(lookup.outputs),
      addends_(addendsOf(lookup.lookupTable, numCodebooks_ * numCentroids_ * outputs_)),
      first_(first) {
  const size_t span = kernels.gatherSpan;
  for (size_t i = 0; i < kGatherOutputs; i++)
    placeInRow_[i] =
        static_cast<uint8_t>(span ? i / span * span + i % span % (span / 2) * 2 + i % span / (span / 2) : i);
  const auto entry = [&](size_t c, size_t k, size_t m) {
    return lookup.lookupTable[(c * numCentroids_ + k) * outputs_ + m];
  };
  if (first == Order::kShuffle) packShuffle(entry);
  else packGather(entry);
}

/// (ceil(M / 4), ceil(C / G), 4, G, 16)
size_t PackedTable::shufflePlace(size_t c, size_t m) const {
  const size_t group = kernels_.groupCodebooks, numGroups = roundUp(numCodebooks_, group) / group;
  const size_t panel = m / kPanelOutputs * numGroups + c / group;
  return ((panel * kPanelOutputs + m % kPanelOutputs) * group + c % group) * 16;
}

/// (ceil(M / 64), C, K, 64)
size_t PackedTable::gatherPlace(size_t c, size_t k, size_t m) const {
  const size_t row = (m / kGatherOutputs * numCodebooks_ + c) * numCentroids_ + k;
  return row * kGatherOutputs + placeInRow_[m % kGatherOutputs];
}

template <class Entry>
void PackedTable::packShuffle(Entry entry) const {
  const size_t size = roundUp(outputs_, kPanelOutputs) * roundUp(numCodebooks_, kernels_.groupCodebooks) * 16;
  uint8_t* to = shuffled_.reserve(size);
  const int bias = biasOf(kernels_.shuffleUnsigned, addends_);
  std::memset(to, 0, size);
  for (size_t c = 0; c < numCodebooks_; c++)
    for (size_t m = 0; m < outputs_; m++) {
      uint8_t* entries = to + shufflePlace(c, m);
      for (size_t k = 0; k < numCentroids_; k++) entries[k] = static_cast<uint8_t>(entry(c, k, m) + bias);
    }
}

template <class Entry>
void PackedTable::packGather(Entry entry) const {
  const size_t size = roundUp(outputs_, kGatherOutputs) * numCodebooks_ * numCentroids_;
  uint8_t* to = gathered_.reserve(size);
  const int bias = biasOf(kernels_.gatherUnsigned, addends_);
  std::memset(to, 0, size);
  for (size_t c = 0; c < numCodebooks_; c++)
    for (size_t k = 0; k < numCentroids_; k++)
      for (size_t m = 0; m < outputs_; m++) to[gatherPlace(c, k, m)] = static_cast<uint8_t>(entry(c, k, m) + bias);
}

ShuffleTable PackedTable::shuffle() const {
  if (first_ == Order::kGather)
    std::call_once(second_, [&] {
      const int bias = biasOf(kernels_.gatherUnsigned, addends_);
      packShuffle([&](size_t c, size_t k, size_t m) {
        return static_cast<int8_t>(gathered_.data()[gatherPlace(c, k, m)] - bias);
      });
    });
  return {.numCodebooks = numCodebooks_, .outputs = outputs_, .addends = addends_, .entries = shuffled_.data()};
}

GatherTable PackedTable::gather() const {
  if (first_ == Order::kShuffle)
    std::call_once(second_, [&] {
      const int bias = biasOf(kernels_.shuffleUnsigned, addends_);
      packGather([&](size_t c, size_t k, size_t m) {
        return static_cast<int8_t>(shuffled_.data()[shufflePlace(c, m) + k] - bias);
      });
    });
  return {.numCodebooks = numCodebooks_,
          .numCentroids = numCentroids_,
          .outputs = outputs_,
          .addends = addends_,
          .entries = gathered_.data()};
}

PackedScale::PackedScale(const float* scale, const float* bias, size_t outputs)
    : scale_(roundUp(outputs, kGatherOutputs)), bias_(roundUp(outputs, kGatherOutputs)) {
  std::memset(scale_.data(), 0, scale_.bytes());
  std::memset(bias_.data(), 0, bias_.bytes());
  std::copy_n(scale, outputs, scale_.data());
  std::copy_n(bias, outputs, bias_.data());
}

Output PackedScale::output(float* y, size_t stride, const Epilogue& epilogue) const {
  return {.y = y,
          .residual = epilogue.residual,
          .stride = stride,
          .floor = epilogue.relu ? 0 : kNoFloor,
          .scale = scale_.data(),
          .bias = bias_.data(),
          .bytes = epilogue.quantized.bytes,
          .bytesScale = epilogue.quantized.scale,
          .bytesZeroPoint = epilogue.quantized.zeroPoint};
}

Output sumsOutput(int32_t* sums, size_t stride) { return {.sums = sums, .stride = stride, .floor = kNoFloor}; }

Output partOf(const Output& out, size_t offset, size_t m) {
  Output part = out;
  if (out.sums) {
    part.sums += offset;
    return part;
  }
  if (out.y) part.y += offset;
  if (out.residual) part.residual += offset;
  if (out.bytes) part.bytes += offset;
  part.scale += m;
  part.bias += m;
  return part;
}

}  // namespace lutnn
