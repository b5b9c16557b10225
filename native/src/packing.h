// A replaced layer's arrays, brought into the orders in which the microkernels read them.
#pragma once

#include "buffer.h"
#include "microkernels.h"

namespace lutnn {

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
};

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

/// int8 (C, K, M) → (ceil(M / 4), ceil(C / G), 4, G, 16)
class PackedShuffleTable {
 public:
  PackedShuffleTable(const Lookup& lookup, const Microkernels& kernels);
  const ShuffleTable& view() const { return view_; }
  size_t bytes() const { return entries_.bytes(); }

 private:
  Buffer<uint8_t> entries_;
  ShuffleTable view_;
};

/// int8 (C, K, M) → (ceil(M / 64), C, K, 64)
class PackedGatherTable {
 public:
  PackedGatherTable(const Lookup& lookup, const Microkernels& kernels);
  const GatherTable& view() const { return view_; }
  size_t bytes() const { return entries_.bytes(); }

 private:
  Buffer<uint8_t> entries_;
  GatherTable view_;
};

/// Scale and bias of each output, filled up with 0 to the width of a gather table.
class PackedScale {
 public:
  explicit PackedScale(const Lookup& lookup);
  /// real outputs y with these scales
  Output output(float* y, size_t stride) const;
  size_t bytes() const { return scale_.bytes() + bias_.bytes(); }

 private:
  Buffer<float> scale_, bias_;
};

/// The integer sums themselves.
Output sumsOutput(int32_t* sums, size_t stride);

}  // namespace lutnn
