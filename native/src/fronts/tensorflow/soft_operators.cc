#include "fronts/tensorflow/soft_operators.h"

#include <algorithm>
#include <numeric>

#include "fronts/tensorflow/tensorflow_operator.h"
#include "isa/training_dispatch.h"

namespace lutnn {

/// Never destroyed: its threads may sleep in it when the process ends.
Trainer& sharedTrainer() {
  static Trainer* const trainer = [] {
    const Microkernels& kernels = chooseMicrokernels();
    return new Trainer(trainingMicrokernelsFor(kernels), kernels, std::max(1u, std::thread::hardware_concurrency()));
  }();
  return *trainer;
}

namespace {

using Shape = std::vector<int64_t>;

std::string text(const Shape& shape) {
  std::string lengths;
  for (int64_t length : shape) lengths += (lengths.empty() ? "" : ", ") + std::to_string(length);
  return "(" + lengths + ")";
}

void require(bool condition, const std::string& rule, const Shape& got) {
  if (!condition) throw OperatorFailure("soft-PQ: " + rule + " (got " + text(got) + ")");
}

size_t length(const Shape& shape, size_t axis) { return static_cast<size_t>(shape[axis]); }

/// How the operator finds its sub-vectors, and the layer that it computes.
class SoftKernel {
 public:
  explicit SoftKernel(const Attributes& attributes) : fromWeight_(attributes.flag("from_weight")) {
    const std::vector<int32_t> numbers = attributes.numbers("window");
    if (numbers.empty()) return;
    const bool fine = numbers.size() == 10 &&
                      std::all_of(numbers.begin(), numbers.begin() + 6, [](int32_t n) { return n >= 1; }) &&
                      std::all_of(numbers.begin() + 6, numbers.end(), [](int32_t n) { return n >= 0; });
    require(fine, "window must be six numbers from 1 and four from 0", Shape(numbers.begin(), numbers.end()));
    std::vector<size_t> n(numbers.begin(), numbers.end());
    hasWindow_ = true;
    window_ = {0, n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9]};
  }

 protected:
  struct Call {
    Tensor x, centroids, table;
    SoftLayer layer;
    Source source;  // without dx
    Shape outputShape;
  };

  Call read(TF_OpKernelContext* context) const {
    Call call{Tensor(context, 0), Tensor(context, 1), Tensor(context, 2), {}, Rows{}, {}};
    const Shape x = call.x.shape(), centroids = call.centroids.shape(), table = call.table.shape();
    require(x.size() == (hasWindow_ ? 4 : 2), hasWindow_ ? "x must be images of rank 4" : "x must be a matrix", x);
    require(std::all_of(x.begin(), x.end(), [](int64_t n) { return n > 0; }), "x must not be empty", x);
    require(centroids.size() == 3 && centroids[0] > 0 && centroids[2] > 0, "centroids must be (C, K, V)", centroids);
    const size_t books = length(centroids, 0), count = length(centroids, 1), subvector = length(centroids, 2);
    require(count >= 1 && count <= 256, "K, the length of the second axis of the centroids, must be 1 … 256",
            centroids);
    const size_t rows = books * (fromWeight_ ? subvector : count);
    require(table.size() == (fromWeight_ ? 2 : 3) && table.back() > 0 &&
                rows == static_cast<size_t>(
                            std::accumulate(table.begin(), table.end() - 1, int64_t{1}, std::multiplies<int64_t>())) &&
                (fromWeight_ || table[1] == centroids[1]),
            fromWeight_ ? "the weight must be (C·V, M) with C·V = " + std::to_string(rows)
                        : "the table must be (C, K, M) with C and K of the centroids",
            table);
    const size_t area = hasWindow_ ? window_.filterHeight * window_.filterWidth : 1;
    require(length(x, x.size() - 1) * area == books * subvector && subvector % area == 0,
            "the last axis of x times the filter's positions must be C·V, and V whole channels", x);
    const size_t outputs = static_cast<size_t>(table.back());
    call.layer = {books, count, subvector, outputs, call.centroids.data(), call.table.data(), fromWeight_};
    if (hasWindow_) {
      Window window = window_;
      window.inputChannels = length(x, 3);
      const Images images{call.x.data(), nullptr, length(x, 0), length(x, 1), length(x, 2), window, subvector};
      require(images.positions() > 0, "the filter must fit into the padded images", x);
      call.source = images;
      call.outputShape = {x[0], static_cast<int64_t>(images.outputHeight()), static_cast<int64_t>(images.outputWidth()),
                          table.back()};
    } else {
      call.source = Rows{call.x.data(), nullptr, length(x, 0), books, subvector};
      call.outputShape = {x[0], table.back()};
    }
    return call;
  }

 private:
  bool fromWeight_, hasWindow_ = false;
  Window window_{};
};

class SoftLookup : SoftKernel {
 public:
  explicit SoftLookup(const Attributes& attributes)
      : SoftKernel(attributes), format_{attributes.number("bits"), attributes.flag("scale_per_output")} {
    if (format_.bits != 0 && format_.bits != 16 && (format_.bits < 2 || format_.bits > 8))
      throw OperatorFailure("soft-PQ: bits must be 2 … 8, 16, or 0 for the real table (got " +
                            std::to_string(format_.bits) + ")");
  }
  void compute(TF_OpKernelContext* context) const {
    const Call call = read(context);
    const Tensor y(context, 0, call.outputShape);
    sharedTrainer().forward(call.layer, format_, call.source, y.data());
  }

 private:
  TableFormat format_;
};

class SoftLookupGrad : SoftKernel {
 public:
  explicit SoftLookupGrad(const Attributes& attributes)
      : SoftKernel(attributes), squared_(attributes.flag("squared")) {}
  void compute(TF_OpKernelContext* context) const {
    Call call = read(context);
    const Tensor logit(context, 3), dy(context, 4);
    require(dy.shape() == call.outputShape, "dy must be " + text(call.outputShape), dy.shape());
    const Tensor dx(context, 0, call.x.shape()), dCentroids(context, 1, call.centroids.shape()),
        dTable(context, 2, call.table.shape()), dLogit(context, 3, {});
    std::visit([&](auto& source) { source.dx = dx.data(); }, call.source);
    sharedTrainer().backward(call.layer, {squared_, *logit.data()}, call.source, dy.data(),
                             {dCentroids.data(), dTable.data(), dLogit.data()});
  }

 private:
  bool squared_;
};

class Table {
 public:
  explicit Table(const Attributes&) {}
  void compute(TF_OpKernelContext* context) const {
    const Tensor centroids(context, 0), weight(context, 1);
    const Shape p = centroids.shape(), w = weight.shape();
    require(p.size() == 3 && p[1] >= 1 && p[1] <= 256, "centroids must be (C, K, V), and K 1 … 256", p);
    require(w.size() == 2 && w[0] == p[0] * p[2], "the weight must be (C·V, M)", w);
    const Tensor table(context, 0, {p[0], p[1], w[1]});
    sharedTrainer().table(
        {length(p, 0), length(p, 1), length(p, 2), length(w, 1), centroids.data(), weight.data(), true}, table.data());
  }
};

}  // namespace

void registerSoftOperators() {
  static std::mutex mutex;
  static bool done = false;
  const std::lock_guard<std::mutex> lock(mutex);
  if (done) return;
  sharedTrainer();
  if (isRegistered("LutnnSoftLookup"))
    throw std::runtime_error(
        "another copy of lutnn_training.node has registered its operators in this process; load one copy only");
  registerOperator<SoftLookup>({"LutnnSoftLookup",
                                {"from_weight: bool", "window: list(int)", "bits: int", "scale_per_output: bool"},
                                {"x: float", "centroids: float", "table: float"},
                                {"y: float"}});
  registerOperator<SoftLookupGrad>({"LutnnSoftLookupGrad",
                                    {"from_weight: bool", "window: list(int)", "squared: bool"},
                                    {"x: float", "centroids: float", "table: float", "logit: float", "dy: float"},
                                    {"dx: float", "dcentroids: float", "dtable: float", "dlogit: float"}});
  registerOperator<Table>({"LutnnTable", {}, {"centroids: float", "weight: float"}, {"table: float"}});
  done = true;
}

}  // namespace lutnn
