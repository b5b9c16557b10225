// Max pooling in the C API.
#include <algorithm>

#include "core/api_context.h"
#include "core/max_pool.h"
#include "core/rules.h"

using namespace lutnn;

namespace {

/// A window that pools, with a byte in every window of an image that it fits.
Window poolingWindow(const lutnn_window& given) {
  const Window w = windowOf(given);
  if (w.dilationHeight != 1 || w.dilationWidth != 1)
    refuseRange("windows of max pooling must have dilations of 1 (got " + std::to_string(w.dilationHeight) + " and " +
                std::to_string(w.dilationWidth) + ")");
  const auto below = [](const char* axis, size_t before, size_t after, size_t filter) {
    if (before < filter && after < filter) return;
    refuseRange(std::string("padding of max pooling must be below the filter's ") + axis + " (got " +
                std::to_string(std::max(before, after)) + " and " + std::to_string(filter) +
                "): a window of padding has no largest byte");
  };
  below("height", w.padTop, w.padBottom, w.filterHeight);
  below("width", w.padLeft, w.padRight, w.filterWidth);
  return w;
}

Window poolingWindow(const lutnn_window& given, size_t height, size_t width) {
  const Window w = poolingWindow(given);
  requireImage(w, height, width);
  return w;
}

PoolPlanes planesOf(const Window& w, size_t count, size_t height, size_t width) {
  return {.count = count,
          .height = height,
          .width = width,
          .outputHeight = outputExtent(height, w.filterHeight, w.strideHeight, 1, w.padTop, w.padBottom),
          .outputWidth = outputExtent(width, w.filterWidth, w.strideWidth, 1, w.padLeft, w.padRight)};
}

}  // namespace

lutnn_code lutnn_check_max_pool(const lutnn_window* window, lutnn_error* error) {
  return guarded(error, [&] {
    lutnn_window alone = *window;
    alone.input_channels = 1;
    poolingWindow(alone);
  });
}

lutnn_code lutnn_max_pool_size(const lutnn_window* window, int64_t height, int64_t width, int64_t size[2],
                               lutnn_error* error) {
  return guarded(error, [&] {
    const size_t h = count("height", height, 1), v = count("width", width, 1);
    const PoolPlanes planes = planesOf(poolingWindow(*window, h, v), 1, h, v);
    size[0] = static_cast<int64_t>(planes.outputHeight);
    size[1] = static_cast<int64_t>(planes.outputWidth);
  });
}

lutnn_code lutnn_max_pool_run(const lutnn_max_pool* given, lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] {
    const size_t batch = count("batch", given->batch);
    const size_t height = count("height", given->height, 1), width = count("width", given->width, 1);
    if (given->executor) count("slots", given->executor->slots, 1);
    const Window w = poolingWindow(given->window, height, width);
    const size_t channels = w.inputChannels;
    const uint8_t* x = array("x", given->x, "batch · channels · height · width", {batch, channels, height, width});
    const PoolPlanes planes = planesOf(w, batch * channels, height, width);
    uint8_t* y = array("y", given->y, "batch · channels · output height · output width",
                       {batch, channels, planes.outputHeight, planes.outputWidth});
    requireApart("x", given->x, "y", given->y);
    onExecutor(given->executor, [&](Executor& executor) { maxPool(w, planes, x, y, context->workspace, executor); });
  });
}
