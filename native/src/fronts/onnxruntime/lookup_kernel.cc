#include "fronts/onnxruntime/lookup_kernel.h"

#include <algorithm>
#include <cmath>

namespace lutnn {

namespace {

/// Channels that codebooks of V elements cover with such a filter; 1 where the C API is going to refuse the lengths.
int64_t channelsOf(const lutnn_lookup& lookup, int64_t filterHeight, int64_t filterWidth) {
  constexpr int64_t kMost = int64_t{1} << 24;
  const auto isSmall = [](int64_t value) { return value >= 1 && value <= kMost; };
  if (!isSmall(filterHeight) || !isSmall(filterWidth) || !isSmall(lookup.num_codebooks) ||
      !isSmall(lookup.subvector_length))
    return 1;
  return std::max<int64_t>(1, lookup.num_codebooks * lookup.subvector_length / (filterHeight * filterWidth));
}

lutnn_window readWindow(const NodeReader& node, const lutnn_lookup& lookup) {
  lutnn_window window = node.window();
  int64_t dilations[2];
  node.integers("dilations", dilations);
  const int64_t group = node.integer("group");
  if (group != lookup.num_codebooks)
    refuse("the attribute group must be the number of codebooks, the first axis of centroids (got " +
           std::to_string(group) + " and " + std::to_string(lookup.num_codebooks) + ")");
  window.input_channels = channelsOf(lookup, window.filter_height, window.filter_width);
  window.dilation_height = dilations[0];
  window.dilation_width = dilations[1];
  return window;
}

}  // namespace

LookupKernel::LookupKernel(const OrtFunctions& ort, const LookupVariant& variant, ContextPool& contexts,
                           const OrtKernelInfo* info)
    : NodeKernel(ort, variant.name, info), variant_(variant), places_(placesOf(variant)), contexts_(contexts) {
  const NodeReader node(ort, info);
  const LookupPlaces& places = places_;
  const Constant centroids = node.constant(places.centroids, "centroids", 3);
  const Constant table = node.constant(places.table, "table", 3), scale = node.constant(places.scale, "scale", 1);
  const Constant bias = node.constant(places.bias, "bias", 1);
  const auto same = [&](size_t axis) { return centroids.shape[axis] == table.shape[axis]; };
  if (!same(0) || !same(1))
    refuse("table must have the codebooks and centroids of centroids, its first two axes (got " + textOf(table.shape) +
           " beside " + textOf(centroids.shape) + ")");
  lutnn_lookup lookup{.num_codebooks = centroids.shape[0],
                      .num_centroids = centroids.shape[1],
                      .subvector_length = centroids.shape[2],
                      .outputs = table.shape[2],
                      .lookup_table = table.view<lutnn_int8s>(),
                      .table_scale = scale.view<lutnn_floats>(),
                      .bias = bias.view<lutnn_floats>()};
  lutnn_layer_options options{.encoding = variant.isInteger ? LUTNN_INTEGER : LUTNN_FLOAT32};
  lutnn_integer_codes integers;
  if (variant.isInteger) {
    const Constant halfNorms = node.constant(places.halfNorms, "halfNorms", 2);
    if (halfNorms.shape[0] != centroids.shape[0] || halfNorms.shape[1] != centroids.shape[1])
      refuse("halfNorms must have the codebooks and centroids of centroids (got " + textOf(halfNorms.shape) +
             " beside " + textOf(centroids.shape) + ")");
    integers = {.input_scale = variant.ofBytes ? 1 : node.number<float>(places.inputScale, "inputScale"),
                .input_zero_point = node.number<uint8_t>(places.inputZeroPoint, "inputZeroPoint"),
                .centroids = centroids.view<lutnn_int8s>(),
                .half_norms = halfNorms.view<lutnn_ints>()};
    options.integers = &integers;
  } else {
    lookup.centroids = centroids.view<lutnn_floats>();
  }
  if (variant.toBytes()) {
    resultScale_ = node.number<float>(places.resultScale, "outputScale");
    resultZeroPoint_ = node.number<uint8_t>(places.resultZeroPoint, "outputZeroPoint");
    if (!(resultScale_ > 0 && std::isfinite(resultScale_)))
      refuse("outputScale must be a float32 above 0 (got " + std::to_string(resultScale_) + ")");
  }
  lutnn_window window;
  if (variant.isConv) {
    window = readWindow(node, lookup);
    options.window = &window;
    channels_ = window.input_channels;
  }
  lutnn_layer* made = nullptr;
  lutnn_error error;
  require(lutnn_layer_create(contexts.any(), &lookup, &options, &made, &error), error);
  layer_.reset(made);
  inputs_ = lookup.num_codebooks * lookup.subvector_length;
  outputs_ = lookup.outputs;
}

OrtShape LookupKernel::outputShape(const OrtShape& x) const {
  if (!variant_.isConv) {
    if (x.empty() || x.back() != inputs_)
      refuse("x must end in an axis of " + std::to_string(inputs_) + ", codebooks times sub-vector length (got " +
             textOf(x) + ")");
    OrtShape y = x;
    y.back() = outputs_;
    return y;
  }
  if (x.size() != 4 || x[1] != channels_)
    refuse("x must be images of " + std::to_string(channels_) + " channels, batch × channels × height × width (got " +
           textOf(x) + ")");
  int64_t size[2];
  lutnn_error error;
  require(lutnn_layer_output_size(layer_.get(), x[2], x[3], size, &error), error);
  return {x[0], outputs_, size[0], size[1]};
}

void LookupKernel::compute(OrtKernelContext* context) const {
  const OrtValue* x = input(context, places_.x);
  const OrtShape shape = shapeOf(ort_, x), result = outputShape(shape);
  const OrtValue* residual = variant_.add ? input(context, places_.residual) : nullptr;
  if (residual) {
    const OrtShape other = shapeOf(ort_, residual);
    if (other != result)
      refuse("residual must have the shape of the result, " + textOf(result) + " (got " + textOf(other) + ")");
  }
  const int64_t elements = elementsOf(shape), count = variant_.isConv ? shape[0] : elements / inputs_;
  const int64_t outputs = elementsOf(result);
  const lutnn_floats added{residual ? static_cast<const float*>(dataOf(residual)) : nullptr, outputs};
  const lutnn_bytes quantized{static_cast<const uint8_t*>(variant_.ofBytes ? dataOf(x) : nullptr), elements};
  lutnn_byte_results bytes{.scale = resultScale_, .zero_point = resultZeroPoint_};
  lutnn_run run{
      .inputs = {.count = count, .height = variant_.isConv ? shape[2] : 0, .width = variant_.isConv ? shape[3] : 0},
      .residual = residual ? &added : nullptr,
      .relu = variant_.relu,
      .gelu = variant_.gelu,
      .to = count};
  if (variant_.ofBytes) run.inputs.quantized = &quantized;
  else run.inputs.x = {static_cast<const float*>(dataOf(x)), elements};
  size_t index = 0;
  if (variant_.results != LookupResults::kBytes)
    run.y = {static_cast<float*>(output(context, index++, result)), outputs};
  if (variant_.toBytes()) {
    bytes.bytes = {static_cast<uint8_t*>(output(context, index, result)), outputs};
    run.quantized = &bytes;
  }
  SessionThreads threads(ort_, context);
  const lutnn_executor executor = threads.executor();
  run.executor = &executor;
  const ContextPool::Lease lease(contexts_);
  lutnn_error error;
  require(lutnn_layer_run(layer_.get(), &run, lease.get(), &error), error);
  threads.check();
}

}  // namespace lutnn
