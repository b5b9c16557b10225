#include "core/layer_norm.h"

#include <algorithm>

namespace lutnn {

/// Rows that a task does.
constexpr size_t kTaskRows = 16;

void layerNorm(const Microkernels& kernels, const LayerNorm& norm, Workspace& workspace, Executor& executor) {
  const size_t count = norm.row.count;
  workspace.prepare(executor.slots());
  // Three passes over cached numbers, about as long as so many multiply-adds.
  executor.forEach(roundUp(norm.rows, kTaskRows) / kTaskRows, 16 * norm.rows * count, [&](size_t task, size_t slot) {
    float* room = norm.y ? nullptr : workspace.scratch[slot].results.reserve(count);
    const size_t end = std::min(norm.rows, (task + 1) * kTaskRows);
    for (size_t n = task * kTaskRows; n < end; n++) {
      float* y = room ? room : norm.y + n * count;
      kernels.layerNorm(norm.row, norm.x + n * count, y);
      const ByteResults to = norm.quantized.from(n * count);
      if (to.bytes) kernels.int8->quantizeBy(y, count, to.scale, to.zeroPoint, to.bytes);
    }
  });
}

}  // namespace lutnn
