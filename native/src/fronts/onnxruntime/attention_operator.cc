#include "fronts/onnxruntime/attention_operator.h"

#include <type_traits>

#include "fronts/onnxruntime/shape_reader.h"

namespace lutnn {

namespace {

lutnn_code run(const lutnn_attention& given, lutnn_context* context, lutnn_error* error) {
  return lutnn_attention_run(&given, context, error);
}
lutnn_code run(const lutnn_attention_of_bytes& given, lutnn_context* context, lutnn_error* error) {
  return lutnn_attention_of_bytes_run(&given, context, error);
}

/// Of floats, or of bytes: by the struct that the C API takes.
template <class Given>
class AttentionKernel : public NodeKernel {
 public:
  static constexpr bool kOfBytes = std::is_same_v<Given, lutnn_attention_of_bytes>;

  AttentionKernel(const OrtFunctions& ort, const std::string& operatorName, bool isMasked, ContextPool& contexts,
                  const OrtKernelInfo* info)
      : NodeKernel(ort, operatorName, info), contexts_(contexts), isMasked_(isMasked) {
    const NodeReader node(ort, info);
    const size_t place = isMasked ? 4 : 3;
    heads_ = node.integer("numHeads");
    scale_ = node.number<float>(place, "scale");
    if constexpr (kOfBytes) valueScale_ = node.number<float>(place + 1, "valueScale");
    if (heads_ < 1) refuse("the attribute numHeads must be at least 1 (got " + std::to_string(heads_) + ")");
  }

  void compute(OrtKernelContext* context) const override {
    const char* const names[] = {"query", "key", "value"};
    using View = decltype(Given::query);
    OrtShape shapes[3];
    View arrays[3];
    lutnn_floats mask{};
    for (size_t i = 0; i < 3; i++) {
      const OrtValue* value = input(context, i);
      shapes[i] = shapeOf(ort_, value);
      if (shapes[i].size() != 3 || shapes[i][2] % heads_ != 0)
        refuse(std::string(names[i]) + " must be batch × length × numbers of " + std::to_string(heads_) +
               " heads (got " + textOf(shapes[i]) + ")");
      arrays[i] = {static_cast<decltype(View::data)>(dataOf(value)), elementsOf(shapes[i])};
    }
    const auto& [query, key, value] = shapes;
    if (isMasked_) {
      const OrtValue* given = input(context, 3);
      mask = {static_cast<const float*>(dataOf(given)), elementsOf(shapeOf(ort_, given))};
    }
    const OrtShape result{query[0], query[1], value[2]};
    SessionThreads threads(ort_, context);
    const lutnn_executor executor = threads.executor();
    Given given{};
    given.batch = query[0];
    given.heads = heads_;
    given.queries = query[1];
    given.positions = key[1];
    given.depth = query[2] / heads_;
    given.outputs = value[2] / heads_;
    given.query = arrays[0];
    given.key = arrays[1];
    given.value = arrays[2];
    given.mask = isMasked_ ? &mask : nullptr;
    given.scale = scale_;
    if constexpr (kOfBytes) given.value_scale = valueScale_;
    given.y = {static_cast<float*>(output(context, 0, result)), elementsOf(result)};
    given.executor = &executor;
    const ContextPool::Lease lease(contexts_);
    lutnn_error error;
    require(run(given, lease.get(), &error), error);
    threads.check();
  }

 private:
  ContextPool& contexts_;
  const bool isMasked_;
  int64_t heads_ = 1;
  float scale_ = 1, valueScale_ = 1;
};

}  // namespace

std::unique_ptr<NodeKernel> AttentionOperator::make(const OrtFunctions& ort, ContextPool& contexts,
                                                    const OrtKernelInfo* info) const {
  if (ofBytes_)
    return std::make_unique<AttentionKernel<lutnn_attention_of_bytes>>(ort, name_, isMasked_, contexts, info);
  return std::make_unique<AttentionKernel<lutnn_attention>>(ort, name_, isMasked_, contexts, info);
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
