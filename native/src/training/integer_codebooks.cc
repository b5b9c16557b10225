#include "training/integer_codebooks.h"

#include <algorithm>
#include <cmath>

namespace lutnn {

void IntegerCodebooks::round(const float* centroids, size_t numCodebooks, size_t numCentroids, size_t subvectorLength,
                             const SoftInput& input) {
  constexpr float kLargest = 127;
  input_ = input;
  const size_t bookLength = numCentroids * subvectorLength;
  centroids_.resize(numCodebooks * bookLength);
  halfNorms_.resize(numCodebooks * numCentroids);
  for (size_t c = 0; c < numCodebooks; c++) {
    const float* book = centroids + c * bookLength;
    float largest = 0;
    for (size_t i = 0; i < bookLength; i++) largest = std::max(largest, std::fabs(book[i]));
    const float step = largest / kLargest, scale = step > 0 ? step : 1, ratio = scale / input.scale;
    for (size_t k = 0; k < numCentroids; k++) {
      float squares = 0;  // an integer below 2²⁴
      for (size_t v = 0; v < subvectorLength; v++) {
        const float value = std::nearbyint(book[k * subvectorLength + v] / scale);
        const float p = value >= -kLargest ? std::min(value, kLargest) : value < 0 ? -kLargest : 0;
        centroids_[c * bookLength + k * subvectorLength + v] = static_cast<int8_t>(p);
        squares += p * p;
      }
      const float halfNorm = 0.5f * squares * ratio;
      halfNorms_[c * numCentroids + k] =
          halfNorm < static_cast<float>(kMaxHalfNorm) ? static_cast<int32_t>(std::nearbyint(halfNorm)) : kMaxHalfNorm;
    }
  }
}

}  // namespace lutnn
