#include "core/attention.h"

#include <algorithm>
#include <cstring>

namespace lutnn {

/// What a mask of 0 subtracts from a score, and what keeps padding out.
constexpr float kRuledOut = 1e9f, kPadding = -1e30f;
/// Keys that are transposed together.
constexpr size_t kTogether = 16;

/// Keys, values and penalties of one head of an example in scratch, as the microkernels read them.
static AttentionHead pack(const Attention& a, size_t example, size_t head, float* room) {
  AttentionHead packed{.depth = a.depth, .positions = a.positions, .outputs = a.outputs, .scale = a.scale};
  const size_t positions = packed.paddedPositions(), outputs = packed.paddedOutputs();
  float *keys = room, *values = keys + a.depth * positions, *penalties = values + a.positions * outputs;
  const float* key = a.key + (example * a.positions * a.heads + head) * a.depth;
  const float* value = a.value + (example * a.positions * a.heads + head) * a.outputs;
  const size_t stride = a.heads * a.depth;
  for (size_t first = 0; first < a.positions; first += kTogether) {  // so many rows of keys stay cached
    const size_t end = std::min(first + kTogether, a.positions);
    for (size_t d = 0; d < a.depth; d++)
      for (size_t p = first; p < end; p++) keys[d * positions + p] = key[p * stride + d];
  }
  for (size_t d = 0; d < a.depth; d++) std::fill(keys + d * positions + a.positions, keys + (d + 1) * positions, 0.0f);
  for (size_t p = 0; p < a.positions; p++) {
    float* row = values + p * outputs;
    std::memcpy(row, value + p * a.heads * a.outputs, a.outputs * sizeof(float));
    std::fill(row + a.outputs, row + outputs, 0.0f);
  }
  for (size_t p = 0; p < a.positions; p++)
    penalties[p] = a.mask ? (a.mask[example * a.positions + p] - 1.0f) * kRuledOut : 0.0f;
  std::fill(penalties + a.positions, penalties + positions, kPadding);
  packed.keys = keys;
  packed.values = values;
  packed.penalties = penalties;
  return packed;
}

void attention(const Microkernels& kernels, const Attention& a, Workspace& workspace, Executor& executor) {
  workspace.prepare(executor.slots());
  const size_t positions = AttentionHead::padded(a.positions), outputs = AttentionHead::padded(a.outputs);
  executor.forEach(a.queries == 0 ? 0 : a.batch * a.heads, [&](size_t task, size_t slot) {
    const size_t example = task / a.heads, h = task % a.heads;
    Workspace::Scratch& scratch = workspace.scratch[slot];
    float* room = scratch.planes.reserve(a.depth * positions + a.positions * outputs + positions);
    const AttentionHead head = pack(a, example, h, room);
    float* scores = scratch.results.reserve(kAttentionRows * (positions + outputs));
    float* results = scores + kAttentionRows * positions;
    for (size_t i = 0; i < a.queries; i += kAttentionRows) {
      const float* rows[kAttentionRows];  // behind the last query it is there again
      for (size_t r = 0; r < kAttentionRows; r++) {
        const size_t row = example * a.queries + std::min(i + r, a.queries - 1);
        rows[r] = a.query + (row * a.heads + h) * a.depth;
      }
      kernels.attend(head, rows, scores, results);
      for (size_t r = 0; r < kAttentionRows && i + r < a.queries; r++)
        std::memcpy(a.y + ((example * a.queries + i + r) * a.heads + h) * a.outputs, results + r * outputs,
                    a.outputs * sizeof(float));
    }
  });
}

}  // namespace lutnn
