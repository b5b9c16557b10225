#include "fronts/onnxruntime/layer_kernel.h"

#include <algorithm>

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

/// The window without its channels.
lutnn_window readWindow(const NodeReader& node) {
  lutnn_window window = node.window();
  int64_t dilations[2];
  node.integers("dilations", dilations);
  window.dilation_height = dilations[0];
  window.dilation_width = dilations[1];
  return window;
}

}  // namespace

LayerKernel::LayerKernel(const OrtFunctions& ort, const LayerVariant& variant, ContextPool& contexts,
                         const OrtKernelInfo* info)
    : NodeKernel(ort, variant.name, info), variant_(variant), places_(placesOf(variant)), contexts_(contexts) {
  const NodeReader node(ort, info);
  if (variant.toBytes()) {
    resultScale_ = node.scale(places_.resultScale, "outputScale");
    resultZeroPoint_ = node.number<uint8_t>(places_.resultZeroPoint, "outputZeroPoint");
  }
  layer_.reset(variant.isDense ? makeDense(node) : variant.ofCodes ? makeOfCodes(node) : makeLookups(node));
  if (const std::optional<OrtShape> x = node.declared(places_.x)) {
    const OrtShape result = outputShape(*x);
    if (variant.add)
      if (const std::optional<OrtShape> residual = node.declared(places_.residual)) requireResidual(*residual, result);
  }
}

lutnn_layer* LayerKernel::makeLookups(const NodeReader& node) {
  const LayerPlaces& places = places_;
  const Constant centroids = variant_.isInteger ? node.constant(places.centroids, "centroids", 3)
                                                : node.finite(places.centroids, "centroids", 3);
  const Constant table = node.constant(places.table, "table", 3), scale = node.finite(places.scale, "scale", 1);
  const Constant bias = node.finite(places.bias, "bias", 1);
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
  lutnn_layer_options options{.encoding = variant_.isInteger ? LUTNN_INTEGER : LUTNN_FLOAT32};
  lutnn_integer_codes integers;
  if (variant_.isInteger) {
    const Constant halfNorms = node.constant(places.halfNorms, "halfNorms", 2);
    if (halfNorms.shape[0] != centroids.shape[0] || halfNorms.shape[1] != centroids.shape[1])
      refuse("halfNorms must have the codebooks and centroids of centroids (got " + textOf(halfNorms.shape) +
             " beside " + textOf(centroids.shape) + ")");
    integers = {.input_scale = inputScale(node),
                .input_zero_point = node.number<uint8_t>(places.inputZeroPoint, "inputZeroPoint"),
                .centroids = centroids.view<lutnn_int8s>(),
                .half_norms = halfNorms.view<lutnn_ints>()};
    options.integers = &integers;
  } else {
    lookup.centroids = centroids.view<lutnn_floats>();
  }
  lutnn_window window;
  if (variant_.isConv) {
    window = readWindow(node);
    const int64_t group = node.integer("group");
    if (group != lookup.num_codebooks)
      refuse("the attribute group must be the number of codebooks, the first axis of centroids (got " +
             std::to_string(group) + " and " + std::to_string(lookup.num_codebooks) + ")");
    window.input_channels = channels_ = channelsOf(lookup, window.filter_height, window.filter_width);
    options.window = &window;
  }
  lutnn_layer* made = nullptr;
  lutnn_error error;
  require(lutnn_layer_create(contexts_.any(), &lookup, &options, &made, &error), error);
  inputs_ = lookup.num_codebooks * lookup.subvector_length;
  outputs_ = lookup.outputs;
  return made;
}

lutnn_layer* LayerKernel::makeOfCodes(const NodeReader& node) {
  const Constant table = node.constant(places_.table, "table", 3), scale = node.finite(places_.scale, "scale", 1);
  const Constant bias = node.finite(places_.bias, "bias", 1);
  const lutnn_lookup lookup{.num_codebooks = table.shape[0],
                            .num_centroids = table.shape[1],
                            .outputs = table.shape[2],
                            .lookup_table = table.view<lutnn_int8s>(),
                            .table_scale = scale.view<lutnn_floats>(),
                            .bias = bias.view<lutnn_floats>()};
  const lutnn_layer_options options{.encoding = LUTNN_CODES};
  lutnn_layer* made = nullptr;
  lutnn_error error;
  require(lutnn_layer_create(contexts_.any(), &lookup, &options, &made, &error), error);
  inputs_ = lookup.num_codebooks;
  outputs_ = lookup.outputs;
  return made;
}

lutnn_layer* LayerKernel::makeDense(const NodeReader& node) {
  const Constant weights = node.constant(places_.weights, "weights", variant_.isConv ? 4 : 2);
  const Constant scale = node.finite(places_.scale, "scale", 1), bias = node.finite(places_.bias, "bias", 1);
  outputs_ = weights.shape[variant_.isConv ? 0 : 1];
  inputs_ = variant_.isConv ? outputs_ > 0 ? elementsOf(weights.shape) / outputs_ : 0 : weights.shape[0];
  const lutnn_dense dense{.inputs = inputs_,
                          .outputs = outputs_,
                          .input_scale = inputScale(node),
                          .input_zero_point = node.number<uint8_t>(places_.inputZeroPoint, "inputZeroPoint"),
                          .weights = weights.view<lutnn_int8s>(),
                          .scale = scale.view<lutnn_floats>(),
                          .bias = bias.view<lutnn_floats>()};
  lutnn_window window;
  if (variant_.isConv) {
    window = readWindow(node);
    const int64_t group = node.integer("group");
    if (group != 1)
      refuse("the attribute group must be 1 (got " + std::to_string(group) +
             "): convolutions of groups are not dense; leave the layer in float32");
    if (weights.shape[2] != window.filter_height || weights.shape[3] != window.filter_width)
      refuse("weights must have the filter of kernel_shape, their last two axes (got " + textOf(weights.shape) +
             " and " + std::to_string(window.filter_height) + " × " + std::to_string(window.filter_width) + ")");
    window.input_channels = channels_ = weights.shape[1];
  }
  lutnn_layer* made = nullptr;
  lutnn_error error;
  require(lutnn_dense_create(contexts_.any(), &dense, variant_.isConv ? &window : nullptr, &made, &error), error);
  return made;
}

float LayerKernel::inputScale(const NodeReader& node) const {
  return variant_.ofBytes ? 1 : node.number<float>(places_.inputScale, "inputScale");
}

OrtShape LayerKernel::outputShape(const OrtShape& x) const {
  if (!variant_.isConv) {
    if (x.empty() || !mayBeSame(x.back(), inputs_))
      refuse("x must end in an axis of " + std::to_string(inputs_) + ", " +
             (variant_.isDense   ? "the rows of weights"
              : variant_.ofCodes ? "a code for each codebook"
                                 : "codebooks times sub-vector length") +
             " (got " + textOf(x) + ")");
    OrtShape y = x;
    y.back() = outputs_;
    return y;
  }
  if (x.size() != 4 || !mayBeSame(x[1], channels_))
    refuse("x must be images of " + std::to_string(channels_) + " channels, batch × channels × height × width (got " +
           textOf(x) + ")");
  int64_t size[2] = {-1, -1};
  lutnn_error error;
  if (x[2] >= 0 && x[3] >= 0) require(lutnn_layer_output_size(layer_.get(), x[2], x[3], size, &error), error);
  return {x[0], outputs_, size[0], size[1]};
}

void LayerKernel::requireResidual(const OrtShape& residual, const OrtShape& result) const {
  if (mayBeSame(residual, result)) return;
  refuse("residual must have the shape of the result, " + textOf(result) + " (got " + textOf(residual) + ")");
}

void LayerKernel::compute(OrtKernelContext* context) const {
  const OrtValue* x = input(context, places_.x);
  const OrtShape shape = shapeOf(ort_, x), result = outputShape(shape);
  const OrtValue* residual = variant_.add ? input(context, places_.residual) : nullptr;
  if (residual) requireResidual(shapeOf(ort_, residual), result);
  const int64_t elements = elementsOf(shape), count = variant_.isConv ? shape[0] : elements / inputs_;
  const int64_t outputs = elementsOf(result);
  const lutnn_floats added{residual ? static_cast<const float*>(dataOf(residual)) : nullptr, outputs};
  const bool areBytes = variant_.ofBytes || variant_.ofCodes;
  const lutnn_bytes given{static_cast<const uint8_t*>(areBytes ? dataOf(x) : nullptr), elements};
  lutnn_byte_results bytes{.scale = resultScale_, .zero_point = resultZeroPoint_};
  lutnn_run run{
      .inputs = {.count = count, .height = variant_.isConv ? shape[2] : 0, .width = variant_.isConv ? shape[3] : 0},
      .residual = residual ? &added : nullptr,
      .relu = variant_.relu,
      .gelu = variant_.gelu,
      .to = count};
  if (variant_.ofBytes) run.inputs.quantized = &given;
  else if (variant_.ofCodes) run.inputs.codes = &given;
  else run.inputs.x = {static_cast<const float*>(dataOf(x)), elements};
  size_t index = 0;
  if (variant_.results != LayerResults::kBytes)
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
