#include "fronts/onnxruntime/max_pool_operator.h"

#include <algorithm>

#include "fronts/onnxruntime/shape_reader.h"

namespace lutnn {

namespace {

class MaxPoolKernel : public NodeKernel {
 public:
  MaxPoolKernel(const OrtFunctions& ort, const std::string& operatorName, ContextPool& contexts,
                const OrtKernelInfo* info)
      : NodeKernel(ort, operatorName, info), contexts_(contexts), window_(NodeReader(ort, info).window()) {
    lutnn_error error;
    require(lutnn_check_max_pool(&window_, &error), error);
    if (const std::optional<OrtShape> x = NodeReader(ort, info).declared(0)) {
      requireImages(*x);
      if (std::find_if(x->begin() + 1, x->end(), [](int64_t length) { return length < 0; }) == x->end()) resultOf(*x);
    }
  }

  void compute(OrtKernelContext* context) const override {
    const OrtValue* x = input(context, 0);
    const OrtShape shape = shapeOf(ort_, x);
    requireImages(shape);
    const OrtShape result = resultOf(shape);
    SessionThreads threads(ort_, context);
    const lutnn_executor executor = threads.executor();
    lutnn_window window = window_;
    window.input_channels = shape[1];
    const lutnn_max_pool pool{.window = window,
                              .batch = shape[0],
                              .height = shape[2],
                              .width = shape[3],
                              .x = {static_cast<const uint8_t*>(dataOf(x)), elementsOf(shape)},
                              .y = {static_cast<uint8_t*>(output(context, 0, result)), elementsOf(result)},
                              .executor = &executor};
    const ContextPool::Lease lease(contexts_);
    lutnn_error error;
    require(lutnn_max_pool_run(&pool, lease.get(), &error), error);
    threads.check();
  }

 private:
  static void requireImages(const OrtShape& x) {
    if (x.size() != 4) refuse("x must be images, batch × channels × height × width (got " + textOf(x) + ")");
  }
  OrtShape resultOf(const OrtShape& x) const {
    lutnn_window window = window_;
    window.input_channels = x[1];
    int64_t size[2];
    lutnn_error error;
    require(lutnn_max_pool_size(&window, x[2], x[3], size, &error), error);
    return {x[0], x[1], size[0], size[1]};
  }

  ContextPool& contexts_;
  const lutnn_window window_;
};

}  // namespace

std::unique_ptr<NodeKernel> MaxPoolOperator::make(const OrtFunctions& ort, ContextPool& contexts,
                                                  const OrtKernelInfo* info) const {
  return std::make_unique<MaxPoolKernel>(ort, name_, contexts, info);
}

void MaxPoolOperator::inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const {
  const ShapeReader reader(ort, context);
  OpenShape y = reader.input(0);
  if (reader.slide(y, {1, 1})) reader.output(0, kOrtUint8, y);
}

}  // namespace lutnn
