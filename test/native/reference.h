// The definitions as plain loops over the unpacked arrays: the oracle, which shares no code with native/src.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <vector>

#include "core/packing.h"
#include "core/window.h"

namespace lutnn {

/// A layer with random contents. `coarse` draws from few values, so that many scores tie.
struct RandomLayer {
  size_t numCodebooks, numCentroids, subvectorLength, outputs;
  std::vector<float> centroids, tableScale, bias;
  std::vector<int8_t> lookupTable;

  RandomLayer(std::mt19937& random, size_t C, size_t K, size_t V, size_t M, bool coarse = false);
  Lookup lookup() const {
    return {.numCodebooks = numCodebooks,
            .numCentroids = numCentroids,
            .subvectorLength = subvectorLength,
            .outputs = outputs,
            .centroids = centroids.data(),
            .lookupTable = lookupTable.data(),
            .tableScale = tableScale.data(),
            .bias = bias.data()};
  }
};

inline std::vector<float> randomFloats(std::mt19937& random, size_t size, bool coarse = false) {
  std::vector<float> values(size);
  std::normal_distribution<float> normal;
  for (float& value : values) value = coarse ? static_cast<float>(static_cast<int>(random() % 3) - 1) : normal(random);
  return values;
}

inline RandomLayer::RandomLayer(std::mt19937& random, size_t C, size_t K, size_t V, size_t M, bool coarse)
    : numCodebooks(C),
      numCentroids(K),
      subvectorLength(V),
      outputs(M),
      centroids(randomFloats(random, C * K * V, coarse)),
      tableScale(randomFloats(random, M)),
      bias(randomFloats(random, M)),
      lookupTable(C * K * M) {
  for (int8_t& entry : lookupTable) entry = static_cast<int8_t>(random() % 256 - 128);
}

/// A score's rank: its place in the order of all floats, in steps of 16 places.
inline int64_t scoreRank(float score) {
  uint32_t bits;
  std::memcpy(&bits, &score, sizeof bits);
  const int64_t magnitude = bits & 0x7fffffff;
  const int64_t place = bits >> 31 ? -magnitude - 1 : magnitude;
  return place >= 0 ? place / 16 : -((15 - place) / 16);
}

/// Code of one sub-vector a (V) among centroids (K, V).
inline uint8_t referenceCode(const float* a, const float* centroids, size_t K, size_t V) {
  size_t best = 0;
  int64_t bestRank = 0;
  for (size_t k = 0; k < K; k++) {
    const float* p = centroids + k * V;
    double norm = 0;
    for (size_t v = 0; v < V; v++) norm += static_cast<double>(p[v]) * static_cast<double>(p[v]);
    float score = static_cast<float>(-0.5 * norm) + 0.0f;
    for (size_t v = 0; v < V; v++) score = std::fmaf(a[v], p[v], score);
    if (k > 0 && scoreRank(score) <= bestRank) continue;
    best = k;
    bestRank = scoreRank(score);
  }
  return static_cast<uint8_t>(best);
}

/// x (rows, C·V) → codes (rows, C)
inline std::vector<uint8_t> referenceEncode(const RandomLayer& layer, const float* x, size_t rows) {
  const size_t C = layer.numCodebooks, K = layer.numCentroids, V = layer.subvectorLength;
  std::vector<uint8_t> codes(rows * C);
  for (size_t n = 0; n < rows; n++)
    for (size_t c = 0; c < C; c++)
      codes[n * C + c] = referenceCode(x + (n * C + c) * V, layer.centroids.data() + c * K * V, K, V);
  return codes;
}

/// Codes that are defined in integers, with random ones for a layer. `coarse` draws from few values, so that many scores tie.
struct RandomIntegers {
  std::vector<int8_t> centroids;
  std::vector<int32_t> halfNorms;
  float inputScale;
  uint8_t zeroPoint;

  RandomIntegers(std::mt19937& random, const RandomLayer& layer, bool coarse = false)
      : centroids(layer.centroids.size()),
        halfNorms(layer.numCodebooks * layer.numCentroids),
        inputScale(static_cast<float>(1 + random() % 100) / 1000),
        zeroPoint(static_cast<uint8_t>(random() % 3 == 0 ? random() % 256 : random() % 2 * 128)) {
    const bool wide = random() % 4 == 0;
    for (int8_t& p : centroids)
      p = static_cast<int8_t>(coarse ? static_cast<int>(random() % 3) - 1
                              : wide ? (random() % 2 ? 127 : -127)
                                     : static_cast<int>(random() % 255) - 127);
    for (int32_t& norm : halfNorms)
      norm = static_cast<int32_t>(coarse ? random() % 2
                                  : wide ? (random() % 3 ? 0 : 1 << 23)
                                         : random() % (2000 * layer.subvectorLength));
  }
  Lookup lookup(const RandomLayer& layer) const {
    Lookup made = layer.lookup();
    made.centroids = nullptr;
    made.integers = {inputScale, zeroPoint, centroids.data(), halfNorms.data()};
    return made;
  }
};

/// The byte of an input.
inline int referenceByte(float x, float scale, int zeroPoint) {
  const double steps = std::nearbyint(static_cast<double>(x / scale));
  if (std::isnan(steps)) return 0;
  return static_cast<int>(std::fmin(std::fmax(steps + zeroPoint, 0.0), 255.0));
}

/// x (rows, C·V) → codes (rows, C)
inline std::vector<uint8_t> referenceEncodeIntegers(const RandomLayer& layer, const RandomIntegers& integers,
                                                    const float* x, size_t rows) {
  const size_t C = layer.numCodebooks, K = layer.numCentroids, V = layer.subvectorLength;
  std::vector<uint8_t> codes(rows * C);
  for (size_t i = 0; i < rows * C; i++) {
    int64_t best = INT64_MIN;
    for (size_t k = 0; k < K; k++) {
      const size_t row = i % C * K + k;
      int64_t score = -static_cast<int64_t>(integers.halfNorms[row]);
      for (size_t v = 0; v < V; v++) {
        const int q = referenceByte(x[i * V + v], integers.inputScale, integers.zeroPoint);
        score += (q - integers.zeroPoint) * integers.centroids[row * V + v];
      }
      if (score <= best) continue;
      best = score;
      codes[i] = static_cast<uint8_t>(k);
    }
  }
  return codes;
}

/// codes (rows, C) → sums (rows, M)
inline std::vector<int32_t> referenceSums(const RandomLayer& layer, const uint8_t* codes, size_t rows) {
  const size_t C = layer.numCodebooks, K = layer.numCentroids, M = layer.outputs;
  std::vector<int32_t> sums(rows * M);
  for (size_t n = 0; n < rows; n++)
    for (size_t m = 0; m < M; m++)
      for (size_t c = 0; c < C; c++) sums[n * M + m] += layer.lookupTable[(c * K + codes[n * C + c]) * M + m];
  return sums;
}

/// sums (rows, M) → y (rows, M), product and sum rounded one after the other
inline std::vector<float> referenceOutputs(const RandomLayer& layer, const std::vector<int32_t>& sums) {
  std::vector<float> y(sums.size());
  for (size_t i = 0; i < sums.size(); i++) {
    const volatile float product = static_cast<float>(sums[i]) * layer.tableScale[i % layer.outputs];
    y[i] = product + layer.bias[i % layer.outputs];
  }
  return y;
}

/// A convolution of 3 outputs with one image.
struct RandomConv {
  size_t channels;  // of a codebook
  size_t height, width, outputHeight, outputWidth;
  Window window;
  RandomLayer layer;
  std::vector<float> x;
};

/// Nothing where the filter does not fit into the image.
inline std::optional<RandomConv> randomConv(std::mt19937& random) {
  const auto upTo = [&](size_t most) { return 1 + random() % most; };
  const size_t channels = upTo(6), C = upTo(3), height = upTo(20), width = upTo(30);
  Window w{channels * C, upTo(4), upTo(4), upTo(3), upTo(3), upTo(2), upTo(3), upTo(4) - 1, upTo(4) - 1, 1, 2};
  if (random() % 3 == 0) w = {channels * C, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
  const size_t outputHeight =
      outputExtent(height, w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop, w.padBottom);
  const size_t outputWidth = outputExtent(width, w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft, w.padRight);
  if (!outputHeight || !outputWidth) return std::nullopt;
  const size_t K = random() % 2 ? 16 : 2 + random() % 40;
  const RandomLayer layer(random, C, K, channels * w.filterHeight * w.filterWidth, 3);
  const std::vector<float> x = randomFloats(random, channels * C * height * width);
  return RandomConv{channels, height, width, outputHeight, outputWidth, w, layer, x};
}

/// x (batch, channels, height, width) → rows (positions, channels · filter height · filter width)
inline std::vector<float> referenceWindows(const Window& w, const float* x, size_t batch, size_t height, size_t width,
                                           size_t outputHeight, size_t outputWidth) {
  std::vector<float> rows;
  for (size_t n = 0; n < batch; n++)
    for (size_t oy = 0; oy < outputHeight; oy++)
      for (size_t ox = 0; ox < outputWidth; ox++)
        for (size_t channel = 0; channel < w.inputChannels; channel++)
          for (size_t i = 0; i < w.filterHeight; i++)
            for (size_t j = 0; j < w.filterWidth; j++) {
              const size_t row = oy * w.strideHeight + i * w.dilationHeight;  // counted from the padding's edge
              const size_t column = ox * w.strideWidth + j * w.dilationWidth;
              const bool inside =
                  row >= w.padTop && row < w.padTop + height && column >= w.padLeft && column < w.padLeft + width;
              const size_t place =
                  ((n * w.inputChannels + channel) * height + row - w.padTop) * width + column - w.padLeft;
              rows.push_back(inside ? x[place] : 0.0f);
            }
  return rows;
}

/// (batch · positions, M) → (batch, M, positions)
template <class T>
std::vector<T> toChannelsFirst(const std::vector<T>& rows, size_t batch, size_t positions, size_t M) {
  std::vector<T> planes(rows.size());
  for (size_t n = 0; n < batch; n++)
    for (size_t p = 0; p < positions; p++)
      for (size_t m = 0; m < M; m++) planes[(n * M + m) * positions + p] = rows[(n * positions + p) * M + m];
  return planes;
}

}  // namespace lutnn
