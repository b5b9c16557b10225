// The integers of centroids under training, as kernel/src/pq/integerCodes.ts defines them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/packing.h"

namespace lutnn {

/// How a layer's inputs become bytes.
struct SoftInput {
  float scale;  // finite, above 0
  uint8_t zeroPoint;
};

/// Of centroids float32 (C, K, V): centroidScale_c = largest |P_c| / 127 (1 where that is 0), p = round(P / centroidScale),
/// halfNorm = min(round(½ Σ p² · (centroidScale / inputScale)), 2²³), each operation rounded to float, halves to the even
/// integer; what is no number counts as 0.
class IntegerCodebooks {
 public:
  void round(const float* centroids, size_t numCodebooks, size_t numCentroids, size_t subvectorLength,
             const SoftInput& input);
  IntegerCodes view() const {
    return {.inputScale = input_.scale,
            .inputZeroPoint = input_.zeroPoint,
            .centroids = centroids_.data(),
            .halfNorms = halfNorms_.data()};
  }

 private:
  SoftInput input_{1, 0};
  std::vector<int8_t> centroids_;
  std::vector<int32_t> halfNorms_;
};

}  // namespace lutnn
