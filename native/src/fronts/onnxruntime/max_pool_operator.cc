#include "fronts/onnxruntime/max_pool_operator.h"

#include "fronts/onnxruntime/shape_reader.h"

namespace lutnn {

namespace {

class MaxPoolKernel : public NodeKernel {
 public:
  MaxPoolKernel(const OrtFunctions& ort, const std::string& operatorName, ContextPool& contexts,
                const OrtKernelInfo* info)
      : NodeKernel(ort, operatorName, info), contexts_(contexts), window_(NodeReader(ort, info).window()) {}

  void compute(OrtKernelContext* context) const override {
    const OrtValue* x = input(context, 0);
    const OrtShape shape = shapeOf(ort_, x);
    if (shape.size() != 4) refuse("x must be images, batch × channels × height × width (got " + textOf(shape) + ")");
    lutnn_error error;
    lutnn_window window = window_;
    window.input_channels = shape[1];
    int64_t size[2];
    require(lutnn_max_pool_size(&window, shape[2], shape[3], size, &error), error);
    const OrtShape result{shape[0], shape[1], size[0], size[1]};
    SessionThreads threads(ort_, context);
    const lutnn_executor executor = threads.executor();
    const lutnn_max_pool pool{.window = window,
                              .batch = shape[0],
                              .height = shape[2],
                              .width = shape[3],
                              .x = {static_cast<const uint8_t*>(dataOf(x)), elementsOf(shape)},
                              .y = {static_cast<uint8_t*>(output(context, 0, result)), elementsOf(result)},
                              .executor = &executor};
    const ContextPool::Lease lease(contexts_);
    require(lutnn_max_pool_run(&pool, lease.get(), &error), error);
    threads.check();
  }

 private:
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
