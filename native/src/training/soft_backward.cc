// The exact backward pass in blocks of positions. For one codebook and one block, with x its sub-vectors (V, n):
//
//   factored (T = P · W): X̃ · W with X̃ = Σ_k a_k P_k stands for the table, so that
//     H = W · dyᵀ (V, n)    G = P · H (K, n)    a, s = soft(x, G)    dW += X̃ · dy    dP += a · Hᵀ
//   through the table:
//     G = T · dyᵀ (K, n)    a, s = soft(x, G)    dT += a · dy    (at the end dW = Pᵀ · dT, dP += dT · Wᵀ)
//   both:
//     dx = Pᵀ · s − (Σ_k s_k) ∘ x    dP += s · xᵀ − (Σ_n s_n) ∘ P
//
// Work is cut into items, a chunk of codebooks in a segment of the positions, by sizes alone; each item has sums of its
// own, which are added up in a fixed order. So results do not depend on the number of threads.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "training/soft_lookup.h"

namespace lutnn {
namespace {

/// So many items let a machine's threads finish together.
constexpr size_t kItems = 32;
/// From so many outputs on, more codebooks share the work of laying dy out, as long as their products have at most so many
/// rows.
constexpr size_t kWideOutputs = 64, kMostRows = 256;
/// Floats that the sums of all segments may take together.
constexpr size_t kMostSums = size_t{1} << 23;

/// Whether the factored form takes fewer multiplications for a sub-vector.
bool isFactored(const SoftLayer& layer) {
  const size_t k = layer.numCentroids, v = layer.subvectorLength, m = layer.outputs;
  return layer.fromWeight && 3 * k * v + 2 * v * m < 2 * k * m;
}

class Backward {
 public:
  Backward(const TrainingMicrokernels& kernels, const SoftLayer& layer, const SoftAssignment& assignment,
           const Source& source, const float* dy, const Codebooks& codebooks, Executor& executor,
           std::vector<TrainingWorkspace>& workspaces, Buffer<float>& sums)
      : kernels_(kernels),
        layer_(layer),
        assignment_(assignment),
        source_(source),
        dy_(dy),
        codebooks_(codebooks),
        executor_(executor),
        workspaces_(workspaces),
        factored_(isFactored(layer)),
        length_(layer.subvectorLength),
        centroids_(layer.numCentroids),
        outputs_(layer.outputs),
        outputStride_(roundUp(layer.outputs, kernels.lanes)),
        bookRows_(factored_ ? layer.subvectorLength : layer.numCentroids),
        readers_(executor.slots()) {
    const SubVectors& reader = readerOf(0);
    stride_ = reader.stride();
    chunk_ = reader.chunkCodebooks();
    if (outputs_ >= kWideOutputs) chunk_ *= std::clamp<size_t>(kMostRows / (chunk_ * bookRows_), 1, 4);
    chunks_ = (layer.numCodebooks + chunk_ - 1) / chunk_;
    groups_ = reader.numGroups();
    productSums_ = layer.numCodebooks * bookRows_ * outputStride_;
    segmentSums_ = productSums_ + layer.numCodebooks * centroids_ * (length_ + 1);
    const size_t most = std::max<size_t>(1, kMostSums / segmentSums_);
    segments_ = std::clamp<size_t>(kItems / chunks_, 1, std::min(groups_, most));
    sums_ = sums.reserve(segments_ * segmentSums_);
    temperature_ = std::log1p(std::exp(-std::fabs(assignment.inverseTemperatureLogit))) +
                   std::fmax(assignment.inverseTemperatureLogit, 0.0f) + 1;
  }

  void run(const SoftGradients& gradients) {
    std::vector<double> slopes(chunks_ * segments_, 0.0);
    const size_t positions = std::visit([](const auto& from) { return from.positions(); }, source_);
    const size_t operations = 2 * layer_.numCodebooks * bookRows_ * (outputs_ + 2 * centroids_);  // of a position
    executor_.forEach(chunks_ * segments_, positions * operations, [&](size_t item, size_t worker) {
      slopes[item] = runItem(item / segments_, item % segments_, worker);
    });
    executor_.forEach(layer_.numCodebooks, segments_ * segmentSums_ + 2 * layer_.tableOperations(),
                      [&](size_t c, size_t worker) { finish(c, worker, gradients); });
    double slope = 0;
    for (double part : slopes) slope += part;
    *gradients.inverseTemperatureLogit =
        static_cast<float>(slope / (1 + std::exp(-static_cast<double>(assignment_.inverseTemperatureLogit))));
  }

 private:
  SubVectors& readerOf(size_t worker) {
    if (!readers_[worker]) readers_[worker] = subVectorsOf(kernels_, source_, workspaces_[worker].planes);
    return *readers_[worker];
  }

  /// The sums of a codebook in a segment: of dW or dT (V or K, M'), the other codebooks' behind it.
  float* productSums(size_t segment, size_t codebook) {
    return sums_ + segment * segmentSums_ + codebook * bookRows_ * outputStride_;
  }
  /// Of dP (K, V + 1), the last column being Σ_n s_n.
  float* centroidSums(size_t segment, size_t codebook) {
    return sums_ + segment * segmentSums_ + productSums_ + codebook * centroids_ * (length_ + 1);
  }

  const float* packedCentroids(size_t codebook, size_t k) const {
    const size_t block = codebook * codebooks_.numBlocks + k / kBlockCentroids;
    return codebooks_.centroids + block * length_ * kBlockCentroids;
  }

  /// Returns Σ −q d of the chunk in the segment.
  double runItem(size_t chunkIndex, size_t segment, size_t worker) {
    SubVectors& reader = readerOf(worker);
    TrainingWorkspace& w = workspaces_[worker];
    const size_t lanes = kernels_.lanes, firstBook = chunkIndex * chunk_;
    const Range chunk{firstBook, std::min(chunk_, layer_.numCodebooks - firstBook)};
    const size_t rows = chunk.count * bookRows_;
    w.x.reserve((length_ + 1) * stride_);
    w.product.reserve(std::max(rows, chunk.count * length_) * stride_);
    w.pulls.reserve(2 * roundUp(centroids_, kBlockCentroids) * stride_);
    w.minusSums.reserve(stride_);
    const size_t rowSums = chunk.count * centroids_ * (length_ + 1) * lanes;
    std::fill_n(w.rowSums.reserve(rowSums), rowSums, 0.0f);
    std::fill_n(productSums(segment, firstBook), rows * outputStride_, 0.0f);
    std::fill_n(w.x.data() + length_ * stride_, stride_, 1.0f);
    const TableRows left = leftFactor(chunk, w);

    double slope = 0;
    for (size_t g = segment * groups_ / segments_; g < (segment + 1) * groups_ / segments_; g++) {
      const Range group = reader.group(g);
      reader.open(g, chunk, true);
      for (size_t n = 0; n < group.count; n += reader.blockPositions()) {
        const Range block{group.first + n, std::min(reader.blockPositions(), group.count - n)};
        reader.openBlock(block);
        packGradients(block, w);
        kernels_.multiply({.a = left.values,
                           .aRow = left.stride,
                           .aColumn = 1,
                           .b = w.gradientsTransposed.data(),
                           .bRow = kernels_.panel,
                           .bPanel = outputs_ * kernels_.panel,
                           .c = w.product.data(),
                           .cRow = stride_,
                           .rows = rows,
                           .depth = outputs_,
                           .columns = roundUp(block.count, lanes)});
        for (size_t i = 0; i < chunk.count; i++) slope += runBook(reader, block.count, chunk, i, w);
        kernels_.multiply({.a = w.product.data(),
                           .aRow = stride_,
                           .aColumn = 1,
                           .b = w.gradients.data(),
                           .bRow = kernels_.panel,
                           .bPanel = kernels_.panel * block.count,
                           .c = productSums(segment, firstBook),
                           .cRow = outputStride_,
                           .rows = rows,
                           .depth = block.count,
                           .columns = outputStride_,
                           .accumulate = true});
      }
      reader.close();
    }
    kernels_.sumLanes(w.rowSums.data(), chunk.count * centroids_ * (length_ + 1), centroidSums(segment, firstBook));
    return slope;
  }

  /// The rows that dyᵀ is multiplied by: the weight, or the table.
  TableRows leftFactor(Range chunk, TrainingWorkspace& w) {
    if (factored_) return {layer_.table + chunk.first * length_ * outputs_, outputs_};
    if (!layer_.fromWeight) return {layer_.table + chunk.first * centroids_ * outputs_, outputs_};
    float* tables = w.tables.reserve(chunk.count * centroids_ * outputStride_);
    for (size_t i = 0; i < chunk.count; i++) {
      const TableRows rows = tableOf(kernels_, layer_, codebooks_, chunk.first + i, w);
      std::copy_n(rows.values, centroids_ * outputStride_, tables + i * centroids_ * outputStride_);
    }
    return {tables, outputStride_};
  }

  /// dy of a block as the right factor of both products: transposed, and as it is, in panels filled up with zeros.
  void packGradients(Range block, TrainingWorkspace& w) {
    const size_t panel = kernels_.panel, positions = roundUp(block.count, panel), lanes = kernels_.lanes;
    const float* dy = dy_ + block.first * outputs_;
    float* transposed = w.gradientsTransposed.reserve(positions * outputs_);
    for (size_t n = 0; n < block.count; n += panel) {
      float* to = transposed + n * outputs_;
      const size_t count = std::min(panel, block.count - n);
      if (count % lanes != 0) std::fill_n(to, panel * outputs_, 0.0f);
      kernels_.transpose(dy + n * outputs_, outputs_, count, outputs_, to, panel);
    }
    float* panels = w.gradients.reserve(block.count * roundUp(outputs_, panel));
    for (size_t m = 0; m < outputs_; m += panel) {
      float* to = panels + m * block.count;
      const size_t count = std::min(panel, outputs_ - m);
      if (count % lanes != 0) std::fill_n(to, panel * block.count, 0.0f);
      kernels_.copy(
          {.from = dy + m, .fromStride = outputs_, .to = to, .toStride = panel, .rows = block.count, .width = count});
    }
  }

  /// One codebook at the open block: x → dx, which goes back at once; H → X̃, or G → a.
  double runBook(SubVectors& reader, size_t count, Range chunk, size_t i, TrainingWorkspace& w) {
    const size_t codebook = chunk.first + i, positions = roundUp(count, kernels_.lanes);
    float* x = w.x.data();
    float* product = w.product.data() + i * bookRows_ * stride_;
    float* s = w.pulls.data();
    float* a = factored_ ? s + roundUp(centroids_, kBlockCentroids) * stride_ : product;
    reader.get(i, x);
    for (size_t v = 0; v < length_; v++) std::fill(x + v * stride_ + count, x + v * stride_ + positions, 0.0f);
    if (factored_)
      eachBlock([&](size_t k, size_t count) {  // G = P · H
        multiplyCentroids({.codebook = codebook,
                           .k = k,
                           .right = product,
                           .to = a + k * stride_,
                           .rows = count,
                           .depth = length_,
                           .positions = positions});
      });
    double slope = 0;
    kernels_.softBackward({.centroids = packedCentroids(codebook, 0),
                           .halfNorms = codebooks_.halfNorms + codebook * codebooks_.numBlocks * kBlockCentroids,
                           .numCentroids = centroids_,
                           .subvectorLength = length_,
                           .inverseTemperature = temperature_,
                           .squared = assignment_.squaredDistance,
                           .positions = positions,
                           .stride = stride_,
                           .x = x,
                           .a = a,
                           .s = s,
                           .minusSumS = w.minusSums.data(),
                           .dInverseTemperature = &slope});
    float* rowSums = w.rowSums.data() + i * centroids_ * (length_ + 1) * kernels_.lanes;
    const auto addRowProducts = [&](const float* left, const float* right, size_t rightRows) {
      kernels_.multiplyRows({.a = left,
                             .b = right,
                             .aRows = centroids_,
                             .bRows = rightRows,
                             .stride = stride_,
                             .positions = positions,
                             .sums = rowSums,
                             .sumsRow = length_ + 1});
    };
    addRowProducts(s, x, length_ + 1);
    if (factored_) {
      addRowProducts(a, product, length_);
      eachBlock([&](size_t k, size_t count) {  // X̃ = Pᵀ · a
        multiplyCentroids({.codebook = codebook,
                           .k = k,
                           .transposed = true,
                           .right = a + k * stride_,
                           .to = product,
                           .rows = length_,
                           .depth = count,
                           .positions = positions,
                           .accumulate = k > 0});
      });
    }
    eachBlock([&](size_t k, size_t count) {  // dx = Pᵀ · s − (Σ_k s_k) ∘ x
      multiplyCentroids({.codebook = codebook,
                         .k = k,
                         .transposed = true,
                         .right = s + k * stride_,
                         .to = x,
                         .rows = length_,
                         .depth = count,
                         .positions = positions,
                         .accumulate = true,
                         .scale = k == 0 ? w.minusSums.data() : nullptr});
    });
    reader.put(i, x);
    return slope;
  }

  template <class Visit>
  void eachBlock(Visit visit) const {
    for (size_t k = 0; k < centroids_; k += kBlockCentroids) visit(k, std::min(kBlockCentroids, centroids_ - k));
  }

  /// P or Pᵀ, of up to 16 centroids from k on, times rows of positions.
  struct CentroidProduct {
    size_t codebook, k;
    bool transposed = false;
    const float* right;
    float* to;
    size_t rows, depth, positions;
    bool accumulate = false;
    const float* scale = nullptr;
  };
  void multiplyCentroids(const CentroidProduct& p) {
    kernels_.multiply({.a = packedCentroids(p.codebook, p.k),
                       .aRow = p.transposed ? kBlockCentroids : 1,
                       .aColumn = p.transposed ? 1 : kBlockCentroids,
                       .b = p.right,
                       .bRow = stride_,
                       .bPanel = kernels_.panel,
                       .c = p.to,
                       .cRow = stride_,
                       .rows = p.rows,
                       .depth = p.depth,
                       .columns = p.positions,
                       .accumulate = p.accumulate,
                       .scale = p.scale});
  }

  /// Adds up the segments of a codebook, and turns sums into gradients.
  void finish(size_t c, size_t worker, const SoftGradients& gradients) {
    float *sums = productSums(0, c), *forCentroids = centroidSums(0, c);
    for (size_t segment = 1; segment < segments_; segment++) {
      const float *more = productSums(segment, c), *moreForCentroids = centroidSums(segment, c);
      for (size_t i = 0; i < bookRows_ * outputStride_; i++) sums[i] += more[i];
      for (size_t i = 0; i < centroids_ * (length_ + 1); i++) forCentroids[i] += moreForCentroids[i];
    }
    float* dCentroids = gradients.centroids + c * centroids_ * length_;
    for (size_t k = 0; k < centroids_; k++)
      for (size_t v = 0; v < length_; v++) {
        const float *row = forCentroids + k * (length_ + 1),
                    centroid = layer_.centroids[(c * centroids_ + k) * length_ + v];
        dCentroids[k * length_ + v] = row[v] - row[length_] * centroid;
      }
    float* dTable = gradients.table + c * bookRows_ * outputs_;
    if (!factored_ && layer_.fromWeight) {
      const float* weight = layer_.table + c * length_ * outputs_;
      float* dWeight = workspaces_[worker].weight.reserve(length_ * outputStride_);
      eachBlock([&](size_t k, size_t count) {  // dW = Pᵀ · dT
        kernels_.multiply({.a = packedCentroids(c, k),
                           .aRow = kBlockCentroids,
                           .aColumn = 1,
                           .b = sums + k * outputStride_,
                           .bRow = outputStride_,
                           .bPanel = kernels_.panel,
                           .c = dWeight,
                           .cRow = outputStride_,
                           .rows = length_,
                           .depth = count,
                           .columns = outputStride_,
                           .accumulate = k > 0});
      });
      for (size_t k = 0; k < centroids_; k++)  // dP += dT · Wᵀ
        for (size_t v = 0; v < length_; v++)
          dCentroids[k * length_ + v] += kernels_.dot(sums + k * outputStride_, weight + v * outputs_, outputs_);
      dTable = gradients.table + c * length_ * outputs_;
      copyRows(dWeight, length_, dTable);
    } else {
      copyRows(sums, bookRows_, dTable);
    }
  }

  void copyRows(const float* from, size_t rows, float* to) {
    kernels_.copy(
        {.from = from, .fromStride = outputStride_, .to = to, .toStride = outputs_, .rows = rows, .width = outputs_});
  }

  const TrainingMicrokernels& kernels_;
  const SoftLayer& layer_;
  const SoftAssignment& assignment_;
  const Source& source_;
  const float* dy_;
  const Codebooks& codebooks_;
  Executor& executor_;
  std::vector<TrainingWorkspace>& workspaces_;
  bool factored_;
  size_t length_, centroids_, outputs_, outputStride_, bookRows_;
  std::vector<std::unique_ptr<SubVectors>> readers_;
  size_t stride_, chunk_, chunks_, groups_, segments_, productSums_, segmentSums_;
  float* sums_;
  float temperature_;
};

}  // namespace

void Trainer::backward(const SoftLayer& layer, const SoftAssignment& assignment, const Source& source, const float* dy,
                       const SoftGradients& gradients) {
  const std::lock_guard<std::mutex> lock(oneCall_);
  codebooks_.pack(layer.centroids, layer.numCodebooks, layer.numCentroids, layer.subvectorLength);
  Backward(kernels_, layer, assignment, source, dy, codebooks_.view(), executor_, workspaces_, sums_).run(gradients);
}

}  // namespace lutnn
