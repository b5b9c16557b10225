// k-means of every codebook for itself. The same numbers as kernel/src/pq/kmeans.ts, bit for bit: codes as everywhere,
// all else in double precision in the order of the rows. A codebook is one thread's, so nothing depends on their number.
#pragma once

#include <vector>

#include "core/packing.h"
#include "isa/dispatch.h"

namespace lutnn {

/// Letters as in microkernels.h.
struct Clustering {
  const float* points;  // (N, C·V), finite
  size_t rows, numCodebooks, numCentroids, subvectorLength;
  size_t iterations;  // at most
  const double* draws;  // (C, K) in [0, 1): what the start is drawn with
};

/// What a thread needs; the next codebook finds it as large as it was.
struct ClusteringWorkspace {
  PackedCodebooks packed;
  Buffer<float> points, lanes;  // (N, V), and the same as (V, N)
  Buffer<uint8_t> codes;
  std::vector<double> nearest, sums, errors, farthestDistance;
  std::vector<size_t> counts, farthest;
};

/// Centroids (K, V) of one codebook: a k-means++ start, then Lloyd iterations until nothing moves; an empty cluster goes
/// to the farthest point of the cluster with the largest squared error.
void cluster(const Microkernels& kernels, const Clustering& problem, size_t codebook, ClusteringWorkspace& workspace,
             float* centroids);

}  // namespace lutnn
