// A replaced layer's arrays, brought into the orders in which the microkernels read them.
#pragma once

#include <mutex>
#include <vector>

#include "core/buffer.h"
#include "core/quads.h"
#include "isa/microkernels.h"

namespace lutnn {

/// Codes that are defined in integers: inputs are q = clamp(round(x / inputScale) + inputZeroPoint, 0, 255),
/// score_k = Σ_v (q_v − inputZeroPoint) · p_kv − halfNorm_k.
struct IntegerCodes {
  float inputScale;
  uint8_t inputZeroPoint;
  const int8_t* centroids;   // (C, K, V), within ±127
  const int32_t* halfNorms;  // (C, K), 0 … kMaxHalfNorm
};
/// So scores stay far below 2²⁷, and where they start is an integer that a float holds.
constexpr size_t kMaxLengthInteger = 256;
constexpr int32_t kMaxHalfNorm = 1 << 23;

/// A replaced layer as its arrays; see native/index.d.ts. Letters as in microkernels.h.
struct Lookup {
  size_t numCodebooks;
  size_t numCentroids;
  size_t subvectorLength;
  size_t outputs;
  const float* centroids;      // (C, K, V)
  const int8_t* lookupTable;   // (C, K, M)
  const float* tableScale;     // (M)
  const float* bias;           // (M)
  const int32_t* treeDimensions = nullptr;  // (C, 4), for Encoding::kTree
  const float* treeThresholds = nullptr;    // (C, 15): of level 0, then two of level 1, and so on
  IntegerCodes integers = {};               // for Encoding::kInteger
};

/// In which numbers inputs are compared with centroids. kInt8 is faster where an instruction adds up products of bytes,
/// and some of its codes differ; sub-vectors may have up to kMaxLengthInt8 elements. kTree
/// compares with thresholds. kInteger has the codes of IntegerCodes; sub-vectors may have up to kMaxLengthInteger elements. kCodes
/// compares nothing: inputs are codes.
enum class Encoding { kFloat32, kInt8, kTree, kInteger, kCodes };
constexpr size_t kMaxLengthInt8 = 2048;

/// Centroids packed for encoding; packing again takes the memory that is there.
class PackedCodebooks {
 public:
  /// centroids float32 (C, K, V)
  void pack(const float* centroids, size_t numCodebooks, size_t numCentroids, size_t subvectorLength);
  const Codebooks& view() const { return view_; }
  size_t bytes() const { return values_.bytes() + halfNorms_.bytes(); }

 private:
  Buffer<float> values_, halfNorms_;
  Codebooks view_{};
};

/// Centroids packed for encoding 8-bit inputs.
class PackedCodebooksInt8 {
 public:
  /// centroids float32 (C, K, V); `quads` say where the elements of a sub-vector lie.
  void pack(const float* centroids, size_t numCodebooks, size_t numCentroids, size_t subvectorLength,
            const std::vector<Quad>& quads);
  /// The same of codes that are defined in integers; the scale of inputs is 1 then.
  void pack(const IntegerCodes& codes, size_t numCodebooks, size_t numCentroids, size_t subvectorLength,
            const std::vector<Quad>& quads);
  const CodebooksInt8& view() const { return view_; }
  /// For inputs whose largest size is this.
  float inputScale(float largest) const;
  size_t bytes() const { return weights_.bytes() + halfNorms_.bytes() + offsets_.bytes(); }

 private:
  /// Reserves the arrays; weightOf(c, k, v) and halfNormOf(c, k, the sum of its weights) fill them.
  template <class WeightOf, class HalfNormOf>
  void pack(size_t numCodebooks, size_t numCentroids, const std::vector<Quad>& quads, WeightOf weightOf,
            HalfNormOf halfNormOf);

  Buffer<int8_t> weights_;
  Buffer<float> halfNorms_;
  Buffer<int32_t> offsets_;
  float largest_ = 0;
  CodebooksInt8 view_{};
};

/// Trees with the thresholds of each level side by side.
class PackedTrees {
 public:
  void pack(const Lookup& lookup);
  Trees view() const {
    return {.numCodebooks = dimensions_.size() / kTreeLevels,
            .subvectorLength = length_,
            .dimensions = dimensions_.data(),
            .thresholds = thresholds_.data()};
  }
  size_t bytes() const { return dimensions_.size() * sizeof(int32_t) + thresholds_.size() * sizeof(float); }

 private:
  std::vector<int32_t> dimensions_;
  std::vector<float> thresholds_;
  size_t length_ = 0;
};

/// The table in the order of shuffled or of gathered lookups, each made when it is first wanted. Several threads may
/// want it at once.
class PackedTable {
 public:
  enum class Order { kShuffle, kGather };

  /// Copies lookup.lookupTable in one order, and notes its width; for kShuffle K is at most 16.
  PackedTable(const Microkernels& kernels, const Lookup& lookup, Order first);

  ShuffleTable shuffle() const;
  GatherTable gather() const;
  size_t bytes() const { return shuffled_.bytes() + gathered_.bytes(); }

 private:
  /// Places of the entries of codebook c, centroid 0 (and then k) and output m.
  size_t shufflePlace(size_t c, size_t m) const;
  size_t gatherPlace(size_t c, size_t k, size_t m) const;
  /// entry(c, k, m) gives an int8.
  template <class Entry>
  void packShuffle(Entry entry) const;
  template <class Entry>
  void packGather(Entry entry) const;

  const Microkernels& kernels_;
  size_t numCodebooks_, numCentroids_, outputs_, addends_;
  Order first_;
  uint8_t placeInRow_[kGatherOutputs];
  mutable std::once_flag second_;
  mutable Buffer<uint8_t> shuffled_, gathered_;
};

/// What a layer reads: floats, or the bytes that its codes are defined on (Encoding::kInteger), or codes (Encoding::kCodes).
struct LayerInput {
  LayerInput(const float* floats) : x(floats) {}
  LayerInput(const uint8_t* quantized) : bytes(quantized), areBytes(true) {}

  const float* x = nullptr;
  const uint8_t* bytes = nullptr;
  /// Which of them it is: an empty array may lie nowhere.
  bool areBytes = false;
  /// What begins `offset` elements on.
  LayerInput from(size_t offset) const { return areBytes ? LayerInput(bytes + offset) : LayerInput(x + offset); }
};

/// Results as bytes clamp(round(y / scale) + zeroPoint, 0, 255), as IntegerCodes has inputs; null for none.
struct ByteResults {
  uint8_t* bytes = nullptr;
  float scale = 1;
  uint8_t zeroPoint = 0;
  /// What begins `offset` elements on.
  ByteResults from(size_t offset) const { return {bytes ? bytes + offset : nullptr, scale, zeroPoint}; }
};

/// What follows a layer, computed along with it: y + residual, then max(0, ·), then GELU, then the bytes of that.
struct Epilogue {
  const float* residual = nullptr;  // like y; it may be y
  bool relu = false;
  ByteResults quantized = {};  // like y, which may be null then
  bool gelu = false;

  /// Whether a microkernel's Output does not say all of it.
  bool byPieces() const { return gelu || quantized.bytes; }
};

/// Scale and bias of each output, filled up with 0 to the width of a gather table.
class PackedScale {
 public:
  /// Both (outputs).
  PackedScale(const float* scale, const float* bias, size_t outputs);
  /// Real outputs y with these scales.
  Output output(float* y, size_t stride, const Epilogue& epilogue = {}) const;
  size_t bytes() const { return scale_.bytes() + bias_.bytes(); }

 private:
  Buffer<float> scale_, bias_;
};

/// The integer sums themselves.
Output sumsOutput(int32_t* sums, size_t stride);

/// The part of an output that begins `offset` elements on, with output m.
Output partOf(const Output& out, size_t offset, size_t m);

}  // namespace lutnn
