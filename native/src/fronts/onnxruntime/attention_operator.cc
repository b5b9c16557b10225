#include "fronts/onnxruntime/attention_operator.h"

#include "fronts/onnxruntime/shape_reader.h"

namespace lutnn {

namespace {

class AttentionKernel : public NodeKernel {
 public:
  AttentionKernel(const OrtFunctions& ort, const std::string& operatorName, bool isMasked, ContextPool& contexts,
                  const OrtKernelInfo* info)
      : NodeKernel(ort, operatorName, info), contexts_(contexts), isMasked_(isMasked) {
    const NodeReader node(ort, info);
    heads_ = node.integer("numHeads");
    scale_ = node.number<float>(isMasked ? 4 : 3, "scale");
    if (heads_ < 1) refuse("the attribute numHeads must be at least 1 (got " + std::to_string(heads_) + ")");
  }

  void compute(OrtKernelContext* context) const override {
    const char* const names[] = {"query", "key", "value"};
    OrtShape shapes[3];
    lutnn_floats arrays[3], mask{};
    for (size_t i = 0; i < 3; i++) {
      const OrtValue* value = input(context, i);
      shapes[i] = shapeOf(ort_, value);
      if (shapes[i].size() != 3 || shapes[i][2] % heads_ != 0)
        refuse(std::string(names[i]) + " must be batch × length × numbers of " + std::to_string(heads_) +
               " heads (got " + textOf(shapes[i]) + ")");
      arrays[i] = {static_cast<const float*>(dataOf(value)), elementsOf(shapes[i])};
    }
    const auto& [query, key, value] = shapes;
    if (isMasked_) {
      const OrtValue* given = input(context, 3);
      mask = {static_cast<const float*>(dataOf(given)), elementsOf(shapeOf(ort_, given))};
    }
    const OrtShape result{query[0], query[1], value[2]};
    SessionThreads threads(ort_, context);
    const lutnn_executor executor = threads.executor();
    const lutnn_attention run{.batch = query[0],
                              .heads = heads_,
                              .queries = query[1],
                              .positions = key[1],
                              .depth = query[2] / heads_,
                              .outputs = value[2] / heads_,
                              .query = arrays[0],
                              .key = arrays[1],
                              .value = arrays[2],
                              .mask = isMasked_ ? &mask : nullptr,
                              .scale = scale_,
                              .y = {static_cast<float*>(output(context, 0, result)), elementsOf(result)},
                              .executor = &executor};
    const ContextPool::Lease lease(contexts_);
    lutnn_error error;
    require(lutnn_attention_run(&run, lease.get(), &error), error);
    threads.check();
  }

 private:
  ContextPool& contexts_;
  const bool isMasked_;
  int64_t heads_ = 1;
  float scale_ = 1;
};

}  // namespace

std::unique_ptr<NodeKernel> AttentionOperator::make(const OrtFunctions& ort, ContextPool& contexts,
                                                    const OrtKernelInfo* info) const {
  return std::make_unique<AttentionKernel>(ort, name_, isMasked_, contexts, info);
}

void AttentionOperator::inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const {
  const ShapeReader reader(ort, context);
  OpenShape y = reader.input(0);
  const OpenShape value = reader.input(2);
  if (y.lengths.size() != 3 || value.lengths.size() != 3 || value.lengths[2] < 0) return;
  y.set(2, value.lengths[2]);
  reader.output(0, kOrtFloat32, y);
}

}  // namespace lutnn
