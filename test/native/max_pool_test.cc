// Max pooling of bytes against plain loops; tensors lie between inaccessible pages.
#include <algorithm>
#include <random>

#include "check.h"
#include "core/lutnn.h"
#include "core/max_pool.h"
#include "executions.h"
#include "guarded.h"

using namespace lutnn;

static std::vector<uint8_t> referencePool(const Window& w, const PoolPlanes& s, const uint8_t* x) {
  std::vector<uint8_t> y;
  for (size_t p = 0; p < s.count; p++)
    for (size_t i = 0; i < s.outputHeight; i++)
      for (size_t j = 0; j < s.outputWidth; j++) {
        int largest = -1;
        for (size_t a = 0; a < w.filterHeight; a++)
          for (size_t b = 0; b < w.filterWidth; b++) {
            const size_t row = i * w.strideHeight + a - w.padTop, column = j * w.strideWidth + b - w.padLeft;
            if (row < s.height && column < s.width)  // below 0 wraps around
              largest = std::max<int>(largest, x[(p * s.height + row) * s.width + column]);
          }
        CHECK(largest >= 0, "a window without a byte");
        y.push_back(static_cast<uint8_t>(largest));
      }
  return y;
}

static void check(std::mt19937& random, const Window& w, size_t count, size_t height, size_t width) {
  const PoolPlanes s{count, height, width,
                     outputExtent(height, w.filterHeight, w.strideHeight, 1, w.padTop, w.padBottom),
                     outputExtent(width, w.filterWidth, w.strideWidth, 1, w.padLeft, w.padRight)};
  if (s.outputHeight == 0 || s.outputWidth == 0) return;
  for (Guard guard : {Guard::kAfter, Guard::kBefore}) {
    Guarded<uint8_t> x(count * height * width, guard), y(count * s.outputHeight * s.outputWidth, guard);
    for (uint8_t& byte : x) byte = static_cast<uint8_t>(random());
    const std::vector<uint8_t> wanted = referencePool(w, s, x.data());
    Workspace workspace;
    forEachExecutor([&](Executor& executor) {
      std::fill(y.begin(), y.end(), uint8_t{7});
      maxPool(w, s, x.data(), y.data(), workspace, executor);
      CHECK(std::equal(wanted.begin(), wanted.end(), y.data()), "%zu planes %zux%zu, filter %zux%zu, stride %zux%zu",
            count, height, width, w.filterHeight, w.filterWidth, w.strideHeight, w.strideWidth);
    });
  }
}

TEST("max pooling of bytes gives the largest of each window") {
  std::mt19937 random(1);
  const auto draw = [&](size_t from, size_t to) { return from + random() % (to - from + 1); };
  for (int trial = 0; trial < 1000; trial++) {
    if (leftOut()) continue;
    const size_t fh = draw(1, 4), fw = draw(1, 4);
    const Window w{
        1, fh, fw, draw(1, 4), draw(1, 4), 1, 1, draw(0, fh - 1), draw(0, fw - 1), draw(0, fh - 1), draw(0, fw - 1)};
    check(random, w, draw(0, 9), draw(1, 40), draw(1, 70));
  }
  for (size_t size : {2, 4, 8, 14, 28, 34})  // as networks have it
    check(random, {1, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0}, 11, size, size);
}

TEST("max pooling refuses what has no largest byte, and arrays of other lengths") {
  lutnn_context* context = nullptr;
  lutnn_error error;
  CHECK(lutnn_context_create(&context, &error) == LUTNN_OK, "%s", error.message);
  std::vector<uint8_t> x(2 * 3 * 6 * 6), y(2 * 3 * 3 * 3);
  const lutnn_max_pool good{.window = {3, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0},
                            .batch = 2,
                            .height = 6,
                            .width = 6,
                            .x = {x.data(), static_cast<int64_t>(x.size())},
                            .y = {y.data(), static_cast<int64_t>(y.size())}};
  CHECK(lutnn_max_pool_run(&good, context, &error) == LUTNN_OK, "%s", error.message);
  const auto refused = [&](const char* words, auto change) {
    lutnn_max_pool bad = good;
    change(bad);
    const lutnn_code code = lutnn_max_pool_run(&bad, context, &error);
    CHECK(code == LUTNN_OUT_OF_RANGE && std::strstr(error.message, words), "%d %s", code, error.message);
  };
  refused("dilations of 1", [](lutnn_max_pool& p) { p.window.dilation_width = 2; });
  refused("padding of max pooling must be below", [](lutnn_max_pool& p) { p.window.pad_bottom = 2; });
  refused("padding of max pooling must be below", [](lutnn_max_pool& p) { p.window.pad_left = INT32_MAX / 256; });
  refused("strideHeight must be", [](lutnn_max_pool& p) { p.window.stride_height = 0; });
  refused("the filter must fit", [](lutnn_max_pool& p) { p.window.filter_height = 7; });
  refused("batch must be", [](lutnn_max_pool& p) { p.batch = -1; });
  refused("height must be", [](lutnn_max_pool& p) { p.height = int64_t{1} << 40; });
  refused("x must have", [](lutnn_max_pool& p) { p.window.input_channels = 4; });
  refused("x must have", [](lutnn_max_pool& p) { p.x.length--; });
  refused("y must have", [](lutnn_max_pool& p) { p.y.length++; });
  refused("must not", [&](lutnn_max_pool& p) { p.y.data = x.data(); });
  lutnn_context_free(context);
}
