// Windows whose dilation, padding, filter or stride is of millions, on a machine with little memory (little_memory.cc): what comes out is
// what plain loops compute, on every instruction set, and memory is that of the image and of what comes out.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>

#include "check.h"
#include "core/lutnn.h"
#include "executions.h"
#include "reference.h"

using namespace lutnn;

namespace {

template <class View, class T>
View view(std::vector<T>& values) {
  return {values.data(), static_cast<int64_t>(values.size())};
}

constexpr size_t kFar = size_t{1} << 24;  // the largest number that a window may have

/// One axis of a window.
struct Axis {
  size_t length, filter, stride, dilation, before, after;
  size_t outputs() const { return outputExtent(length, filter, stride, dilation, before, after); }
};

/// Far from each other, or all but one of them far from the image, with few outputs.
const Axis kAxes[] = {
    {9, 3, 1, kFar - 5, kFar - 5, kFar - 5},  // the middle tap sees the image
    {9, 3, 2, kFar - 4, kFar - 4, kFar - 3},
    {7, 2, 1, 1000003, 1000000, 9},  // one tap the end, another one the beginning
    {11, 2, 3, 999999, 0, 1000000},
    {8, 2, 1, kFar, kFar, 2},  // the first tap sees nothing but padding
    {5, 1, kFar, 1, 0, kFar},  // steps beyond the image
    {6, 3, 1 << 20, 1 << 20, 3 << 20, 0},
    {10, 4, 7, 70001, 100000, 110050},
    {3, 5, 2, 4, 9, 8},  // wider than the image, and near
    {12, 3, 1, 2, 2, 2},
};

lutnn_window windowOf(size_t channels, const Axis& rows, const Axis& columns) {
  const auto n = [](size_t number) { return static_cast<int64_t>(number); };
  return {n(channels),         n(rows.filter), n(columns.filter), n(rows.stride), n(columns.stride), n(rows.dilation),
          n(columns.dilation), n(rows.before), n(columns.before), n(rows.after),  n(columns.after)};
}

Window innerWindow(const lutnn_window& w) {
  const auto n = [](int64_t number) { return static_cast<size_t>(number); };
  return {n(w.input_channels), n(w.filter_height),   n(w.filter_width),   n(w.stride_height),
          n(w.stride_width),   n(w.dilation_height), n(w.dilation_width), n(w.pad_top),
          n(w.pad_left),       n(w.pad_bottom),      n(w.pad_right)};
}

/// body(isa's context, "what")
template <class Body>
void forEachContext(const Body& body) {
  lutnn_error error;
  for (size_t i = 0; const char* isa = lutnn_available_isa(i); i++) {
    lutnn_context* context = nullptr;
    CHECK(lutnn_context_create_for(isa, &context, &error) == LUTNN_OK, "%s", error.message);
    body(context);
    lutnn_context_free(context);
  }
}

/// Runs a layer of images and compares what comes out.
void checkRun(lutnn_layer* layer, lutnn_context* context, const lutnn_inputs& inputs, size_t M, size_t height,
              size_t width, const std::vector<float>& wanted, const std::string& what) {
  lutnn_error error;
  int64_t size[2];
  CHECK(lutnn_layer_output_size(layer, inputs.height, inputs.width, size, &error) == LUTNN_OK &&
            size[0] == static_cast<int64_t>(height) && size[1] == static_cast<int64_t>(width),
        "%s: %s", what.c_str(), error.message);
  std::vector<float> y(static_cast<size_t>(inputs.count) * M * height * width);
  lutnn_run run{};
  run.inputs = inputs;
  run.y = view<lutnn_floats_out>(y);
  run.threads = 2;
  run.to = inputs.count;
  const lutnn_code code = lutnn_layer_run(layer, &run, context, &error);
  CHECK(code == LUTNN_OK, "%s: %s", what.c_str(), error.message);
  CHECK(code != LUTNN_OK || std::memcmp(y.data(), wanted.data(), y.size() * sizeof(float)) == 0, "%s on %s",
        what.c_str(), lutnn_context_isa(context));
  CHECK(lutnn_context_bytes(context) < size_t{32} << 20, "%s: %zu bytes", what.c_str(), lutnn_context_bytes(context));
}

std::string nameOf(const char* operation, const Axis& rows, const Axis& columns) {
  char name[256];
  std::snprintf(name, sizeof name,
                "%s %zu by %zu of dilation %zu, padding %zu and %zu; %zu by %zu of dilation %zu, padding %zu and %zu",
                operation, rows.length, rows.filter, rows.dilation, rows.before, rows.after, columns.length,
                columns.filter, columns.dilation, columns.before, columns.after);
  return name;
}

void checkLookups(std::mt19937& random, const Axis& rows, const Axis& columns) {
  constexpr size_t kBatch = 2, kBooks = 2, kPerBook = 2, kOutputs = 5;
  const size_t channels = kBooks * kPerBook, height = rows.outputs(), width = columns.outputs();
  const size_t area = rows.filter * columns.filter, M = kOutputs, positions = height * width;
  RandomLayer drawn(random, kBooks, 16, kPerBook * area, M);
  RandomIntegers integers(random, drawn);
  std::vector<float> x = randomFloats(random, kBatch * channels * rows.length * columns.length);
  const lutnn_window window = windowOf(channels, rows, columns);
  const Window w = innerWindow(window);
  const std::vector<float> windows = referenceWindows(w, x.data(), kBatch, rows.length, columns.length, height, width);
  const auto wantedOf = [&](const std::vector<uint8_t>& codes) {
    return toChannelsFirst(referenceOutputs(drawn, referenceSums(drawn, codes.data(), kBatch * positions)), kBatch,
                           positions, M);
  };
  const std::vector<float> wanted = wantedOf(referenceEncode(drawn, windows.data(), kBatch * positions));
  const std::vector<float> wantedIntegers =
      wantedOf(referenceEncodeIntegers(drawn, integers, windows.data(), kBatch * positions));
  const lutnn_integer_codes codes{integers.inputScale, integers.zeroPoint, view<lutnn_int8s>(integers.centroids),
                                  view<lutnn_ints>(integers.halfNorms)};
  const lutnn_lookup lookup{static_cast<int64_t>(kBooks),          16,
                            static_cast<int64_t>(kPerBook * area), static_cast<int64_t>(M),
                            view<lutnn_floats>(drawn.centroids),   view<lutnn_int8s>(drawn.lookupTable),
                            view<lutnn_floats>(drawn.tableScale),  view<lutnn_floats>(drawn.bias)};
  const lutnn_inputs inputs{view<lutnn_floats>(x), static_cast<int64_t>(kBatch), static_cast<int64_t>(rows.length),
                            static_cast<int64_t>(columns.length)};
  forEachContext([&](lutnn_context* context) {
    for (const lutnn_encoding encoding : {LUTNN_FLOAT32, LUTNN_INTEGER}) {
      lutnn_layer_options options{};
      options.encoding = encoding;
      options.window = &window;
      options.integers = &codes;
      lutnn_layer* layer = nullptr;
      lutnn_error error;
      CHECK(lutnn_layer_create(context, &lookup, &options, &layer, &error) == LUTNN_OK, "%s", error.message);
      if (!layer) continue;
      const bool isInteger = encoding == LUTNN_INTEGER;
      checkRun(layer, context, inputs, M, height, width, isInteger ? wantedIntegers : wanted,
               nameOf(isInteger ? "lookups in integers," : "lookups,", rows, columns));
      lutnn_layer_free(layer);
    }
  });
}

void checkDense(std::mt19937& random, const Axis& rows, const Axis& columns) {
  constexpr size_t kBatch = 2, kChannels = 5, kOutputs = 3;
  const size_t height = rows.outputs(), width = columns.outputs(), area = rows.filter * columns.filter;
  const size_t D = kChannels * area, M = kOutputs, positions = height * width, image = rows.length * columns.length;
  std::vector<int8_t> weights(M * D);
  for (int8_t& weight : weights) weight = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
  std::vector<float> scale = randomFloats(random, M), bias = randomFloats(random, M);
  std::vector<uint8_t> x(kBatch * kChannels * image);
  for (uint8_t& byte : x) byte = static_cast<uint8_t>(random());
  constexpr int kZeroPoint = 77;
  std::vector<float> values(x.size()), wanted;
  for (size_t i = 0; i < x.size(); i++) values[i] = static_cast<float>(x[i] - kZeroPoint);
  const lutnn_window window = windowOf(kChannels, rows, columns);
  const std::vector<float> windows =
      referenceWindows(innerWindow(window), values.data(), kBatch, rows.length, columns.length, height, width);
  for (size_t n = 0; n < kBatch; n++)
    for (size_t m = 0; m < M; m++)
      for (size_t p = 0; p < positions; p++) {
        float sum = 0;  // exact
        for (size_t d = 0; d < D; d++)
          sum += windows[(n * positions + p) * D + d] * static_cast<float>(weights[m * D + d]);
        const volatile float product = sum * scale[m];
        wanted.push_back(product + bias[m]);
      }
  const lutnn_dense dense{static_cast<int64_t>(D),   static_cast<int64_t>(M), 1, kZeroPoint, view<lutnn_int8s>(weights),
                          view<lutnn_floats>(scale), view<lutnn_floats>(bias)};
  const lutnn_bytes bytes = view<lutnn_bytes>(x);
  const lutnn_inputs inputs{{},
                            static_cast<int64_t>(kBatch),
                            static_cast<int64_t>(rows.length),
                            static_cast<int64_t>(columns.length),
                            &bytes};
  forEachContext([&](lutnn_context* context) {
    lutnn_layer* layer = nullptr;
    lutnn_error error;
    CHECK(lutnn_dense_create(context, &dense, &window, &layer, &error) == LUTNN_OK, "%s", error.message);
    if (!layer) return;
    checkRun(layer, context, inputs, M, height, width, wanted, nameOf("dense,", rows, columns));
    lutnn_layer_free(layer);
  });
}

void checkPool(std::mt19937& random, const Axis& rows, const Axis& columns) {
  constexpr size_t kCount = 3;
  const size_t height = rows.outputs(), width = columns.outputs();
  std::vector<uint8_t> x(kCount * rows.length * columns.length), wanted, y(kCount * height * width);
  for (uint8_t& byte : x) byte = static_cast<uint8_t>(random());
  for (size_t p = 0; p < kCount; p++)
    for (size_t i = 0; i < height; i++)
      for (size_t j = 0; j < width; j++) {
        uint8_t largest = 0;
        for (size_t row = 0; row < rows.length; row++)
          for (size_t column = 0; column < columns.length; column++) {
            const auto isIn = [](const Axis& axis, size_t output, size_t place) {
              const size_t from = output * axis.stride, at = place + axis.before;
              return at >= from && at < from + axis.filter;
            };
            if (isIn(rows, i, row) && isIn(columns, j, column))
              largest = std::max(largest, x[(p * rows.length + row) * columns.length + column]);
          }
        wanted.push_back(largest);
      }
  forEachContext([&](lutnn_context* context) {
    lutnn_error error;
    const lutnn_max_pool pool{windowOf(kCount, rows, columns),
                              1,
                              static_cast<int64_t>(rows.length),
                              static_cast<int64_t>(columns.length),
                              view<lutnn_bytes>(x),
                              view<lutnn_bytes_out>(y)};
    std::fill(y.begin(), y.end(), uint8_t{7});
    const lutnn_code code = lutnn_max_pool_run(&pool, context, &error);
    CHECK(code == LUTNN_OK && y == wanted, "%s: %d %s", nameOf("pooling,", rows, columns).c_str(), code, error.message);
    CHECK(lutnn_context_bytes(context) < size_t{32} << 20, "%zu bytes", lutnn_context_bytes(context));
  });
}

}  // namespace

TEST("convolutions whose taps or padding lie millions apart take the memory of the image and of what comes out") {
  std::mt19937 random(1);
  for (const Axis& rows : kAxes)
    for (const Axis& columns : kAxes) {
      if (leftOut()) continue;
      checkLookups(random, rows, columns);
      checkDense(random, rows, columns);
    }
}

TEST("max pooling by windows of millions takes the time and memory of the image and of what comes out") {
  std::mt19937 random(2);
  const Axis axes[] = {
      {9, kFar, 1, 1, kFar / 2, kFar / 2},  // nine windows, about the image
      {9, kFar, kFar - 1, 1, kFar - 1, kFar - 1},
      {5, 100003, 50000, 1, 100002, 100001},
      {12, 1000, 77, 1, 999, 999},
      {6, 7, 1, 1, 6, 6},  // wider than the image, and near
      {11, 3, 2, 1, 1, 1},
      {4, 1, kFar, 1, 0, 0},
  };
  for (const Axis& rows : axes)
    for (const Axis& columns : axes)
      if (!leftOut()) checkPool(random, rows, columns);
}

/// Many outputs of one axis, of which most see padding alone.
TEST("a row of a million outputs takes memory for the row, and no more for each of its images") {
  std::mt19937 random(3);
  const Axis one{2, 1, 1, 1, 0, 0}, wide{3, 2, 1, 1 << 18, 1 << 18, 1 << 18};
  if (!leftOut()) checkDense(random, one, wide);
  if (!leftOut()) checkDense(random, wide, one);
}
