// Real tables as INT8, symmetric and with zero point 0, for files and inference.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lutnn {

struct RealTable {
  const float* entries;  // (rows, M), a row for each codebook and centroid
  size_t rows, outputs;
};

/// scale (M) = largest |entry| / limit, of the output or of the whole table, 1 where that rounds to 0; values (rows, M) =
/// entry / scale in float32, rounded half to even, within ±limit, 1 … 127. False, and nothing written, unless every entry
/// is finite.
bool quantizeTable(const RealTable& table, bool perOutput, int limit, int8_t* values, float* scale);

}  // namespace lutnn
