// Layer norm in the C API.
#include "core/api_context.h"
#include "core/layer_norm.h"
#include "core/rules.h"

using namespace lutnn;

lutnn_code lutnn_layer_norm_run(const lutnn_layer_norm* given, lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] {
    const size_t rows = count("rows", given->rows), length = count("length", given->length, 1);
    if (given->executor) count("slots", given->executor->slots, 1);
    LayerNorm norm{.rows = rows,
                   .row = {.count = length,
                           .scale = array("scale", given->scale, "length", {length}),
                           .shift = array("shift", given->shift, "length", {length}),
                           .epsilon = epsilonOf(given->epsilon)},
                   .x = array("x", given->x, "rows · length", {rows, length}),
                   .y = nullptr};
    const auto apart = [&](const char* name, const auto& written) {
      requireApart("x", given->x, name, written);
      requireApart("scale", given->scale, name, written);
      requireApart("shift", given->shift, name, written);
    };
    if (given->y.data || !given->quantized) {
      norm.y = array("y", given->y, "rows · length", {rows, length});
      apart("y", given->y);
    }
    if (given->quantized) {
      const lutnn_byte_results& bytes = *given->quantized;
      norm.quantized = {array("quantized results", bytes.bytes, "rows · length", {rows, length}),
                        scaleOf("the scale of results", bytes.scale),
                        static_cast<uint8_t>(count("the zero point of results", bytes.zero_point, 0, 255))};
      apart("quantized results", bytes.bytes);
      requireApart("y", given->y, "quantized results", bytes.bytes);
    }
    onExecutor(given->executor,
               [&](Executor& executor) { layerNorm(context->kernels, norm, context->workspace, executor); });
  });
}
