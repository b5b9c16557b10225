#include "fronts/onnxruntime/layer_norm_operator.h"

#include <utility>

#include "fronts/onnxruntime/shape_reader.h"

namespace lutnn {

namespace {

class LayerNormKernel : public NodeKernel {
 public:
  LayerNormKernel(const OrtFunctions& ort, const std::string& operatorName, bool withFloats, ContextPool& contexts,
                  const OrtKernelInfo* info)
      : NodeKernel(ort, operatorName, info), contexts_(contexts), withFloats_(withFloats) {
    const NodeReader node(ort, info);
    epsilon_ = node.epsilon();
    resultScale_ = node.scale(3, "outputScale");
    resultZeroPoint_ = node.number<uint8_t>(4, "outputZeroPoint");
    const std::optional<OrtShape> x = node.declared(0);
    if (x) requireRows(*x);
    for (const auto& [index, name] : {std::pair(1, "scale"), std::pair(2, "shift")}) {
      const size_t place = static_cast<size_t>(index);
      const std::optional<OrtShape> given =
          node.isConstant(place) ? node.finite(place, name, 1).shape : node.declared(place);
      if (x && given && (given->size() != 1 || !mayBeSame(given->back(), x->back())))
        refuse(std::string(name) + " must have a number for each of a row of x, which is " + textOf(*x) + " (got " +
               textOf(*given) + ")");
    }
  }

  void compute(OrtKernelContext* context) const override {
    const OrtValue *x = input(context, 0), *scale = input(context, 1), *shift = input(context, 2);
    const OrtShape shape = shapeOf(ort_, x);
    requireRows(shape);
    const auto floats = [&](const OrtValue* value) {
      return lutnn_floats{static_cast<const float*>(dataOf(value)), elementsOf(shapeOf(ort_, value))};
    };
    const int64_t elements = elementsOf(shape);
    lutnn_byte_results bytes{.scale = resultScale_, .zero_point = resultZeroPoint_};
    lutnn_layer_norm run{.rows = elements / shape.back(),
                         .length = shape.back(),
                         .x = floats(x),
                         .scale = floats(scale),
                         .shift = floats(shift),
                         .epsilon = epsilon_,
                         .quantized = &bytes};
    if (withFloats_) run.y = {static_cast<float*>(output(context, 0, shape)), elements};
    bytes.bytes = {static_cast<uint8_t*>(output(context, withFloats_ ? 1 : 0, shape)), elements};
    SessionThreads threads(ort_, context);
    const lutnn_executor executor = threads.executor();
    run.executor = &executor;
    const ContextPool::Lease lease(contexts_);
    lutnn_error error;
    require(lutnn_layer_norm_run(&run, lease.get(), &error), error);
    threads.check();
  }

 private:
  static void requireRows(const OrtShape& x) {
    if (x.empty() || x.back() == 0) refuse("x must have rows of numbers (got " + textOf(x) + ")");
  }

  ContextPool& contexts_;
  const bool withFloats_;
  float epsilon_ = 0, resultScale_ = 1;
  int64_t resultZeroPoint_ = 0;
};

}  // namespace

std::unique_ptr<NodeKernel> LayerNormOperator::make(const OrtFunctions& ort, ContextPool& contexts,
                                                    const OrtKernelInfo* info) const {
  return std::make_unique<LayerNormKernel>(ort, name_, withFloats_, contexts, info);
}

void LayerNormOperator::inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const {
  const ShapeReader reader(ort, context);
  const OpenShape y = reader.input(0);
  for (size_t index = 0; index < outputs(); index++) reader.output(index, outputType(index), y);
}

}  // namespace lutnn
