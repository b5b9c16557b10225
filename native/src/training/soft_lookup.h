// The soft-PQ lookup and its exact gradient, over the microkernels of one instruction set and the threads of an executor.
//
// Forward y = scale · Σ_c q[c][code_c], q the integer table: what inference computes. Backward as if
// y = Σ_c Σ_k a_ck T_ck, with a the softmax of the distances and T the real table. Nothing of the size (N, C, K) is kept.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "core/packing.h"
#include "core/thread_pool.h"
#include "isa/dispatch.h"
#include "training/integer_codebooks.h"
#include "training/kmeans.h"
#include "training/sub_vectors.h"

namespace lutnn {

/// How the table is rounded in the forward pass: symmetric integers with zero point 0.
struct TableFormat {
  int bits;  // 2 … 8 or 16; 0: the real table
  bool scalePerOutput;  // else one scale for all outputs
};

/// A layer under training. Letters as in microkernels.h.
struct SoftLayer {
  size_t numCodebooks, numCentroids, subvectorLength, outputs;
  const float* centroids;  // (C, K, V)
  const float* table;  // the weight W (C·V, M) of a table P · W, or the table (C, K, M) itself
  bool fromWeight;
  std::optional<SoftInput> input = {};  // of codes that are defined in integers; they alone are other than of float32

  /// Multiply-adds that the real table takes, or numbers that it has.
  size_t tableOperations() const { return numCodebooks * numCentroids * outputs * (fromWeight ? subvectorLength : 1); }
};

/// The assignment that gradients go through.
struct SoftAssignment {
  bool squaredDistance;
  float inverseTemperatureLogit;  // θ; m = softplus(θ) + 1
};

struct SoftGradients {
  float* centroids;
  float* table;  // of the weight or the table
  float* inverseTemperatureLogit;
};

/// What a thread needs for the length of a call; the next call finds it as large as it was.
struct TrainingWorkspace {
  PlaneBuffers planes;
  Buffer<float> x, product, pulls, minusSums, gradients, gradientsTransposed, rowSums, table, tables, weight;
  Buffer<uint8_t> codes, bytes, quads;
};

/// The real table of one codebook, (K, M).
struct TableRows {
  const float* values;
  size_t stride;
};
/// As it lies, or P · W computed into `workspace.table`: each sum upwards in v by fused multiply-add.
TableRows tableOf(const TrainingMicrokernels& kernels, const SoftLayer& layer, const Codebooks& codebooks,
                  size_t codebook, TrainingWorkspace& workspace);

/// What all operators of a process share. One call runs at a time; others wait.
class Trainer {
 public:
  Trainer(const TrainingMicrokernels& kernels, const Microkernels& lookupKernels, size_t threads);

  const char* isa() const { return kernels_.isa; }
  size_t threads() const { return executor_.slots(); }
  void setThreads(size_t threads);

  /// y (N, M); all NaN where the table is not finite
  void forward(const SoftLayer& layer, const TableFormat& format, const Source& source, float* y);
  /// dy (N, M) → gradients, and those of x through the source
  void backward(const SoftLayer& layer, const SoftAssignment& assignment, const Source& source, const float* dy,
                const SoftGradients& gradients);
  /// The real table P · W (C, K, M) of a layer with a weight.
  void table(const SoftLayer& layer, float* table);
  /// The table as `forward` rounds it, in at most 8 bits: values (C, K, M), scale (M), which is NaN where the table is not
  /// finite, and then there are no values.
  void round(const SoftLayer& layer, const TableFormat& format, int8_t* values, float* scale);
  /// k-means of `count` codebooks from `first` on → centroids (count, K, V)
  void cluster(const Clustering& problem, size_t first, size_t count, float* centroids);

 private:
  template <class T>
  void lookUp(const SoftLayer& layer, const TableFormat& format, const Source& source, float* y);
  /// Packs the centroids for the codes that the layer has.
  void pack(const SoftLayer& layer);
  /// Codes of one codebook's sub-vectors x (V, positions), `stride` floats between rows.
  void encode(const SoftLayer& layer, size_t codebook, const float* x, size_t stride, size_t positions, uint8_t* codes,
              TrainingWorkspace& workspace) const;
  bool findScale(const SoftLayer& layer, const TableFormat& format);

  const TrainingMicrokernels& kernels_;
  const Microkernels& lookupKernels_;
  std::mutex oneCall_;
  PoolExecutor executor_;
  std::vector<TrainingWorkspace> workspaces_;
  PackedCodebooks codebooks_;
  IntegerCodebooks integers_;
  PackedCodebooksInt8 packedIntegers_;
  std::vector<ptrdiff_t> taps_;  // of the sub-vectors' elements, or of their quads
  std::vector<ClusteringWorkspace> clusteringWorkspaces_;
  Buffer<float> scale_, sums_;
  Buffer<uint8_t> entries_;
};

}  // namespace lutnn
