#include "training/kmeans.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lutnn {
namespace {

double squaredDistance(const float* a, const float* b, size_t length) {
  double sum = 0;
  for (size_t v = 0; v < length; v++) {
    const double difference = static_cast<double>(a[v]) - static_cast<double>(b[v]);
    sum += difference * difference;
  }
  return sum;
}

class CodebookClusters {
 public:
  CodebookClusters(const Microkernels& kernels, const Clustering& problem, ClusteringWorkspace& workspace,
                   float* centroids)
      : kernels_(kernels),
        w_(workspace),
        centroids_(centroids),
        rows_(problem.rows),
        count_(problem.numCentroids),
        length_(problem.subvectorLength),
        stride_(roundUp(problem.rows, 64) + 80) {}

  void read(const Clustering& problem, size_t codebook) {
    float* points = w_.points.reserve(rows_ * length_);
    float* lanes = w_.lanes.reserve(length_ * stride_);
    std::fill_n(lanes, length_ * stride_, 0.0f);
    const float* from = problem.points + codebook * length_;
    for (size_t n = 0; n < rows_; n++, from += problem.numCodebooks * length_)
      for (size_t v = 0; v < length_; v++) points[n * length_ + v] = lanes[v * stride_ + n] = from[v];
    taps_.resize(length_);
    for (size_t v = 0; v < length_; v++) taps_[v] = static_cast<ptrdiff_t>(v * stride_);
    w_.codes.reserve(stride_);
  }

  /// k-means++: each next centroid is a point drawn with a probability in proportion to its squared distance from the
  /// nearest centroid so far.
  void start(const double* draws) {
    w_.nearest.assign(rows_, std::numeric_limits<double>::infinity());
    double total = 0;
    size_t row = static_cast<size_t>(draws[0] * static_cast<double>(rows_));
    for (size_t k = 0; k < count_; k++) {
      if (k > 0 && total > 0) {
        double rest = draws[k] * total;
        for (row = 0; row < rows_ - 1; row++) {
          rest -= w_.nearest[row];
          if (rest < 0) break;
        }
      }
      std::copy_n(point(row), length_, centroid(k));
      total = 0;
      for (size_t n = 0; n < rows_; n++) {
        w_.nearest[n] = std::min(w_.nearest[n], squaredDistance(point(n), centroid(k), length_));
        total += w_.nearest[n];
      }
    }
  }

  /// One Lloyd iteration; false where nothing moved.
  bool move() {
    w_.packed.pack(centroids_, 1, count_, length_);
    kernels_.encodePositions(w_.packed.view(), 0, w_.lanes.data(), taps_.data(), rows_, w_.codes.data());
    w_.sums.assign(count_ * length_, 0);
    w_.counts.assign(count_, 0);
    const float* from = w_.points.data();
    for (size_t n = 0; n < rows_; n++, from += length_) {
      const size_t k = w_.codes.data()[n];
      double* sum = w_.sums.data() + k * length_;
      for (size_t v = 0; v < length_; v++) sum[v] += static_cast<double>(from[v]);
      w_.counts[k]++;
    }
    bool moved = false;
    for (size_t k = 0; k < count_; k++) {
      if (w_.counts[k] == 0) continue;
      for (size_t v = 0; v < length_; v++) {
        const float next = static_cast<float>(w_.sums[k * length_ + v] / static_cast<double>(w_.counts[k]));
        moved = moved || next != centroid(k)[v];
        centroid(k)[v] = next;
      }
    }
    const bool someEmpty = std::find(w_.counts.begin(), w_.counts.end(), size_t{0}) != w_.counts.end();
    return (someEmpty && reseed()) || moved;
  }

 private:
  const float* point(size_t n) const { return w_.points.data() + n * length_; }
  float* centroid(size_t k) { return centroids_ + k * length_; }

  /// Every donor once; false where all points sit on their centroids.
  bool reseed() {
    w_.errors.assign(count_, 0);
    w_.farthestDistance.assign(count_, 0);
    w_.farthest.assign(count_, 0);
    for (size_t n = 0; n < rows_; n++) {
      const size_t k = w_.codes.data()[n];
      const double distance = squaredDistance(point(n), centroid(k), length_);
      w_.errors[k] += distance;
      if (distance > w_.farthestDistance[k]) {
        w_.farthestDistance[k] = distance;
        w_.farthest[k] = n;
      }
    }
    bool moved = false;
    for (size_t k = 0; k < count_; k++) {
      const auto donor = std::max_element(w_.errors.begin(), w_.errors.end());
      if (w_.counts[k] > 0 || *donor == 0) continue;
      std::copy_n(point(w_.farthest[static_cast<size_t>(donor - w_.errors.begin())]), length_, centroid(k));
      *donor = 0;
      moved = true;
    }
    return moved;
  }

  const Microkernels& kernels_;
  ClusteringWorkspace& w_;
  float* centroids_;
  size_t rows_, count_, length_, stride_;
  std::vector<ptrdiff_t> taps_;
};

}  // namespace

void cluster(const Microkernels& kernels, const Clustering& problem, size_t codebook, ClusteringWorkspace& workspace,
             float* centroids) {
  CodebookClusters clusters(kernels, problem, workspace, centroids);
  clusters.read(problem, codebook);
  clusters.start(problem.draws + codebook * problem.numCentroids);
  for (size_t iteration = 0; iteration < problem.iterations; iteration++)
    if (!clusters.move()) return;
}

}  // namespace lutnn
