// Layer norm on every instruction set: against sums in double, and the same bits everywhere; tensors lie between inaccessible pages.
#include <algorithm>
#include <cmath>
#include <limits>

#include "check.h"
#include "core/layer_norm.h"
#include "core/lutnn.h"
#include "executions.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

/// Of the largest result, where a row's numbers are within some deviations of a mean that is as large as they.
constexpr double kTolerance = 5e-6;

static std::vector<double> reference(const LayerNorm& norm) {
  std::vector<double> y;
  const size_t count = norm.row.count;
  for (size_t n = 0; n < norm.rows; n++) {
    const float* x = norm.x + n * count;
    double mean = 0, variance = 0;
    for (size_t i = 0; i < count; i++) mean += x[i] / static_cast<double>(count);
    for (size_t i = 0; i < count; i++) variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(count);
    for (size_t i = 0; i < count; i++)
      y.push_back((x[i] - mean) / std::sqrt(variance + norm.row.epsilon) * norm.row.scale[i] + norm.row.shift[i]);
  }
  return y;
}

static void checkRows(std::mt19937& random, size_t rows, size_t count, bool isFar, Guard guard) {
  Guarded<float> x(rows * count, guard), scale(count, guard), shift(count, guard), y(rows * count, guard);
  Guarded<uint8_t> bytes(rows * count, guard);
  std::normal_distribution<float> normal;
  for (auto* all : {&x, &scale, &shift})
    for (float& number : *all) number = std::clamp(normal(random), -4.0f, 4.0f);
  for (float& number : x) number += isFar ? 3.0f : 0.0f;
  const ByteResults quantized{bytes.data(), 0.03f, 117};
  LayerNorm norm{rows, {count, scale.data(), shift.data(), 1e-3f}, x.data(), y.data(), quantized};
  const std::vector<double> wanted = reference(norm);
  double most = 1e-3;
  for (double value : wanted) most = std::max(most, std::fabs(value));
  std::vector<float> first;
  std::vector<uint8_t> wantedBytes(rows * count), firstBytes;
  Workspace workspace;
  forEachExecution([&](const Microkernels& kernels, Executor& executor) {
    std::fill(y.begin(), y.end(), 7.0f);
    std::fill(bytes.begin(), bytes.end(), uint8_t{7});
    norm.y = y.data();
    layerNorm(kernels, norm, workspace, executor);
    if (first.empty()) {
      first.assign(y.begin(), y.end());
      firstBytes.assign(bytes.begin(), bytes.end());
      kScalarMicrokernels.int8->quantizeBy(first.data(), first.size(), quantized.scale, quantized.zeroPoint,
                                           wantedBytes.data());
      CHECK(firstBytes == wantedBytes, "%s: bytes of %zux%zu are not those of the numbers", kernels.isa, rows, count);
    }
    double worst = 0;
    for (size_t i = 0; i < wanted.size(); i++) worst = std::max(worst, std::fabs(y[i] - wanted[i]));
    CHECK(worst <= kTolerance * most, "%s: %g of %g (%zux%zu)", kernels.isa, worst, most, rows, count);
    CHECK(std::memcmp(first.data(), y.data(), first.size() * sizeof(float)) == 0, "%s: other bits (%zux%zu)",
          kernels.isa, rows, count);
    std::fill(bytes.begin(), bytes.end(), uint8_t{7});
    norm.y = nullptr;
    layerNorm(kernels, norm, workspace, executor);
    CHECK(std::equal(firstBytes.begin(), firstBytes.end(), bytes.begin()), "%s: other bytes alone", kernels.isa);
  });
}

TEST("layer norm is what its formula says, with the same bits on every instruction set") {
  std::mt19937 random(1);
  for (size_t count : {2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 384, 768}) {
    if (leftOut()) continue;
    checkRows(random, 1 + random() % 40, static_cast<size_t>(count), random() % 2,
              random() % 2 ? Guard::kAfter : Guard::kBefore);
  }
}

TEST("layer norm of one number is its shift, and a row with what is no number is none") {
  std::vector<float> x{5, std::numeric_limits<float>::quiet_NaN(), 1, 2, 3, INFINITY, 1}, y(7);
  std::vector<uint8_t> bytes(7);
  const std::vector<float> scale(7, 2), shift(7, 0.5f);
  Workspace workspace;
  SerialExecutor serial;
  for (const Microkernels* kernels : availableMicrokernels()) {
    layerNorm(*kernels, {7, {1, scale.data(), shift.data(), 1e-3f}, x.data(), y.data(), {}}, workspace, serial);
    CHECK(y[0] == 0.5f && y[6] == 0.5f && std::isnan(y[1]), "%s: %g %g", kernels->isa, y[0], y[6]);
    layerNorm(*kernels, {1, {7, scale.data(), shift.data(), 1e-3f}, x.data(), y.data(), {bytes.data(), 1, 128}},
              workspace, serial);
    for (size_t i = 0; i < 7; i++) CHECK(std::isnan(y[i]) && bytes[i] == 0, "%s: %g %d", kernels->isa, y[i], bytes[i]);
  }
}

TEST("layer norm refuses arrays of other lengths, and numbers that are none") {
  lutnn_context* context = nullptr;
  lutnn_error error;
  CHECK(lutnn_context_create(&context, &error) == LUTNN_OK, "%s", error.message);
  std::vector<float> x(6), scale(3), shift(3), y(6);
  std::vector<uint8_t> bytes(6);
  const lutnn_byte_results quantized{{bytes.data(), 6}, 0.5f, 3};
  const lutnn_layer_norm good{.rows = 2,
                              .length = 3,
                              .x = {x.data(), 6},
                              .scale = {scale.data(), 3},
                              .shift = {shift.data(), 3},
                              .epsilon = 1e-3f,
                              .y = {y.data(), 6},
                              .quantized = &quantized};
  CHECK(lutnn_layer_norm_run(&good, context, &error) == LUTNN_OK, "%s", error.message);
  const auto refused = [&](const char* words, auto change) {
    lutnn_layer_norm bad = good;
    change(bad);
    const lutnn_code code = lutnn_layer_norm_run(&bad, context, &error);
    CHECK(code == LUTNN_OUT_OF_RANGE && std::strstr(error.message, words), "%d %s", code, error.message);
  };
  lutnn_byte_results wrong = quantized;
  refused("length must be an integer from 1", [](lutnn_layer_norm& bad) { bad.length = 0; });
  refused("x must have rows · length = 3 · 3 = 9 elements (got 6)", [](lutnn_layer_norm& bad) { bad.rows = 3; });
  refused("scale must have length = 3 elements (got 2)", [](lutnn_layer_norm& bad) { bad.scale.length = 2; });
  refused("shift must have length = 3 elements (got 4)", [](lutnn_layer_norm& bad) { bad.shift.length = 4; });
  refused("epsilon must be a float32 from 0", [](lutnn_layer_norm& bad) { bad.epsilon = -1; });
  refused("y must not overlap x", [](lutnn_layer_norm& bad) { bad.y.data = const_cast<float*>(bad.x.data); });
  refused("y must have rows · length", [](lutnn_layer_norm& bad) { bad.y = {nullptr, 0}, bad.quantized = nullptr; });
  refused("the zero point of results must be", [&](lutnn_layer_norm& bad) {
    wrong.zero_point = 256;
    bad.quantized = &wrong;
  });
  lutnn_context_free(context);
}
