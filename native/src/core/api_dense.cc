// Dense layers in the C API.
#include "core/api_context.h"
#include "core/api_layer.h"

using namespace lutnn;

namespace {

Dense denseOf(const lutnn_dense& given, const Window* window) {
  const size_t D = count("inputs", given.inputs, 1), M = count("outputs", given.outputs, 1);
  if (D > kMaxDenseInputs)
    refuseRange("inputs of a dense layer must be at most " + std::to_string(kMaxDenseInputs) + " (got " +
                std::to_string(D) + "): sums of products of bytes are int32; keep the layer in float32");
  const auto product = [](auto... sizes) { return (1.0 * ... * static_cast<double>(sizes)); };  // may pass 2⁶⁴
  if (window && product(window->inputChannels, window->filterHeight, window->filterWidth) != static_cast<double>(D))
    refuseRange("inputs must be inputChannels · filterHeight · filterWidth (got " + std::to_string(D) + " and " +
                std::to_string(window->inputChannels) + " · " + std::to_string(window->filterHeight) + " · " +
                std::to_string(window->filterWidth) + ")");
  const Dense dense{.inputs = D,
                    .outputs = M,
                    .inputScale = scaleOf("inputScale", given.input_scale),
                    .inputZeroPoint = static_cast<uint8_t>(count("inputZeroPoint", given.input_zero_point, 0, 255)),
                    .weights = array("weights", given.weights, "inputs · outputs", {D, M}),
                    .scale = array("scale", given.scale, "outputs", {M}),
                    .bias = array("bias", given.bias, "outputs", {M})};
  for (size_t i = 0; i < D * M; i++)
    if (dense.weights[i] == -128)
      refuseRange("weights must be within ±127 (got -128 at index " + std::to_string(i) + ")");
  return dense;
}

}  // namespace

lutnn_code lutnn_dense_create(const lutnn_context* context, const lutnn_dense* given, const lutnn_window* window,
                              lutnn_layer** layer, lutnn_error* error) {
  return guarded(error, [&] {
    const Microkernels& kernels = context->kernels;
    if (!window) {
      const Dense dense = denseOf(*given, nullptr);
      *layer = new lutnn_layer(dense, std::in_place_type<DenseMatMul>, kernels, dense);
      return;
    }
    const Window checked = windowOf(*window);
    const Dense dense = denseOf(*given, &checked);
    *layer = new lutnn_layer(dense, std::in_place_type<DenseConv>, kernels, dense, checked);
  });
}
