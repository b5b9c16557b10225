// Dense layers in integers against plain loops, bit for bit on every instruction set; tensors lie between inaccessible pages.
#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <string>

#include "check.h"
#include "core/dense_conv.h"
#include "core/dense_matmul.h"
#include "core/lutnn.h"
#include "core/thread_pool.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

/// A dense layer with random contents; extremes are frequent.
struct RandomDense {
  size_t D, M;
  std::vector<int8_t> weights;
  std::vector<float> scale, bias;
  uint8_t zeroPoint;
  float inputScale;

  RandomDense(std::mt19937& random, size_t D, size_t M)
      : D(D),
        M(M),
        weights(D * M),
        scale(randomFloats(random, M)),
        bias(randomFloats(random, M)),
        zeroPoint(static_cast<uint8_t>(random() % 3 == 0 ? random() % 256 : random() % 2 * 128)),
        inputScale(static_cast<float>(1 + random() % 100) / 1000) {
    const bool wide = random() % 3 == 0;
    for (int8_t& w : weights)
      w = static_cast<int8_t>(wide ? (random() % 4 ? 127 : -127) : static_cast<int>(random() % 255) - 127);
  }
  Dense view() const {
    return {.inputs = D,
            .outputs = M,
            .inputScale = inputScale,
            .inputZeroPoint = zeroPoint,
            .weights = weights.data(),
            .scale = scale.data(),
            .bias = bias.data()};
  }
};

static void fillBytes(std::mt19937& random, uint8_t* x, size_t count) {
  const bool wide = random() % 3 == 0;
  for (size_t i = 0; i < count; i++) x[i] = static_cast<uint8_t>(wide ? (random() % 4 ? 255 : 0) : random());
}

/// Inputs of one result and its weights → the exact sum, of which `input(d)` is none where that is padding.
template <class Input, class Weight>
static int64_t sumOf(const RandomDense& layer, Input input, Weight weight) {
  int64_t sum = 0;
  for (size_t d = 0; d < layer.D; d++)
    if (const std::optional<int> q = input(d)) sum += (*q - layer.zeroPoint) * weight(d);
  return sum;
}

/// What an epilogue makes of exact sums (results), of outputs m(i).
struct Wanted {
  std::vector<float> y;
  std::vector<uint8_t> bytes;
};
template <class OutputOf>
static Wanted finished(const RandomDense& layer, const std::vector<int64_t>& sums, const Epilogue& epilogue,
                       const std::vector<float>& residual, OutputOf m) {
  Wanted wanted;
  for (size_t i = 0; i < sums.size(); i++) {
    CHECK(sums[i] <= INT32_MAX && sums[i] >= INT32_MIN, "a sum beyond int32");
    const volatile float product = static_cast<float>(static_cast<int32_t>(sums[i])) * layer.scale[m(i)];
    volatile float y = product + layer.bias[m(i)];
    if (epilogue.residual) y = y + residual[i];
    wanted.y.push_back(epilogue.relu && y < 0 ? 0 : static_cast<float>(y));
  }
  if (epilogue.gelu) kScalarMicrokernels.gelu(wanted.y.data(), wanted.y.size());
  for (float y : wanted.y)
    wanted.bytes.push_back(
        static_cast<uint8_t>(referenceByte(y, epilogue.quantized.scale, epilogue.quantized.zeroPoint)));
  return wanted;
}

static bool same(const std::vector<float>& wanted, const float* y) {
  return wanted.empty() || std::memcmp(wanted.data(), y, wanted.size() * sizeof(float)) == 0;
}

/// Runs a layer with all that may follow it, of bytes and of floats that become them, alone and on threads.
template <class Run, class OutputOf>
static void checkRuns(std::mt19937& random, const RandomDense& layer, const std::vector<uint8_t>& bytes,
                      const std::vector<int64_t>& sums, const std::string& what, OutputOf m, Run run) {
  const Guard guard = random() % 2 ? Guard::kAfter : Guard::kBefore;
  Guarded<uint8_t> x(bytes.size(), guard);
  std::copy(bytes.begin(), bytes.end(), x.begin());
  Guarded<float> floats(bytes.size(), guard);
  for (size_t i = 0; i < bytes.size(); i++)
    floats[i] = (static_cast<float>(bytes[i]) - layer.zeroPoint) * layer.inputScale;
  const std::vector<float> residual = randomFloats(random, sums.size());
  Guarded<float> y(sums.size(), guard);
  Guarded<uint8_t> results(sums.size(), guard);
  const bool add = random() % 2, relu = random() % 2, gelu = !relu && random() % 2;
  SerialExecutor serial;
  PoolExecutor three(3);
  for (const bool ofBytes : {true, false})
    for (const int kind : {0, 1, 2}) {  // floats, both, bytes
      Workspace workspace;
      Executor& executor = random() % 2 ? static_cast<Executor&>(serial) : three;
      std::copy(residual.begin(), residual.end(), y.begin());
      Epilogue epilogue{.relu = relu, .gelu = gelu};
      if (add) epilogue.residual = kind == 2 ? residual.data() : y.data();  // in place
      epilogue.quantized = {kind > 0 ? results.data() : nullptr, 0.0625f, static_cast<uint8_t>(relu ? 3 : 128)};
      const Wanted wanted = finished(layer, sums, epilogue, residual, m);
      std::fill(results.begin(), results.end(), uint8_t{77});
      run(ofBytes ? LayerInput(x.data()) : LayerInput(floats.data()), kind == 2 ? nullptr : y.data(), epilogue,
          workspace, executor);
      if (kind < 2) CHECK(same(wanted.y, y.data()), "%s, floats, of bytes %d", what.c_str(), ofBytes);
      if (kind > 0)
        CHECK(std::equal(wanted.bytes.begin(), wanted.bytes.end(), results.begin()), "%s, bytes, of bytes %d",
              what.c_str(), ofBytes);
    }
}

static void checkMatMul(std::mt19937& random, size_t D, size_t M, size_t rows) {
  const RandomDense layer(random, D, M);
  std::vector<uint8_t> x(rows * D);
  fillBytes(random, x.data(), x.size());
  std::vector<int64_t> sums;
  for (size_t n = 0; n < rows; n++)
    for (size_t m = 0; m < M; m++)
      sums.push_back(sumOf(
          layer, [&](size_t d) { return std::optional<int>(x[n * D + d]); },
          [&](size_t d) { return layer.weights[d * M + m]; }));
  for (const Microkernels* kernels : availableMicrokernels()) {
    const DenseMatMul op(*kernels, layer.view());
    checkRuns(
        random, layer, x, sums,
        std::string(kernels->isa) + " " + std::to_string(rows) + "x" + std::to_string(D) + "->" + std::to_string(M),
        [&](size_t i) { return i % M; },
        [&](LayerInput in, float* y, const Epilogue& epilogue, Workspace& workspace, Executor& executor) {
          op.run(in, rows, y, epilogue, workspace, executor);
        });
  }
}

static void checkConv(std::mt19937& random, const Window& w, size_t M, size_t batch, size_t height, size_t width) {
  const size_t oh = outputExtent(height, w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop, w.padBottom);
  const size_t ow = outputExtent(width, w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft, w.padRight);
  if (oh == 0 || ow == 0) return;
  const size_t filter = w.filterHeight * w.filterWidth, plane = oh * ow;
  const RandomDense layer(random, w.inputChannels * filter, M);
  std::vector<uint8_t> x(batch * w.inputChannels * height * width);
  fillBytes(random, x.data(), x.size());
  std::vector<int64_t> sums;
  for (size_t i = 0; i < batch * M * plane; i++) {
    const size_t image = i / plane / M, m = i / plane % M, oy = i % plane / ow, ox = i % ow;
    sums.push_back(sumOf(
        layer,
        [&](size_t d) -> std::optional<int> {
          const size_t channel = d / filter;
          const size_t row = oy * w.strideHeight + d % filter / w.filterWidth * w.dilationHeight - w.padTop;
          const size_t column = ox * w.strideWidth + d % w.filterWidth * w.dilationWidth - w.padLeft;
          if (row >= height || column >= width) return std::nullopt;  // below 0 wraps around
          return x[((image * w.inputChannels + channel) * height + row) * width + column];
        },
        [&](size_t d) { return layer.weights[m * layer.D + d]; }));
  }
  for (const Microkernels* kernels : availableMicrokernels()) {
    const DenseConv op(*kernels, layer.view(), w);
    const ConvPlan plan = op.plan(height, width);
    const std::string what =
        std::string(kernels->isa) + " " + std::to_string(w.inputChannels) + "x" + std::to_string(height) + "x" +
        std::to_string(width) + ", filter " + std::to_string(w.filterHeight) + "x" + std::to_string(w.filterWidth) +
        ", stride " + std::to_string(w.strideHeight) + "x" + std::to_string(w.strideWidth) + "->" + std::to_string(M);
    checkRuns(
        random, layer, x, sums, what, [&](size_t i) { return i / plane % M; },
        [&](LayerInput in, float* y, const Epilogue& epilogue, Workspace& workspace, Executor& executor) {
          op.run(plan, in, batch, y, epilogue, workspace, executor);
        });
  }
}

TEST("dense products of rows are exact, and finished as lookups are") {
  std::mt19937 random(1);
  const auto draw = [&](size_t from, size_t to) { return from + random() % (to - from + 1); };
  for (int trial = 0; trial < 120; trial++) {
    if (leftOut()) continue;
    checkMatMul(random, draw(1, 150), draw(1, 90), draw(0, 40));
  }
  if (!leftOut()) checkMatMul(random, 192, 200, 130);  // more than one task of rows and of outputs
  if (!leftOut()) checkMatMul(random, 64, 70, 300);  // more than one tile of rows
  if (!leftOut()) checkMatMul(random, 1000, 33, 17);
}

TEST("dense convolutions are exact, and finished as lookups are") {
  std::mt19937 random(2);
  const auto draw = [&](size_t from, size_t to) { return from + random() % (to - from + 1); };
  for (int trial = 0; trial < 120; trial++) {
    if (leftOut()) continue;
    const Window w{draw(1, 21), draw(1, 4), draw(1, 4), draw(1, 3), draw(1, 3), draw(1, 2),
                   draw(1, 3),  draw(0, 3), draw(0, 3), draw(0, 2), draw(0, 3)};
    checkConv(random, w, draw(1, 40), draw(1, 2), draw(1, 14), draw(1, 20));
  }
  if (!leftOut()) checkConv(random, {3, 7, 7, 2, 2, 1, 1, 3, 3, 3, 3}, 20, 1, 45, 33);  // as networks begin
  if (!leftOut()) checkConv(random, {3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, 64, 1, 32, 32);  // more than one block
  if (!leftOut()) checkConv(random, {64, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, 70, 1, 9, 11);
  if (!leftOut()) checkConv(random, {12, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 300, 2, 15, 15);  // more than one group
  if (!leftOut()) checkConv(random, {7, 1, 1, 2, 2, 1, 1, 0, 0, 0, 0}, 18, 1, 110, 93);
  if (!leftOut()) checkConv(random, {2100, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 2, 1, 20, 30);  // more than one tile
}

/// The microkernels themselves, whose inputs are between inaccessible pages, too.
TEST("microkernels of dense products touch nothing but what they are given") {
  std::mt19937 random(3);
  const auto draw = [&](size_t from, size_t to) { return from + random() % (to - from + 1); };
  for (const Microkernels* kernels : availableMicrokernels())
    for (int trial = 0; trial < 200; trial++) {
      if (leftOut()) continue;
      const bool rows = random() % 2;
      const size_t D = draw(1, 150), M = draw(1, 70), N = draw(1, 70);
      const RandomDense layer(random, D, M);
      const PackedWeights packed(*kernels->dense, layer.view(),
                                 rows ? PackedWeights::Of::kRows : PackedWeights::Of::kColumns, rowQuads(D));
      const size_t Q = packed.numQuads(), stride = rows ? Q * 4 : roundUp(N, kDensePositions);
      for (const Guard guard : {Guard::kAfter, Guard::kBefore}) {
        Guarded<uint8_t> x(rows ? N * stride : Q * stride * 4, guard);
        fillBytes(random, x.data(), x.size());
        Guarded<int32_t> sums(N * M, guard);
        const Output out{.sums = sums.data(), .stride = rows ? M : N, .floor = 0};
        if (rows) kernels->dense->multiplyRows(packed.part(0, M), x.data(), stride, N, out);
        else kernels->dense->multiplyColumns(packed.part(0, M), x.data(), stride, N, out);
        for (size_t i = 0; i < N * M; i++) {
          const size_t n = rows ? i / M : i % N, m = rows ? i % M : i / N;
          const int64_t wanted = sumOf(
              layer,
              [&](size_t d) {
                return std::optional<int>(rows ? x[n * stride + d] : x[(d / 4 * stride + n) * 4 + d % 4]);
              },
              [&](size_t d) { return layer.weights[rows ? d * M + m : m * D + d]; });
          CHECK(sums[i] == wanted, "%s %s of %zu, %zu->%zu: %d, not %lld", kernels->isa, rows ? "rows" : "columns", N,
                D, M, sums[i], static_cast<long long>(wanted));
        }
      }
    }
}

TEST("the largest sums that are allowed do not pass int32") {
  std::mt19937 random(4);
  for (const int sign : {1, -1})
    for (const uint8_t zeroPoint : {0, 255})
      for (const Microkernels* kernels : availableMicrokernels()) {
        RandomDense layer(random, kMaxDenseInputs, 1);
        std::fill(layer.weights.begin(), layer.weights.end(), static_cast<int8_t>(127 * sign));
        layer.zeroPoint = zeroPoint;
        layer.scale = {1};
        layer.bias = {0};
        const std::vector<uint8_t> x(layer.D * 17, static_cast<uint8_t>(255 - zeroPoint));
        std::vector<float> y(17);
        Workspace workspace;
        SerialExecutor serial;
        DenseMatMul(*kernels, layer.view()).run(x.data(), 17, y.data(), {}, workspace, serial);
        const int64_t each = (zeroPoint ? -255 : 255) * 127 * sign;
        const float wanted = static_cast<float>(static_cast<int32_t>(each * static_cast<int64_t>(layer.D)));
        for (float one : y) CHECK(one == wanted, "%s: %g, not %g", kernels->isa, one, wanted);
      }
}

TEST("the C API makes and runs dense layers, and refuses what breaks a rule") {
  lutnn_context* context = nullptr;
  lutnn_error error;
  CHECK(lutnn_context_create(&context, &error) == LUTNN_OK, "%s", error.message);
  std::mt19937 random(5);
  const RandomDense layer(random, 18, 5);
  const lutnn_dense good{18, 5, 0.5f, 7, {layer.weights.data(), 90}, {layer.scale.data(), 5}, {layer.bias.data(), 5}};
  const lutnn_window window{2, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1};
  lutnn_layer* made = nullptr;
  CHECK(lutnn_dense_create(context, &good, &window, &made, &error) == LUTNN_OK, "%s", error.message);
  int64_t size[2];
  CHECK(lutnn_layer_output_size(made, 6, 7, size, &error) == LUTNN_OK && size[0] == 6 && size[1] == 7, "%s",
        error.message);
  CHECK(lutnn_layer_bytes(made) > 0, "no memory");
  std::vector<uint8_t> x(2 * 6 * 7), codes(42);
  std::vector<float> y(5 * 6 * 7);
  const lutnn_bytes bytes{x.data(), static_cast<int64_t>(x.size())};
  lutnn_run run{.inputs = {.count = 1, .height = 6, .width = 7, .quantized = &bytes},
                .y = {y.data(), static_cast<int64_t>(y.size())},
                .threads = 1,
                .to = 1};
  CHECK(lutnn_layer_run(made, &run, context, &error) == LUTNN_OK, "%s", error.message);
  const auto without = [&](lutnn_code code) {
    CHECK(code == LUTNN_WRONG_KIND && std::strstr(error.message, "a dense layer has no codes"), "%d %s", code,
          error.message);
  };
  double share;
  int32_t sums[5];
  without(lutnn_layer_encode(made, &run.inputs, {codes.data(), 42}, context, &error));
  without(lutnn_layer_lookup(made, {codes.data(), 1}, 1, {sums, 5}, context, &error));
  without(lutnn_layer_mismatch(made, &run.inputs, &share, context, &error));
  const auto refused = [&](const char* words, auto change) {
    lutnn_dense bad = good;
    lutnn_window place = window;
    change(bad, place);
    lutnn_layer* none = nullptr;
    const lutnn_code code = lutnn_dense_create(context, &bad, &place, &none, &error);
    CHECK(code == LUTNN_OUT_OF_RANGE && std::strstr(error.message, words) && !none, "%d %s", code, error.message);
  };
  refused("inputs must be an integer from 1", [](lutnn_dense& d, lutnn_window&) { d.inputs = 0; });
  refused("at most 66311 (got 66312)", [](lutnn_dense& d, lutnn_window&) { d.inputs = 66312; });
  refused("inputChannels · filterHeight · filterWidth (got 18 and 3 · 3 · 3)",
          [](lutnn_dense&, lutnn_window& w) { w.input_channels = 3; });
  refused("weights must have inputs · outputs = 18 · 6 = 108", [](lutnn_dense& d, lutnn_window&) { d.outputs = 6; });
  refused("scale must have outputs = 5", [](lutnn_dense& d, lutnn_window&) { d.scale.length = 4; });
  refused("inputScale must be a float32 above 0", [](lutnn_dense& d, lutnn_window&) { d.input_scale = -1; });
  refused("inputZeroPoint must be an integer from 0 to 255",
          [](lutnn_dense& d, lutnn_window&) { d.input_zero_point = 256; });
  refused("strideWidth must be", [](lutnn_dense&, lutnn_window& w) { w.stride_width = 0; });
  std::vector<int8_t> low(90, -128);
  refused("weights must be within ±127 (got -128 at index 0)",
          [&](lutnn_dense& d, lutnn_window&) { d.weights.data = low.data(); });
  lutnn_layer_free(made);
  lutnn_context_free(context);
}
