#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "training/soft_lookup.h"

namespace lutnn {

Trainer::Trainer(const TrainingMicrokernels& kernels, const Microkernels& lookupKernels, size_t threads)
    : kernels_(kernels), lookupKernels_(lookupKernels), executor_(threads), workspaces_(threads) {}

void Trainer::setThreads(size_t threads) {
  const std::lock_guard<std::mutex> lock(oneCall_);
  executor_.setThreads(threads);
  if (workspaces_.size() < threads) workspaces_.resize(threads);
}

TableRows tableOf(const TrainingMicrokernels& kernels, const SoftLayer& layer, const Codebooks& codebooks,
                  size_t codebook, TrainingWorkspace& workspace) {
  const size_t length = layer.subvectorLength, outputs = layer.outputs, count = layer.numCentroids;
  if (!layer.fromWeight) return {layer.table + codebook * count * outputs, outputs};
  const size_t stride = roundUp(outputs, kernels.lanes);
  const float* weight = layer.table + codebook * length * outputs;
  if (stride != outputs) {  // rows are read in whole vectors
    float* padded = workspace.weight.reserve(length * stride);
    std::fill_n(padded, length * stride, 0.0f);
    kernels.copy(
        {.from = weight, .fromStride = outputs, .to = padded, .toStride = stride, .rows = length, .width = outputs});
    weight = padded;
  }
  float* table = workspace.table.reserve(count * stride);
  for (size_t k = 0; k < count; k += kBlockCentroids) {
    const size_t block = codebook * codebooks.numBlocks + k / kBlockCentroids;
    kernels.multiply({.a = codebooks.centroids + block * length * kBlockCentroids,
                      .aRow = 1,
                      .aColumn = kBlockCentroids,
                      .b = weight,
                      .bRow = stride,
                      .bPanel = kernels.panel,
                      .c = table + k * stride,
                      .cRow = stride,
                      .rows = std::min(kBlockCentroids, count - k),
                      .depth = length,
                      .columns = stride});
  }
  return {table, stride};
}

void Trainer::table(const SoftLayer& layer, float* table) {
  const std::lock_guard<std::mutex> lock(oneCall_);
  codebooks_.pack(layer.centroids, layer.numCodebooks, layer.numCentroids, layer.subvectorLength);
  executor_.forEach(layer.numCodebooks, layer.tableOperations(), [&](size_t c, size_t worker) {
    const TableRows rows = tableOf(kernels_, layer, codebooks_.view(), c, workspaces_[worker]);
    float* to = table + c * layer.numCentroids * layer.outputs;
    kernels_.copy({.from = rows.values,
                   .fromStride = rows.stride,
                   .to = to,
                   .toStride = layer.outputs,
                   .rows = layer.numCentroids,
                   .width = layer.outputs});
  });
}

void Trainer::cluster(const Clustering& problem, size_t first, size_t count, float* centroids) {
  const std::lock_guard<std::mutex> lock(oneCall_);
  if (clusteringWorkspaces_.size() < executor_.slots()) clusteringWorkspaces_.resize(executor_.slots());
  const size_t floats = problem.numCentroids * problem.subvectorLength;
  executor_.forEach(count, count * problem.rows * floats * (problem.iterations + 1), [&](size_t i, size_t worker) {
    lutnn::cluster(lookupKernels_, problem, first + i, clusteringWorkspaces_[worker], centroids + i * floats);
  });
}

/// Largest values first, then the scale that sends them to the largest integer. False where the table is not finite.
bool Trainer::findScale(const SoftLayer& layer, const TableFormat& format) {
  const size_t outputs = layer.outputs, stride = roundUp(outputs, kTableOutputs);
  float* scale = scale_.reserve(stride * (executor_.slots() + 1));
  std::fill_n(scale, stride * (executor_.slots() + 1), 0.0f);
  std::vector<float> residue(executor_.slots(), 0.0f);
  executor_.forEach(layer.numCodebooks, layer.tableOperations(), [&](size_t c, size_t worker) {
    const TableRows rows = tableOf(kernels_, layer, codebooks_.view(), c, workspaces_[worker]);
    for (size_t k = 0; k < layer.numCentroids; k++)
      residue[worker] += kernels_.largest(rows.values + k * rows.stride, outputs, scale + (worker + 1) * stride);
  });
  for (size_t worker = 0; worker < executor_.slots(); worker++) {
    if (residue[worker] != 0) return false;  // NaN
    kernels_.largest(scale + (worker + 1) * stride, outputs, scale);
  }
  if (format.bits == 0) {
    std::fill_n(scale, stride, 1.0f);
    return true;
  }
  if (!format.scalePerOutput) std::fill_n(scale, outputs, *std::max_element(scale, scale + outputs));
  const float limit = static_cast<float>((1 << (format.bits - 1)) - 1);
  for (size_t m = 0; m < stride; m++) {
    const float step = scale[m] / limit;
    scale[m] = step > 0 ? step : 1;
  }
  return true;
}

/// A row of table entries from real ones.
static void quantize(const TrainingMicrokernels& kernels, const float* row, const float* scale, size_t count, int bits,
                     int8_t* to) {
  kernels.quantize8(row, scale, count, (1 << (bits - 1)) - 1, to);
}
static void quantize(const TrainingMicrokernels&, const float* row, const float* scale, size_t count, int bits,
                     int16_t* to) {
  const float limit = static_cast<float>((1 << (bits - 1)) - 1);
  for (size_t m = 0; m < count; m++)
    to[m] = static_cast<int16_t>(std::clamp(std::nearbyint(row[m] / scale[m]), -limit, limit));
}
static void quantize(const TrainingMicrokernels&, const float* row, const float*, size_t count, int, float* to) {
  std::copy_n(row, count, to);
}

static void lookupBy(const TrainingMicrokernels& kernels, const TableLookup<int8_t>& lookup) {
  kernels.lookup8(lookup);
}
static void lookupBy(const TrainingMicrokernels& kernels, const TableLookup<int16_t>& lookup) {
  kernels.lookup16(lookup);
}
static void lookupBy(const TrainingMicrokernels& kernels, const TableLookup<float>& lookup) {
  kernels.lookupFloat(lookup);
}

void Trainer::pack(const SoftLayer& layer) {
  const size_t C = layer.numCodebooks, K = layer.numCentroids, V = layer.subvectorLength;
  codebooks_.pack(layer.centroids, C, K, V);
  if (!layer.input) return;
  integers_.round(layer.centroids, C, K, V, *layer.input);
  packedIntegers_.pack(integers_.view(), C, K, V, rowQuads(V));
}

void Trainer::encode(const SoftLayer& layer, size_t codebook, const float* x, size_t stride, size_t positions,
                     uint8_t* codes, TrainingWorkspace& workspace) const {
  if (!layer.input)
    return lookupKernels_.encodePositions(codebooks_.view(), codebook, x, taps_.data(), positions, codes);
  const MicrokernelsInt8& kernels = *lookupKernels_.int8;
  const size_t V = layer.subvectorLength, quadCount = packedIntegers_.view().numQuads;
  uint8_t* bytes = workspace.bytes.reserve(V * stride);
  uint8_t* quads = workspace.quads.reserve(quadCount * stride * 4);
  for (size_t v = 0; v < V; v++)
    kernels.quantizeBy(x + v * stride, positions, layer.input->scale, layer.input->zeroPoint, bytes + v * stride);
  for (size_t i = 0; i < quadCount; i++)
    kernels.interleave(bytes + 4 * i * stride, stride, std::min<size_t>(4, V - 4 * i), positions,
                       quads + 4 * i * stride);
  kernels.encodePositions(packedIntegers_.view(), codebook, quads, taps_.data(), 1, positions, codes);
}

template <class T>
void Trainer::lookUp(const SoftLayer& layer, const TableFormat& format, const Source& source, float* y) {
  const size_t books = layer.numCodebooks, count = layer.numCentroids, outputs = layer.outputs;
  const size_t panels = roundUp(outputs, kTableOutputs) / kTableOutputs;
  T* entries = reinterpret_cast<T*>(entries_.reserve(panels * books * count * kTableOutputs * sizeof(T)));
  const float* scale = scale_.data();
  executor_.forEach(books, layer.tableOperations(), [&](size_t c, size_t worker) {
    const TableRows rows = tableOf(kernels_, layer, codebooks_.view(), c, workspaces_[worker]);
    for (size_t panel = 0; panel < panels; panel++) {
      const size_t m = panel * kTableOutputs, present = std::min(kTableOutputs, outputs - m);
      for (size_t k = 0; k < count; k++) {
        T* to = entries + ((panel * books + c) * count + k) * kTableOutputs;
        quantize(kernels_, rows.values + k * rows.stride + m, scale + m, present, format.bits, to);
        std::fill(to + present, to + kTableOutputs, T{0});
      }
    }
  });

  std::vector<std::unique_ptr<SubVectors>> readers(executor_.slots());
  const auto readerOf = [&](size_t worker) -> SubVectors& {
    if (!readers[worker]) readers[worker] = subVectorsOf(kernels_, source, workspaces_[worker].planes);
    return *readers[worker];
  };
  const size_t stride = readerOf(0).stride();
  taps_.resize(layer.subvectorLength);
  for (size_t v = 0; v < taps_.size(); v++) taps_[v] = static_cast<ptrdiff_t>(v * stride);
  const size_t positions = std::visit([](const auto& from) { return from.positions(); }, source);
  executor_.forEach(readerOf(0).numGroups(), positions * books * (layer.subvectorLength * count + outputs),
                    [&](size_t index, size_t worker) {
                      SubVectors& reader = readerOf(worker);
                      TrainingWorkspace& workspace = workspaces_[worker];
                      const Range group = reader.group(index);
                      const size_t codeStride = roundUp(group.count, 64) + 64;
                      float* x = workspace.x.reserve(layer.subvectorLength * stride);
                      uint8_t* codes = workspace.codes.reserve(books * codeStride);
                      for (size_t c = 0; c < books; c += reader.chunkCodebooks()) {
                        const Range chunk{c, std::min(reader.chunkCodebooks(), books - c)};
                        reader.open(index, chunk, false);
                        for (size_t n = 0; n < group.count; n += reader.blockPositions()) {
                          const Range block{group.first + n, std::min(reader.blockPositions(), group.count - n)};
                          reader.openBlock(block);
                          for (size_t i = 0; i < chunk.count; i++) {
                            reader.get(i, x);
                            encode(layer, c + i, x, stride, block.count, codes + (c + i) * codeStride + n, workspace);
                          }
                        }
                      }
                      lookupBy(kernels_, TableLookup<T>{.table = entries,
                                                        .numCodebooks = books,
                                                        .numCentroids = count,
                                                        .outputs = outputs,
                                                        .scale = scale,
                                                        .codes = codes,
                                                        .codeStride = codeStride,
                                                        .positions = group.count,
                                                        .y = y + group.first * outputs});
                    });
}

void Trainer::round(const SoftLayer& layer, const TableFormat& format, int8_t* values, float* scale) {
  const std::lock_guard<std::mutex> lock(oneCall_);
  const size_t count = layer.numCentroids, outputs = layer.outputs;
  codebooks_.pack(layer.centroids, layer.numCodebooks, count, layer.subvectorLength);
  if (!findScale(layer, format)) {
    std::fill_n(scale, outputs, std::numeric_limits<float>::quiet_NaN());
    return;
  }
  std::copy_n(scale_.data(), outputs, scale);
  executor_.forEach(layer.numCodebooks, layer.tableOperations(), [&](size_t c, size_t worker) {
    const TableRows rows = tableOf(kernels_, layer, codebooks_.view(), c, workspaces_[worker]);
    for (size_t k = 0; k < count; k++)
      quantize(kernels_, rows.values + k * rows.stride, scale, outputs, format.bits,
               values + (c * count + k) * outputs);
  });
}

void Trainer::forward(const SoftLayer& layer, const TableFormat& format, const Source& source, float* y) {
  const std::lock_guard<std::mutex> lock(oneCall_);
  pack(layer);
  if (!findScale(layer, format)) {
    const auto positions = [](const auto& from) { return from.positions(); };
    std::fill_n(y, std::visit(positions, source) * layer.outputs, std::numeric_limits<float>::quiet_NaN());
    return;
  }
  if (format.bits == 0) lookUp<float>(layer, format, source, y);
  else if (format.bits <= 8) lookUp<int8_t>(layer, format, source, y);
  else lookUp<int16_t>(layer, format, source, y);
}

}  // namespace lutnn
