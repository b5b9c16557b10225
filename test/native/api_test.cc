// The C API: each rule about arguments is refused with its code and sentence before anything is written, and the host's
// threads give the results of our own.
#include <algorithm>
#include <cmath>
#include <string>
#include <thread>

#include "check.h"
#include "core/lutnn.h"
#include "reference.h"
#include "training/lutnn_training.h"

using namespace lutnn;

namespace {

template <class View, class T>
View view(std::vector<T>& values) {
  return {values.data(), static_cast<int64_t>(values.size())};
}

struct Context {
  lutnn_context* context = nullptr;
  lutnn_error error{};
  Context() { CHECK(lutnn_context_create(&context, &error) == LUTNN_OK, "%s", error.message); }
  ~Context() { lutnn_context_free(context); }
};

/// A layer of the C API with its arrays: C = 4, K = 16, V = 9, M = 70, on rows or with 3 × 3 windows on 4 channels.
struct Layer : Context {
  std::mt19937 random{1};
  RandomLayer drawn{random, 4, 16, 9, 70};
  lutnn_window window{4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1};
  std::vector<int32_t> dimensions = std::vector<int32_t>(16, 8);
  std::vector<float> thresholds = std::vector<float>(60);
  lutnn_lookup lookup{4,
                      16,
                      9,
                      70,
                      view<lutnn_floats>(drawn.centroids),
                      view<lutnn_int8s>(drawn.lookupTable),
                      view<lutnn_floats>(drawn.tableScale),
                      view<lutnn_floats>(drawn.bias)};
  std::vector<int8_t> integerCentroids = std::vector<int8_t>(576);
  std::vector<int32_t> halfNorms = std::vector<int32_t>(64);
  lutnn_integer_codes integers{1, 0, view<lutnn_int8s>(integerCentroids), view<lutnn_ints>(halfNorms)};
  lutnn_layer_options options{};
  lutnn_layer* layer = nullptr;

  lutnn_code make() {
    lutnn_layer_free(layer);
    layer = nullptr;
    return lutnn_layer_create(context, &lookup, &options, &layer, &error);
  }
  ~Layer() { lutnn_layer_free(layer); }
};

void expectRefused(lutnn_code code, lutnn_code wanted, const lutnn_error& error, const std::string& message) {
  CHECK(code == wanted && message == error.message, "code %d: %s", code, error.message);
}

/// One thread after another takes every second task, as a host's pool might.
void forEach(void* host, int64_t tasks, void (*task)(void*, int64_t, int64_t), void* body) {
  ++*static_cast<int*>(host);
  std::thread other([&] {
    for (int64_t i = 1; i < tasks; i += 2) task(body, i, 1);
  });
  for (int64_t i = 0; i < tasks; i += 2) task(body, i, 0);
  other.join();
}

}  // namespace

TEST("a context takes the instruction set that is named") {
  lutnn_error error;
  for (size_t i = 0; lutnn_available_isa(i); i++) {
    lutnn_context* context = nullptr;
    CHECK(lutnn_context_create_for(lutnn_available_isa(i), &context, &error) == LUTNN_OK, "%s", error.message);
    CHECK(std::string(lutnn_context_isa(context)) == lutnn_available_isa(i), "%s", lutnn_context_isa(context));
    lutnn_context_free(context);
  }
  lutnn_context* none = nullptr;
  CHECK(lutnn_context_create_for("sse2", &none, &error) == LUTNN_OUT_OF_RANGE && !none, "%s", error.message);
  CHECK(
      std::string(error.message).starts_with("isa must name an instruction set that is available here (got \"sse2\")"),
      "%s", error.message);
}

TEST("what describes a layer is refused by its rule") {
  Layer made;
  const auto refused = [&](const std::string& message) {
    const lutnn_code code = made.make();
    expectRefused(code, LUTNN_OUT_OF_RANGE, made.error, message);
    CHECK(!made.layer, "a layer was made");
  };
  CHECK(made.make() == LUTNN_OK && lutnn_layer_bytes(made.layer) > 4 * 16 * 70, "%s", made.error.message);

  made.lookup.num_codebooks = 0;
  refused("numCodebooks must be an integer from 1 to 2147483647 (got 0)");
  made.lookup.num_codebooks = 5;
  refused("centroids must have numCodebooks · numCentroids · subvectorLength = 5 · 16 · 9 = 720 elements (got 576)");
  made.lookup.num_codebooks = 4;
  made.lookup.num_centroids = 257;
  refused("numCentroids must be 2 … 256, because a code is one byte (got 257)");
  made.lookup.num_centroids = 16;
  made.lookup.bias.length = -1;
  refused("bias must have outputs = 70 elements (got -1)");
  made.lookup.bias = {nullptr, 70};
  refused("bias must lie in memory (got a null pointer)");
  made.lookup.bias = {reinterpret_cast<const float*>(reinterpret_cast<const char*>(made.drawn.bias.data()) + 1), 70};
  refused("bias must lie at a multiple of 4 bytes; pass a copy");
  made.lookup.bias = view<lutnn_floats>(made.drawn.bias);

  made.options.encoding = LUTNN_TREE;
  refused("dimensions must have numCodebooks · 4 = 4 · 4 = 16 elements (got 0)");
  made.options.tree_dimensions = view<lutnn_ints>(made.dimensions);
  refused("thresholds must have numCodebooks · 15 = 4 · 15 = 60 elements (got 0)");
  made.options.tree_thresholds = view<lutnn_floats>(made.thresholds);
  CHECK(made.make() == LUTNN_OK, "%s", made.error.message);
  made.dimensions[3] = 9;
  refused("dimensions of a tree must be below subvectorLength (got 9 and 9)");
  made.options.encoding = LUTNN_INTEGER;
  const lutnn_code none = made.make();
  expectRefused(none, LUTNN_WRONG_KIND, made.error, "encoding \"integer\" takes integers (got none)");
  made.options.integers = &made.integers;
  made.lookup.centroids = {nullptr, 0};  // they are not read
  CHECK(made.make() == LUTNN_OK, "%s", made.error.message);
  double share;
  std::vector<float> row(36);
  const lutnn_inputs inputs{view<lutnn_floats>(row), 1, 0, 0};
  const lutnn_code mismatch = lutnn_layer_mismatch(made.layer, &inputs, &share, made.context, &made.error);
  expectRefused(mismatch, LUTNN_WRONG_KIND, made.error,
                "codes that are defined in integers have no others to differ from; ask a layer of another encoding");
  made.integers.input_scale = 0;
  refused("inputScale must be a float32 above 0 (got 0.000000)");
  made.integers.input_scale = INFINITY;
  refused("inputScale must be a float32 above 0 (got inf)");
  made.integers.input_scale = 1;
  made.integers.input_zero_point = 256;
  refused("inputZeroPoint must be an integer from 0 to 255 (got 256)");
  made.integers.input_zero_point = 0;
  made.integerCentroids[5] = -128;
  refused("centroids of integers must be within ±127 (got -128 at index 5)");
  made.integerCentroids[5] = -127;
  made.halfNorms[63] = (1 << 23) + 1;
  refused("halfNorms must be from 0 to 8388608 (got 8388609 at index 63)");
  made.halfNorms[63] = -1;
  refused("halfNorms must be from 0 to 8388608 (got -1 at index 63)");
  made.halfNorms[63] = 1 << 23;
  made.integers.half_norms.length = 63;
  refused("halfNorms must have numCodebooks · numCentroids = 4 · 16 = 64 elements (got 63)");
  made.lookup.subvector_length = 257;
  refused("encoding \"integer\" takes a subvectorLength of at most 256 (got 257); use \"float32\"");
  made.lookup.subvector_length = 9;
  made.lookup.centroids = view<lutnn_floats>(made.drawn.centroids);
  made.options.encoding = 7;
  const lutnn_code wrongKind = made.make();
  expectRefused(wrongKind, LUTNN_WRONG_KIND, made.error, "encoding must be one of lutnn_encoding (got 7)");
  made.options.encoding = LUTNN_FLOAT32;

  made.options.window = &made.window;
  CHECK(made.make() == LUTNN_OK, "%s", made.error.message);
  made.window.stride_width = 0;
  refused("strideWidth must be an integer from 1 to 16777216 (got 0)");
  made.window.stride_width = 1;
  made.window.filter_width = 2;
  refused(
      "subvectorLength must be a multiple of filterHeight · filterWidth (got 9 and 6); a codebook covers whole windows "
      "of its channels");
}

TEST("what a run is given is refused by its rule, and its output stays as it was") {
  Layer made;
  made.options.window = &made.window;
  CHECK(made.make() == LUTNN_OK, "%s", made.error.message);
  std::vector<float> x(2 * 400), y(2 * 7000, 7.0f), before = y;
  std::vector<double> times(2);
  const lutnn_run sound{
      .inputs = {view<lutnn_floats>(x), 2, 10, 10}, .y = view<lutnn_floats_out>(y), .threads = 1, .to = 2};
  lutnn_run run = sound;
  const auto refused = [&](const std::string& message) {
    const lutnn_code code = lutnn_layer_run(made.layer, &run, made.context, &made.error);
    expectRefused(code, LUTNN_OUT_OF_RANGE, made.error, message);
    lutnn_call* call = nullptr;
    CHECK(lutnn_call_create(made.layer, &run, &call, &made.error) == LUTNN_OUT_OF_RANGE && !call, "a call was made");
    CHECK(y == before, "the output changed");
    run = sound;
  };
  run.inputs.count = -1;
  refused("batch must be an integer from 0 to 2147483647 (got -1)");
  run.inputs.count = 3;
  run.to = 3;
  refused("x must have batch · inputChannels · height · width = 3 · 4 · 10 · 10 = 1200 elements (got 800)");
  run.inputs.height = 0;
  refused("height must be an integer from 1 to 2147483647 (got 0)");
  run.threads = 257;
  refused("threads must be an integer from 1 to 256 (got 257)");
  run.to = 3;
  refused("to must be an integer from 0 to 2 (got 3)");
  run.from = 2;
  run.to = 1;
  refused("from must be an integer from 0 to 1 (got 2)");
  run.y.length--;
  refused("y must have batch · outputs · output height · output width = 2 · 70 · 10 · 10 = 14000 elements (got 13999)");
  run.inputs.x.data = y.data() + 13300;
  refused("y must not overlap x, which is still read while it is written; use separate memory");
  lutnn_floats residual{y.data() + 1, 14000};
  run.residual = &residual;
  refused("y must not overlap residual, which is still read while it is written; use separate memory");
  std::vector<float> other(14000);
  residual.data = other.data();
  const lutnn_doubles_out inResidual{reinterpret_cast<double*>(other.data()), 2};
  run.residual = &residual;
  run.times = &inResidual;
  refused("times must not overlap residual, which is still read while it is written; use separate memory");
  lutnn_executor none{nullptr, 0, forEach};
  run.executor = &none;
  refused("slots must be an integer from 1 to 2147483647 (got 0)");
}

TEST("inputs and results that are bytes are refused by their rules, and go by themselves") {
  Layer made;
  std::vector<float> x(72), y(140), wanted(140);
  std::vector<uint8_t> bytes(72), results(140);
  const lutnn_bytes quantized = view<lutnn_bytes>(bytes);
  lutnn_byte_results to{view<lutnn_bytes_out>(results), 0.5f, 3};
  lutnn_run run{};
  const auto refused = [&](lutnn_code code, const char* message) {
    std::fill(results.begin(), results.end(), 77);
    expectRefused(lutnn_layer_run(made.layer, &run, made.context, &made.error), code, made.error, message);
    CHECK(std::all_of(results.begin(), results.end(), [](uint8_t byte) { return byte == 77; }), "bytes were written");
    to = {view<lutnn_bytes_out>(results), 0.5f, 3};
    run = {.inputs = {.count = 2, .quantized = &quantized}, .quantized = &to, .threads = 1, .to = 2};
  };
  CHECK(made.make() == LUTNN_OK, "%s", made.error.message);
  run = {.inputs = {.count = 2, .quantized = &quantized}, .quantized = &to, .threads = 1, .to = 2};
  refused(LUTNN_WRONG_KIND,
          "inputs that are bytes must go to a layer of encoding \"integer\", whose model says what "
          "they mean; pass x as floats");
  made.options.encoding = LUTNN_INTEGER;
  made.options.integers = &made.integers;
  for (size_t i = 0; i < made.integerCentroids.size(); i++) made.integerCentroids[i] = static_cast<int8_t>(i % 100);
  CHECK(made.make() == LUTNN_OK, "%s", made.error.message);
  run.inputs.count = 3;
  refused(LUTNN_OUT_OF_RANGE,
          "quantized inputs must have rows · numCodebooks · subvectorLength = 3 · 36 = 108 elements (got 72)");
  to.bytes.length = 139;
  refused(LUTNN_OUT_OF_RANGE, "quantized results must have rows · outputs = 2 · 70 = 140 elements (got 139)");
  run.relu = run.gelu = 1;
  refused(LUTNN_OUT_OF_RANGE, "results must go through one of ReLU and GELU (got both); leave one out");
  to.scale = 0;
  refused(LUTNN_OUT_OF_RANGE, "the scale of results must be a float32 above 0 (got 0.000000)");
  to.scale = INFINITY;
  refused(LUTNN_OUT_OF_RANGE, "the scale of results must be a float32 above 0 (got inf)");
  to.zero_point = 256;
  refused(LUTNN_OUT_OF_RANGE, "the zero point of results must be an integer from 0 to 255 (got 256)");
  const lutnn_bytes overlapping{results.data() + 60, 72};
  run.inputs.quantized = &overlapping;
  refused(LUTNN_OUT_OF_RANGE,
          "quantized results must not overlap x, which is still read while it is written; use separate memory");
  const lutnn_floats residual = view<lutnn_floats>(x);
  run.residual = &residual;
  refused(LUTNN_OUT_OF_RANGE, "residual must have the length of y = 140 elements (got 72)");
  for (size_t i = 0; i < bytes.size(); i++) x[i] = bytes[i] = static_cast<uint8_t>(i * 3);
  CHECK(lutnn_layer_run(made.layer, &run, made.context, &made.error) == LUTNN_OK, "%s", made.error.message);
  run = {
      .inputs = {.x = view<lutnn_floats>(x), .count = 2}, .y = view<lutnn_floats_out>(wanted), .threads = 1, .to = 2};
  CHECK(lutnn_layer_run(made.layer, &run, made.context, &made.error) == LUTNN_OK, "%s", made.error.message);
  for (size_t i = 0; i < results.size(); i++)
    CHECK(results[i] == referenceByte(wanted[i], 0.5f, 3), "%zu: %d", i, results[i]);
}

TEST("codes beyond the centroids, and overlapping arrays, are refused") {
  Layer made;
  CHECK(made.make() == LUTNN_OK, "%s", made.error.message);
  std::vector<uint8_t> codes(12, 3);
  std::vector<int32_t> sums(210, 5);
  codes[7] = 16;
  const auto lookup = [&](lutnn_bytes from) {
    return lutnn_layer_lookup(made.layer, from, 3, view<lutnn_ints_out>(sums), made.context, &made.error);
  };
  const lutnn_code code = lookup(view<lutnn_bytes>(codes));
  expectRefused(code, LUTNN_OUT_OF_RANGE, made.error,
                "codes must be below numCentroids (got 16 and 16); use what encode gives for these centroids");
  const lutnn_code overlap = lookup({reinterpret_cast<const uint8_t*>(sums.data()) + 100, 12});
  expectRefused(overlap, LUTNN_OUT_OF_RANGE, made.error,
                "sums must not overlap codes, which is still read while it is written; use separate memory");
  CHECK(sums == std::vector<int32_t>(210, 5), "the output changed");
  codes[7] = 15;
  CHECK(lookup(view<lutnn_bytes>(codes)) == LUTNN_OK && sums == referenceSums(made.drawn, codes.data(), 3), "%s",
        made.error.message);
}

TEST("the host's threads, and a call that is checked once, give the results of our own") {
  for (bool windowed : {false, true}) {
    Layer made;
    if (windowed) made.options.window = &made.window;
    CHECK(made.make() == LUTNN_OK, "%s", made.error.message);
    std::vector<float> x = randomFloats(made.random, windowed ? 400 : 300 * 36);
    std::vector<float> wanted(windowed ? 7000 : 300 * 70), y(wanted.size());
    const int64_t count = windowed ? 1 : 300;
    lutnn_run run{.inputs = {view<lutnn_floats>(x), count, 10, 10},
                  .y = view<lutnn_floats_out>(wanted),
                  .threads = 1,
                  .to = count};
    CHECK(lutnn_layer_run(made.layer, &run, made.context, &made.error) == LUTNN_OK, "%s", made.error.message);
    int calls = 0;
    const lutnn_executor host{&calls, 2, forEach};
    run.executor = &host;
    run.y = view<lutnn_floats_out>(y);
    lutnn_call* call = nullptr;
    CHECK(lutnn_call_create(made.layer, &run, &call, &made.error) == LUTNN_OK, "%s", made.error.message);
    CHECK(lutnn_call_run(call, made.context, &made.error) == LUTNN_OK, "%s", made.error.message);
    CHECK(y == wanted && calls >= 2, "%d calls of the host's threads", calls);
    lutnn_call_free(call);
  }
}

TEST("encodings are found by name") {
  lutnn_encoding encoding = LUTNN_FLOAT32;
  lutnn_error error;
  CHECK(lutnn_encoding_named("int8", &encoding, &error) == LUTNN_OK && encoding == LUTNN_INT8, "%d", encoding);
  CHECK(lutnn_encoding_named("tree", &encoding, &error) == LUTNN_OK && encoding == LUTNN_TREE, "%d", encoding);
  CHECK(lutnn_encoding_named("integer", &encoding, &error) == LUTNN_OK && encoding == LUTNN_INTEGER, "%d", encoding);
  CHECK(lutnn_encoding_named("float32", &encoding, &error) == LUTNN_OK && encoding == LUTNN_FLOAT32, "%d", encoding);
  const lutnn_code code = lutnn_encoding_named("fp8", &encoding, &error);
  expectRefused(code, LUTNN_WRONG_KIND, error,
                "encoding must be \"float32\", \"int8\", \"tree\" or \"integer\" (got \"fp8\")");
  const lutnn_code gone = lutnn_encoding_named("bf16", &encoding, &error);
  expectRefused(gone, LUTNN_WRONG_KIND, error,
                "encoding must be \"float32\", \"int8\", \"tree\" or \"integer\" (got \"bf16\"); bfloat16 was nowhere "
                "faster than "
                "\"float32\", use that");
}

TEST("what k-means is given is refused by its rule, and the centroids stay as they were") {
  std::mt19937 random(2);
  std::vector<float> points = randomFloats(random, 5 * 8), centroids(24, 7.0f), before = centroids;
  std::vector<double> draws(6, 0.5);
  const lutnn_k_means sound{.points = view<lutnn_floats>(points),
                            .rows = 5,
                            .num_codebooks = 2,
                            .num_centroids = 3,
                            .subvector_length = 4,
                            .iterations = 1,
                            .draws = view<lutnn_doubles>(draws),
                            .first = 0,
                            .centroids = view<lutnn_floats_out>(centroids)};
  lutnn_k_means problem = sound;
  lutnn_error error;
  const auto refused = [&](const std::string& message) {
    const lutnn_code code = lutnn_training_k_means(&problem, &error);
    expectRefused(code, LUTNN_OUT_OF_RANGE, error, message);
    CHECK(centroids == before, "the centroids changed");
    problem = sound;
  };
  problem.rows = 0;
  refused("rows must be an integer from 1 to 2147483647 (got 0)");
  problem.first = 2;
  refused("first must be an integer from 0 to 1 (got 2)");
  problem.first = 1;
  refused("centroids must hold from one to numCodebooks - first = 1 codebooks (got 2)");
  problem.centroids.length = 23;
  refused("centroids must have codebooks · numCentroids · subvectorLength = 1 · 3 · 4 = 12 elements (got 23)");
  problem.centroids.data = points.data() + 20;
  refused("centroids must not overlap points, which is still read while it is written; use separate memory");
  problem.centroids.data = reinterpret_cast<float*>(draws.data() + 5);
  refused("centroids must not overlap draws, which is still read while it is written; use separate memory");
  draws[4] = 1;
  refused("draws must be at least 0 and below 1 (got 1.000000 at index 4)");
  draws[4] = 0.5;
  CHECK(lutnn_training_k_means(&problem, &error) == LUTNN_OK && centroids != before, "%s", error.message);
}

TEST("numbers by themselves are refused by the rules that calls have for them") {
  lutnn_error error;
  for (float bad : {0.f, -1.f, std::nanf(""), INFINITY})
    CHECK(lutnn_check_scale("outputScale", bad, &error) == LUTNN_OUT_OF_RANGE &&
              std::string(error.message).starts_with("outputScale must be a float32 above 0 (got "),
          "%g: %s", static_cast<double>(bad), error.message);
  CHECK(lutnn_check_scale("outputScale", 1e-30f, &error) == LUTNN_OK, "%s", error.message);
  for (float bad : {-1e-9f, std::nanf(""), INFINITY})
    CHECK(lutnn_check_epsilon(bad, &error) == LUTNN_OUT_OF_RANGE, "%g", static_cast<double>(bad));
  CHECK(lutnn_check_epsilon(0, &error) == LUTNN_OK, "%s", error.message);
  std::vector<float> values{1, -2, 3e38f, 0};
  CHECK(lutnn_check_finite("bias", view<lutnn_floats>(values), &error) == LUTNN_OK, "%s", error.message);
  values[2] = INFINITY;
  const lutnn_code code = lutnn_check_finite("bias", view<lutnn_floats>(values), &error);
  expectRefused(code, LUTNN_OUT_OF_RANGE, error, "bias must be finite (got inf at index 2)");
  lutnn_window window{0, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1};  // channels are the images'
  CHECK(lutnn_check_max_pool(&window, &error) == LUTNN_OK, "%s", error.message);
  window.pad_right = 2;
  CHECK(lutnn_check_max_pool(&window, &error) == LUTNN_OUT_OF_RANGE, "%s", error.message);
}
