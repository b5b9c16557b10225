#include "core/attention_of_bytes.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace lutnn {

/// Queries whose scores are at hand at a time.
constexpr size_t kBlockQueries = 32;
/// The byte of 0.
constexpr int32_t kZeroByte = 128;
/// What keeps padding out, as distances from the best score have it.
constexpr float kPadding = 1e30f, kRuledOut = 1e9f;
/// What scales and biases of outputs are filled up to.
constexpr size_t kFilled = 64;

/// Four bytes of a key or value as weights: less 128, and at least −127.
static uint32_t weightsOf(uint32_t bytes) {
  constexpr uint32_t kLow = 0x7f7f7f7f, kHigh = 0x80808080;
  const uint32_t some = (((bytes & kLow) + kLow) | bytes) & kHigh;  // the high bit of each byte that is not 0
  return (bytes | (~some & kHigh) >> 7) ^ kHigh;
}

static uint32_t quadAt(const void* p) {
  uint32_t quad;
  std::memcpy(&quad, p, sizeof quad);
  return quad;
}

/// The sum of four weights, by that of bytes that are 128 more.
static int32_t sumOf(uint32_t quad) {
  constexpr uint32_t kOdd = 0x00ff00ff;
  quad ^= 0x80808080;
  const uint32_t pairs = (quad & kOdd) + (quad >> 8 & kOdd);
  return static_cast<int32_t>((pairs * 0x00010001) >> 16) - 4 * kZeroByte;
}

namespace {

/// What a head's queries are multiplied by, and what becomes of it; in scratch.
struct Head {
  DenseWeights keys, values;
  /// Of distances: minus the scale, and what masks and padding add.
  const float *minusScale, *penalties;
  const float *valueScale, *zeros;
};

class Packer {
 public:
  Packer(const Microkernels& kernels, const AttentionOfBytes& a)
      : int8_(*kernels.int8), dense_(*kernels.dense), a_(a), positions_(AttentionHead::padded(a.positions)) {}

  size_t positions() const { return positions_; }
  size_t queryBytes() const { return quadsOf(a_.depth) * 4; }
  size_t shareBytes() const { return quadsOf(positions_) * 4; }

  Head pack(size_t example, size_t head, Workspace::Scratch& scratch) const {
    const size_t outputs = roundUp(a_.outputs, kDenseOutputs);
    const size_t keyBytes = positions_ * queryBytes(), valueBytes = outputs * shareBytes();
    int8_t* weights = reinterpret_cast<int8_t*>(scratch.bytes.reserve(keyBytes + valueBytes));
    int32_t* starts = scratch.sums.reserve(positions_ + outputs);
    std::memset(weights, 0, keyBytes + valueBytes);
    std::memset(starts, 0, (positions_ + outputs) * sizeof(int32_t));
    packKeys(a_.key + (example * a_.positions * a_.heads + head) * a_.depth, weights, starts);
    packValues(a_.value + (example * a_.positions * a_.heads + head) * a_.outputs, weights + keyBytes,
               starts + positions_);

    const size_t width = roundUp(positions_, kFilled), filled = roundUp(a_.outputs, kFilled);
    float *minusScale = scratch.planes.reserve(2 * width + 2 * filled), *penalties = minusScale + width;
    float *valueScale = penalties + width, *zeros = valueScale + filled;
    std::fill(minusScale, penalties, -a_.scale);
    for (size_t p = 0; p < a_.positions; p++)
      penalties[p] = a_.mask ? (1.0f - a_.mask[example * a_.positions + p]) * kRuledOut : 0.0f;
    std::fill(penalties + a_.positions, valueScale, kPadding);
    std::fill(valueScale, zeros, a_.valueScale);
    std::fill(zeros, zeros + filled, 0.0f);
    return {.keys = {.outputs = positions_, .numQuads = quadsOf(a_.depth), .weights = weights, .starts = starts},
            .values = {.outputs = a_.outputs,
                       .numQuads = quadsOf(positions_),
                       .weights = weights + keyBytes,
                       .starts = starts + positions_},
            .minusScale = minusScale,
            .penalties = penalties,
            .valueScale = valueScale,
            .zeros = zeros};
  }

  /// Some queries of a head as rows of whole quads.
  const uint8_t* rowsOf(const uint8_t* query, size_t count, Workspace::Scratch& scratch) const {
    const size_t bytes = queryBytes();
    uint8_t* rows = scratch.rows.reserve(kBlockQueries * bytes);
    for (size_t r = 0; r < count; r++) {
      std::memcpy(rows + r * bytes, query + r * a_.heads * a_.depth, a_.depth);
      std::memset(rows + r * bytes + a_.depth, 0, bytes - a_.depth);
    }
    return rows;
  }

 private:
  size_t quadsOf(size_t length) const { return roundUp(roundUp(length, 4) / 4, dense_.rowQuads); }

  void packKeys(const uint8_t* key, int8_t* weights, int32_t* starts) const {
    const size_t quads = quadsOf(a_.depth), whole = a_.depth / 4, rest = a_.depth % 4;
    const int32_t missing = (dense_.isSigned ? 128 : 0) - kZeroByte;
    for (size_t p = 0; p < a_.positions; p++) {
      const uint8_t* row = key + p * a_.heads * a_.depth;
      int8_t* to = weights + (p / kDenseOutputs * quads * kDenseOutputs + p % kDenseOutputs) * 4;
      int32_t sum = 0;
      const auto put = [&](size_t q, uint32_t quad) {
        const uint32_t four = weightsOf(quad);
        std::memcpy(to + q * kDenseOutputs * 4, &four, 4);
        if (missing != 0) sum += sumOf(four);
      };
      for (size_t q = 0; q < whole; q++) put(q, quadAt(row + 4 * q));
      if (rest > 0) {
        uint8_t last[4] = {kZeroByte, kZeroByte, kZeroByte, kZeroByte};
        std::memcpy(last, row + 4 * whole, rest);
        put(whole, quadAt(last));
      }
      starts[p] = missing * sum;
    }
  }

  void packValues(const uint8_t* value, int8_t* weights, int32_t* starts) const {
    const size_t quads = quadsOf(positions_), stride = a_.heads * a_.outputs;
    const int32_t missing = dense_.isSigned ? 128 : 0;
    for (size_t p = 0; p < a_.positions; p += 4)
      for (size_t e = 0; e < a_.outputs; e += kDenseOutputs) {
        const size_t some = std::min(kDenseOutputs, a_.outputs - e);
        int8_t* to = weights + (e / kDenseOutputs * quads + p / 4) * kDenseOutputs * 4;
        int8_.interleave(value + p * stride + e, stride, std::min<size_t>(4, a_.positions - p), some,
                         reinterpret_cast<uint8_t*>(to));
        for (size_t i = 0; i < some; i++) {
          const uint32_t four = weightsOf(quadAt(to + 4 * i));
          std::memcpy(to + 4 * i, &four, 4);
          if (missing != 0) starts[e + i] += missing * sumOf(four);
        }
      }
  }

  const MicrokernelsInt8& int8_;
  const MicrokernelsDense& dense_;
  const AttentionOfBytes& a_;
  const size_t positions_;
};

}  // namespace

void attentionOfBytes(const Microkernels& kernels, const AttentionOfBytes& a, Workspace& workspace,
                      Executor& executor) {
  constexpr float kNoFloor = -std::numeric_limits<float>::infinity();
  workspace.prepare(executor.slots());
  const Packer packer(kernels, a);
  const size_t positions = packer.positions(), shareBytes = packer.shareBytes(), stride = a.heads * a.outputs;
  executor.forEach(a.queries == 0 ? 0 : a.batch * a.heads, [&](size_t task, size_t slot) {
    const size_t example = task / a.heads, h = task % a.heads;
    Workspace::Scratch& scratch = workspace.scratch[slot];
    const Head head = packer.pack(example, h, scratch);
    float* distances = scratch.results.reserve(kBlockQueries * positions);
    uint8_t* shares = scratch.quads.reserve(kBlockQueries * shareBytes);
    std::memset(shares, 0, kBlockQueries * shareBytes);
    for (size_t i = 0; i < a.queries; i += kBlockQueries) {
      const size_t count = std::min(kBlockQueries, a.queries - i), first = example * a.queries + i;
      const uint8_t* rows = packer.rowsOf(a.query + (first * a.heads + h) * a.depth, count, scratch);
      kernels.dense->multiplyRows(
          head.keys, rows, packer.queryBytes(), count,
          {.y = distances, .stride = positions, .floor = kNoFloor, .scale = head.minusScale, .bias = head.penalties});
      float factors[kBlockQueries];
      for (size_t r = 0; r < count; r++) {
        const uint32_t sum = kernels.byteShares(distances + r * positions, positions, shares + r * shareBytes);
        factors[r] = sum > 0 ? 1 / static_cast<float>(sum) : std::numeric_limits<float>::quiet_NaN();
      }
      float* y = a.y + first * stride + h * a.outputs;
      kernels.dense->multiplyRows(
          head.values, shares, shareBytes, count,
          {.y = y, .stride = stride, .floor = kNoFloor, .scale = head.valueScale, .bias = head.zeros});
      for (size_t r = 0; r < count; r++) {
        const float factor = factors[r];
        for (size_t e = 0; e < a.outputs; e++) y[r * stride + e] *= factor;
      }
    }
  });
}

}  // namespace lutnn
