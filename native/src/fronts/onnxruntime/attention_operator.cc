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
    scale_ = node.scale(place, "scale");
    if constexpr (kOfBytes) valueScale_ = node.scale(place + 1, "valueScale");
    if (heads_ < 1) refuse("the attribute numHeads must be at least 1 (got " + std::to_string(heads_) + ")");
    OrtShape declared[4];
    for (size_t i = 0; i < 3u + isMasked; i++) declared[i] = node.declared(i).value_or(OrtShape(i < 3 ? 3 : 2, -1));
    requireShapes(declared);
  }

  void compute(OrtKernelContext* context) const override {
    using View = decltype(Given::query);
    OrtShape shapes[4];
    View arrays[3];
    lutnn_floats mask{};
    for (size_t i = 0; i < 3u + isMasked_; i++) {
      const OrtValue* value = input(context, i);
      shapes[i] = shapeOf(ort_, value);
      if (i < 3) arrays[i] = {static_cast<decltype(View::data)>(dataOf(value)), elementsOf(shapes[i])};
      else mask = {static_cast<const float*>(dataOf(value)), elementsOf(shapes[i])};
    }
    requireShapes(shapes);
    const OrtShape &query = shapes[0], &key = shapes[1], &value = shapes[2];
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
  /// query, key, value and mask; lengths may be open.
  void requireShapes(const OrtShape (&shapes)[4]) const {
    const char* const names[] = {"query", "key", "value"};
    const auto& [query, key, value, mask] = shapes;
    for (size_t i = 0; i < 3; i++)
      if (shapes[i].size() != 3 || (shapes[i][2] >= 0 && shapes[i][2] % heads_ != 0))
        refuse(std::string(names[i]) + " must be batch × length × numbers of " + std::to_string(heads_) +
               " heads (got " + textOf(shapes[i]) + ")");
    const bool belong = mayBeSame(query[0], key[0]) && mayBeSame(query[0], value[0]) && mayBeSame(key[0], value[0]) &&
                        mayBeSame(query[2], key[2]) && mayBeSame(key[1], value[1]);
    if (!belong)
      refuse(
          "query, key and value must be of one batch, query and key of one depth, key and value of one length (got " +
          textOf(query) + ", " + textOf(key) + " and " + textOf(value) + ")");
    if (isMasked_ && !mayBeSame(mask, {key[0], key[1]}))
      refuse("mask must have a number for each position of key, which is " + textOf(key) + " (got " + textOf(mask) +
             ")");
  }

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
