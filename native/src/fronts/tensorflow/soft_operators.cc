#include "fronts/tensorflow/soft_operators.h"

#include <mutex>
#include <stdexcept>

#include "fronts/tensorflow/tensorflow_operator.h"
#include "training/lutnn_training.h"

namespace lutnn {
namespace {

using Shape = std::vector<int64_t>;

/// Hands on what the C API refused.
void check(lutnn_code code, const lutnn_error& error) {
  if (code == LUTNN_NO_MEMORY) throw std::bad_alloc();
  if (code == LUTNN_FAILED) throw std::runtime_error(error.message);
  if (code != LUTNN_OK) throw OperatorFailure("soft-PQ: " + std::string(error.message));
}

/// A tensor with its shape, as the C API has it.
struct Input {
  Input(TF_OpKernelContext* context, int index) : tensor(context, index), shape(tensor.shape()) {}
  operator lutnn_tensor() const { return {tensor.data(), shape.data(), static_cast<int64_t>(shape.size())}; }

  Tensor tensor;
  Shape shape;
};

/// How the operator finds its sub-vectors, and the layer that it computes.
class SoftKernel {
 public:
  explicit SoftKernel(const Attributes& attributes)
      : fromWeight_(attributes.flag("from_weight")), window_(attributes.numbers("window")) {
    const lutnn_soft_window window = this->window();
    lutnn_error error;
    check(lutnn_soft_check_window(&window, &error), error);
  }

 protected:
  struct Call {
    Input x, centroids, table;
    lutnn_soft_layer layer;
    Shape outputShape;
  };

  Call read(TF_OpKernelContext* context) const {
    Call call{Input(context, 0), Input(context, 1), Input(context, 2), {}, Shape(4)};
    call.layer = {.x = call.x,
                  .centroids = call.centroids,
                  .table = call.table,
                  .from_weight = fromWeight_,
                  .window = window(),
                  .input = nullptr};
    int64_t rank;
    lutnn_error error;
    check(lutnn_soft_output_shape(&call.layer, call.outputShape.data(), &rank, &error), error);
    call.outputShape.resize(static_cast<size_t>(rank));
    return call;
  }

 private:
  lutnn_soft_window window() const { return {window_.data(), static_cast<int64_t>(window_.size())}; }

  bool fromWeight_;
  std::vector<int32_t> window_;
};

/// `integers`: the operator has the scale and zero point of its input as inputs 3 and 4.
template <bool integers>
class SoftLookup : SoftKernel {
 public:
  explicit SoftLookup(const Attributes& attributes)
      : SoftKernel(attributes), format_{attributes.number("bits"), attributes.flag("scale_per_output")} {
    lutnn_error error;
    check(lutnn_soft_check_format(&format_, &error), error);
  }
  void compute(TF_OpKernelContext* context) const {
    Call call = read(context);
    lutnn_soft_input input;
    if (integers) {
      input = {*Tensor(context, 3).data(), *Tensor(context, 4).data()};
      call.layer.input = &input;
    }
    const Tensor y(context, 0, call.outputShape);
    lutnn_error error;
    check(lutnn_soft_forward(&call.layer, &format_, y.data(), &error), error);
  }

 private:
  lutnn_soft_format format_;
};

class SoftLookupGrad : SoftKernel {
 public:
  explicit SoftLookupGrad(const Attributes& attributes)
      : SoftKernel(attributes), squared_(attributes.flag("squared")) {}
  void compute(TF_OpKernelContext* context) const {
    const Call call = read(context);
    const Tensor logit(context, 3);
    const Input dy(context, 4);
    const Tensor dx(context, 0, call.x.shape), dCentroids(context, 1, call.centroids.shape),
        dTable(context, 2, call.table.shape), dLogit(context, 3, {});
    const lutnn_soft_gradients gradients{.dy = dy,
                                         .squared_distance = squared_,
                                         .inverse_temperature_logit = *logit.data(),
                                         .dx = dx.data(),
                                         .dcentroids = dCentroids.data(),
                                         .dtable = dTable.data(),
                                         .dlogit = dLogit.data()};
    lutnn_error error;
    check(lutnn_soft_backward(&call.layer, &gradients, &error), error);
  }

 private:
  bool squared_;
};

class Table {
 public:
  explicit Table(const Attributes&) {}
  void compute(TF_OpKernelContext* context) const {
    const Input centroids(context, 0), weight(context, 1);
    const lutnn_tensor p = centroids, w = weight;
    Shape shape(3);
    lutnn_error error;
    check(lutnn_soft_table_shape(&p, &w, shape.data(), &error), error);
    const Tensor table(context, 0, shape);
    check(lutnn_soft_table(&p, &w, table.data(), &error), error);
  }
};

class RoundedTable {
 public:
  explicit RoundedTable(const Attributes& attributes)
      : fromWeight_(attributes.flag("from_weight")),
        format_{attributes.number("bits"), attributes.flag("scale_per_output")} {}
  void compute(TF_OpKernelContext* context) const {
    const Input centroids(context, 0), table(context, 1);
    const lutnn_soft_rounding rounding{
        .centroids = centroids, .table = table, .from_weight = fromWeight_, .format = format_};
    int64_t shape[3];
    lutnn_error error;
    check(lutnn_soft_rounded_shape(&rounding, shape, &error), error);
    const int64_t entries = shape[0] * shape[1] * shape[2];
    const Tensor values(context, 0, {(entries + 3) / 4}, TF_INT32), scale(context, 1, {shape[2]});
    check(lutnn_soft_round(&rounding, static_cast<int8_t*>(values.bytes()), scale.data(), &error), error);
  }

 private:
  bool fromWeight_;
  lutnn_soft_format format_;
};

}  // namespace

void registerSoftOperators() {
  static std::mutex mutex;
  static bool done = false;
  const std::lock_guard<std::mutex> lock(mutex);
  if (done) return;
  if (isRegistered("LutnnSoftLookup"))
    throw std::runtime_error(
        "another copy of lutnn_training.node has registered its operators in this process; load one copy only");
  registerOperator<SoftLookup<false>>(
      {"LutnnSoftLookup",
       {"from_weight: bool", "window: list(int)", "bits: int", "scale_per_output: bool"},
       {"x: float", "centroids: float", "table: float"},
       {"y: float"}});
  registerOperator<SoftLookup<true>>(
      {"LutnnIntegerLookup",
       {"from_weight: bool", "window: list(int)", "bits: int", "scale_per_output: bool"},
       {"x: float", "centroids: float", "table: float", "input_scale: float", "input_zero_point: float"},
       {"y: float"}});
  registerOperator<SoftLookupGrad>({"LutnnSoftLookupGrad",
                                    {"from_weight: bool", "window: list(int)", "squared: bool"},
                                    {"x: float", "centroids: float", "table: float", "logit: float", "dy: float"},
                                    {"dx: float", "dcentroids: float", "dtable: float", "dlogit: float"}});
  registerOperator<Table>({"LutnnTable", {}, {"centroids: float", "weight: float"}, {"table: float"}});
  registerOperator<RoundedTable>({"LutnnRoundedTable",
                                  {"from_weight: bool", "bits: int", "scale_per_output: bool"},
                                  {"centroids: float", "table: float"},
                                  {"values: int32", "scale: float"}});
  done = true;
}

}  // namespace lutnn
