#include "core/quantize_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace lutnn {

/// From here on floats are whole numbers, and their sums round half to even.
static constexpr float kWholeFrom = 12582912;  // 1.5 · 2²³

/// Largest |entry| of each output; false unless all are finite.
static bool largestEntries(const RealTable& table, float* largest) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (size_t n = 0; n < table.rows; n++) {
    const float* entries = table.entries + n * table.outputs;
    uint32_t wrong = 0;
    for (size_t m = 0; m < table.outputs; m++) {
      const float size = std::fabs(entries[m]);
      wrong |= size < kInfinity ? 0u : 1u;
      largest[m] = size > largest[m] ? size : largest[m];
    }
    if (wrong != 0) return false;
  }
  return true;
}

bool quantizeTable(const RealTable& table, bool perOutput, int limit, int8_t* values, float* scale) {
  std::vector<float> largest(table.outputs);
  if (!largestEntries(table, largest.data())) return false;
  if (!perOutput) std::fill(largest.begin(), largest.end(), *std::max_element(largest.begin(), largest.end()));
  const float bound = static_cast<float>(limit);
  for (size_t m = 0; m < table.outputs; m++) {
    const float step = largest[m] / bound;
    scale[m] = step > 0 ? step : 1;
  }
  for (size_t n = 0; n < table.rows; n++) {
    const float* entries = table.entries + n * table.outputs;
    int8_t* to = values + n * table.outputs;
    for (size_t m = 0; m < table.outputs; m++) {
      float steps = entries[m] / scale[m];
      steps = steps > bound ? bound : steps;
      steps = steps < -bound ? -bound : steps;
      to[m] = static_cast<int8_t>(static_cast<int32_t>(steps + kWholeFrom - kWholeFrom));
    }
  }
  return true;
}

}  // namespace lutnn
