// Calls of the C API drawn from bytes: sizes that are right, one off, or nonsense (fuzz_input.h). fuzz_calls_main.cc gives the
// bytes; the entry point is the one that Clang's libFuzzer calls.
#include "fuzz_input.h"
#include "training/lutnn_training.h"

namespace {

lutnn_context* context() {
  static lutnn_context* made = [] {
    lutnn_context* context = nullptr;
    lutnn_error error;
    if (lutnn_context_create(&context, &error) != LUTNN_OK) __builtin_trap();
    return context;
  }();
  return made;
}

/// A scale that is one, most often.
float scale(Bytes& b) { return b.oneIn(16) ? b.number() : 0.25f; }

struct Sizes {
  int64_t C, K, V, M, rows;
  explicit Sizes(Bytes& b)
      : C(1 + b.below(4)),
        K(b.oneIn(3) ? 2 + b.below(60) : 16),
        V(1 + b.below(9)),
        M(1 + b.below(40)),
        rows(b.below(40)) {}
};

lutnn_integer_codes integersOf(Bytes& b, Arrays& arrays, const Sizes& s) {
  return {scale(b), b.spoiled(b.byte()), arrays.int8s(s.C * s.K * s.V), arrays.ints(s.C * s.K, false)};
}

/// At times taps of a window lie far from each other, with as much padding, so that outputs are as few as before.
void spread(Bytes& b, lutnn_window& window) {
  if (!b.oneIn(8)) return;
  const int64_t far = int64_t{1} << (6 + b.below(17));
  const auto along = [&](int64_t filter, int64_t& dilation, int64_t& before, int64_t& after) {
    if (filter < 1 || filter > 3 || b.below(2)) return;
    dilation = far;
    before = b.below(filter) * far + b.below(3);
    after = (filter - 1) * far - before + b.below(5);
  };
  along(window.filter_height, window.dilation_height, window.pad_top, window.pad_bottom);
  along(window.filter_width, window.dilation_width, window.pad_left, window.pad_right);
}

void layer(Bytes& b) {
  Arrays arrays(b);
  Sizes s(b);
  const bool isConv = b.below(2);
  lutnn_window window{};
  int64_t height = 0, width = 0;
  if (isConv) {
    const int64_t fh = 1 + b.below(3), fw = 1 + b.below(3);
    s.V = fh * fw;
    window = {b.spoiled(s.C),
              b.spoiled(fh),
              b.spoiled(fw),
              b.spoiled(1 + b.below(2)),
              b.spoiled(1 + b.below(3)),
              b.spoiled(1 + b.below(2)),
              b.spoiled(1 + b.below(2)),
              b.spoiled(b.below(3)),
              b.spoiled(b.below(3)),
              b.spoiled(b.below(3)),
              b.spoiled(b.below(3))};
    spread(b, window);
    height = 1 + b.below(9);
    width = 1 + b.below(9);
    s.rows = b.below(3);
  }
  const lutnn_lookup lookup{b.spoiled(s.C),
                            b.spoiled(s.K),
                            b.spoiled(s.V),
                            b.spoiled(s.M),
                            arrays.floats<lutnn_floats>(s.C * s.K * s.V),
                            arrays.int8s(s.C * s.K * s.M),
                            arrays.floats<lutnn_floats>(s.M),
                            arrays.floats<lutnn_floats>(s.M)};
  lutnn_layer_options options{};
  options.encoding = static_cast<lutnn_encoding>(b.below(6));
  options.window = isConv ? &window : nullptr;
  options.tree_dimensions = arrays.ints(s.C * 4, true);
  options.tree_thresholds = arrays.floats<lutnn_floats>(s.C * 15);
  const lutnn_integer_codes integers = integersOf(b, arrays, s);
  options.integers = b.oneIn(16) ? nullptr : &integers;
  lutnn_layer* made = nullptr;
  lutnn_error error;
  const lutnn_code code = lutnn_layer_create(context(), &lookup, &options, &made, &error);
  check(code, error);
  if (code != LUTNN_OK) return;

  int64_t positions = s.rows, plane = 1;
  if (isConv) {
    int64_t size[2];
    const lutnn_code fits = lutnn_layer_output_size(made, b.spoiled(height), b.spoiled(width), size, &error);
    check(fits, error);
    plane = fits == LUTNN_OK && size[0] < 64 && size[1] < 64 ? size[0] * size[1] : 1;
    positions *= plane;
  }
  const int64_t elements = isConv ? s.rows * window.input_channels % 4096 * height * width : s.rows * s.C * s.V;
  lutnn_inputs inputs{arrays.floats<lutnn_floats>(elements), b.spoiled(s.rows), b.spoiled(height), b.spoiled(width)};
  check(lutnn_layer_encode(made, &inputs, arrays.codes<lutnn_bytes_out>(positions * s.C), context(), &error), error);
  const lutnn_ints sums = arrays.ints(positions * s.M, false);
  check(lutnn_layer_lookup(made, arrays.codes<lutnn_bytes>(positions * s.C), b.spoiled(positions),
                           {const_cast<int32_t*>(sums.data), sums.length}, context(), &error),
        error);
  double share;
  check(lutnn_layer_mismatch(made, &inputs, &share, context(), &error), error);
  lutnn_run run{};
  run.inputs = inputs;
  const auto codes = arrays.codes<lutnn_bytes>(s.rows * s.C);
  if (b.oneIn(24) != (options.encoding == LUTNN_CODES)) run.inputs.codes = &codes;
  run.y = arrays.floats<lutnn_floats_out>(positions * s.M);
  const auto residual = arrays.floats<lutnn_floats>(positions * s.M);
  run.residual = b.below(2) ? &residual : nullptr;
  const auto bytes = arrays.codes<lutnn_bytes>(elements);
  const lutnn_byte_results quantized{arrays.codes<lutnn_bytes_out>(positions * s.M), scale(b), b.spoiled(b.byte())};
  if (options.encoding == LUTNN_INTEGER && b.below(2)) run.inputs.quantized = &bytes;
  if (b.oneIn(3)) run.quantized = &quantized;
  run.relu = b.below(2);
  run.gelu = b.oneIn(4);
  run.threads = b.spoiled(1 + b.below(3));
  run.from = b.spoiled(0);
  run.to = b.spoiled(s.rows);
  check(lutnn_layer_run(made, &run, context(), &error), error);
  lutnn_call* call = nullptr;
  const lutnn_code bound = lutnn_call_create(made, &run, &call, &error);
  check(bound, error);
  if (bound == LUTNN_OK) check(lutnn_call_run(call, context(), &error), error);
  lutnn_call_free(call);
  lutnn_layer_bytes(made);
  lutnn_layer_free(made);
}

void dense(Bytes& b) {
  Arrays arrays(b);
  const bool isConv = b.below(2);
  const int64_t fh = isConv ? 1 + b.below(3) : 1, fw = isConv ? 1 + b.below(3) : 1,
                channels = 1 + b.below(isConv ? 9 : 100);
  const int64_t D = channels * fh * fw, M = 1 + b.below(70), height = 1 + b.below(9), width = 1 + b.below(9);
  const int64_t rows = b.below(isConv ? 3 : 40);
  const auto spoiled = [&](int64_t number) { return b.spoiled(number); };
  lutnn_window window{spoiled(channels),
                      spoiled(fh),
                      spoiled(fw),
                      spoiled(1 + b.below(2)),
                      spoiled(1 + b.below(3)),
                      spoiled(1 + b.below(2)),
                      spoiled(1 + b.below(2)),
                      spoiled(b.below(3)),
                      spoiled(b.below(3)),
                      spoiled(b.below(3)),
                      spoiled(b.below(3))};
  spread(b, window);
  if (b.oneIn(6)) window = {channels, fh, fw, 1, 1, 1, 1, 0, 0, 0, 0};  // images are read as they lie
  const lutnn_dense given{spoiled(D),
                          spoiled(M),
                          scale(b),
                          spoiled(b.byte()),
                          arrays.int8s(D * M),
                          arrays.floats<lutnn_floats>(M),
                          arrays.floats<lutnn_floats>(M)};
  lutnn_layer* made = nullptr;
  lutnn_error error;
  const lutnn_code code = lutnn_dense_create(context(), &given, isConv ? &window : nullptr, &made, &error);
  check(code, error);
  if (code != LUTNN_OK) return;
  int64_t results = rows * M;
  if (isConv) {
    int64_t size[2];
    const lutnn_code fits = lutnn_layer_output_size(made, spoiled(height), spoiled(width), size, &error);
    check(fits, error);
    results *= fits == LUTNN_OK && size[0] < 64 && size[1] < 64 ? size[0] * size[1] : 1;
  }
  const int64_t elements = rows * channels * (isConv ? height * width : 1);
  const auto bytes = arrays.codes<lutnn_bytes>(elements);
  const auto residual = arrays.floats<lutnn_floats>(results);
  const lutnn_byte_results quantized{arrays.codes<lutnn_bytes_out>(results), b.oneIn(16) ? b.number() : 0.5f,
                                     spoiled(b.byte())};
  lutnn_run run{};
  run.inputs = {arrays.floats<lutnn_floats>(elements), spoiled(rows), spoiled(height), spoiled(width),
                b.below(2) ? &bytes : nullptr};
  if (!b.oneIn(3)) run.y = arrays.floats<lutnn_floats_out>(results);
  if (b.below(2)) run.quantized = &quantized;
  if (b.below(2)) run.residual = &residual;
  run.relu = b.below(2);
  run.gelu = b.below(2);
  run.threads = spoiled(1 + b.below(3));
  run.from = spoiled(0);
  run.to = spoiled(rows);
  check(lutnn_layer_run(made, &run, context(), &error), error);
  double share;
  check(lutnn_layer_encode(made, &run.inputs, arrays.codes<lutnn_bytes_out>(rows), context(), &error), error);
  check(lutnn_layer_mismatch(made, &run.inputs, &share, context(), &error), error);
  lutnn_layer_free(made);
}

void functions(Bytes& b) {
  Arrays arrays(b);
  const Sizes s(b);
  lutnn_error error;
  const auto x = arrays.floats<lutnn_floats>(s.rows * s.C * s.V);
  const lutnn_encode encode{x,
                            b.spoiled(s.rows),
                            arrays.floats<lutnn_floats>(s.C * s.K * s.V),
                            b.spoiled(s.C),
                            b.spoiled(s.K),
                            b.spoiled(s.V),
                            arrays.codes<lutnn_bytes_out>(s.rows * s.C)};
  check(lutnn_encode_rows(&encode, context(), &error), error);
  const lutnn_integer_codes integers = integersOf(b, arrays, s);
  const lutnn_encode_integers inIntegers{x,
                                         b.spoiled(s.rows),
                                         &integers,
                                         b.spoiled(s.C),
                                         b.spoiled(s.K),
                                         b.spoiled(s.V),
                                         arrays.codes<lutnn_bytes_out>(s.rows * s.C)};
  check(lutnn_encode_integer_rows(&inIntegers, context(), &error), error);
  const lutnn_table_codes codes{arrays.codes<lutnn_bytes>(s.rows * s.C),
                                b.spoiled(s.rows),
                                b.spoiled(s.C),
                                b.spoiled(s.K),
                                b.spoiled(s.M),
                                b.spoiled(1 + b.below(3))};
  const auto table = arrays.floats<lutnn_floats_out>(s.C * s.K * s.M),
             sums = arrays.floats<lutnn_floats_out>(s.rows * s.M);
  check(lutnn_lookup_add(&codes, {table.data, table.length}, sums, context(), &error), error);
  check(lutnn_scatter_add(&codes, {sums.data, sums.length}, table, context(), &error), error);
  const lutnn_int8s rounded = arrays.int8s(s.C * s.K * s.M);
  const lutnn_quantize quantize{
      {table.data, table.length},          b.spoiled(s.C * s.K), b.spoiled(s.M),
      static_cast<int32_t>(b.below(2)),    b.spoiled(127),       {const_cast<int8_t*>(rounded.data), rounded.length},
      arrays.floats<lutnn_floats_out>(s.M)};
  int32_t finite;
  check(lutnn_quantize_table(&quantize, &finite, &error), error);
  const int64_t filter = b.oneIn(6) ? 1 + b.below(200) : 1 + b.below(3), stride = 1 + b.below(3);
  const int64_t size = filter < 4 ? filter + b.below(9) : 1 + b.below(12);
  const int64_t pad = filter < 4 ? b.below(filter) : filter - 1 - b.below(filter < size ? filter : size);
  const int64_t pooled = (size + pad - filter) / stride + 1;
  const auto spoiled = [&](int64_t number) { return b.spoiled(number); };
  const lutnn_max_pool pool{{spoiled(s.C), spoiled(filter), spoiled(filter), spoiled(stride), spoiled(stride),
                             spoiled(1), spoiled(1), spoiled(pad), 0, 0, spoiled(pad)},
                            spoiled(2),
                            spoiled(size),
                            spoiled(size),
                            arrays.codes<lutnn_bytes>(2 * s.C * size * size),
                            arrays.codes<lutnn_bytes_out>(2 * s.C * pooled * pooled),
                            nullptr};
  int64_t poolSize[2];
  check(lutnn_max_pool_size(&pool.window, pool.height, pool.width, poolSize, &error), error);
  check(lutnn_check_max_pool(&pool.window, &error), error);
  check(lutnn_max_pool_run(&pool, context(), &error), error);
  const int64_t heads = 1 + b.below(3), queries = b.below(9), positions = 1 + b.below(40), depth = 1 + b.below(9);
  const auto mask = arrays.floats<lutnn_floats>(2 * positions);
  const lutnn_attention attention{spoiled(2),
                                  spoiled(heads),
                                  spoiled(queries),
                                  spoiled(positions),
                                  spoiled(depth),
                                  spoiled(s.V),
                                  arrays.floats<lutnn_floats>(2 * queries * heads * depth),
                                  arrays.floats<lutnn_floats>(2 * positions * heads * depth),
                                  arrays.floats<lutnn_floats>(2 * positions * heads * s.V),
                                  b.below(2) ? &mask : nullptr,
                                  scale(b),
                                  arrays.floats<lutnn_floats_out>(2 * queries * heads * s.V),
                                  nullptr};
  check(lutnn_attention_run(&attention, context(), &error), error);
  const lutnn_attention_of_bytes ofBytes{spoiled(2),
                                         spoiled(heads),
                                         spoiled(queries),
                                         spoiled(positions),
                                         spoiled(depth),
                                         spoiled(s.V),
                                         arrays.codes<lutnn_bytes>(2 * queries * heads * depth),
                                         arrays.codes<lutnn_bytes>(2 * positions * heads * depth),
                                         arrays.codes<lutnn_bytes>(2 * positions * heads * s.V),
                                         b.below(2) ? &mask : nullptr,
                                         scale(b),
                                         scale(b),
                                         arrays.floats<lutnn_floats_out>(2 * queries * heads * s.V),
                                         nullptr};
  check(lutnn_attention_of_bytes_run(&ofBytes, context(), &error), error);
  const lutnn_byte_results normed{arrays.codes<lutnn_bytes_out>(s.rows * s.M), scale(b), spoiled(b.byte())};
  lutnn_layer_norm norm{};
  norm.rows = spoiled(s.rows);
  norm.length = spoiled(s.M);
  norm.x = arrays.floats<lutnn_floats>(s.rows * s.M);
  norm.scale = arrays.floats<lutnn_floats>(s.M);
  norm.shift = arrays.floats<lutnn_floats>(s.M);
  norm.epsilon = b.oneIn(16) ? b.number() : 1e-5f;
  if (!b.oneIn(3)) norm.y = arrays.floats<lutnn_floats_out>(s.rows * s.M);
  if (b.below(2)) norm.quantized = &normed;
  check(lutnn_layer_norm_run(&norm, context(), &error), error);
  check(lutnn_check_epsilon(norm.epsilon, &error), error);
  check(lutnn_check_scale("scale", normed.scale, &error), error);
  check(lutnn_check_finite("x", norm.x, &error), error);
  const lutnn_codebooks books{b.spoiled(s.C), b.spoiled(s.K), b.spoiled(s.V),
                              arrays.floats<lutnn_floats>(s.C * s.K * s.V), b.below(2) ? &integers : nullptr};
  lutnn_encoder* encoder = nullptr;
  const lutnn_code encodes = lutnn_encoder_create(context(), &books, &encoder, &error);
  check(encodes, error);
  if (encodes == LUTNN_OK) {
    const auto bytes = arrays.codes<lutnn_bytes>(s.rows * s.C * s.V);
    lutnn_inputs inputs{x, b.spoiled(s.rows)};
    if (b.below(2)) inputs.quantized = &bytes;
    check(lutnn_encoder_run(encoder, &inputs, arrays.codes<lutnn_bytes_out>(s.rows * s.C), nullptr, context(), &error),
          error);
    lutnn_encoder_free(encoder);
  }
  const lutnn_k_means kMeans{x,
                             b.spoiled(s.rows),
                             b.spoiled(s.C),
                             b.spoiled(s.K),
                             b.spoiled(s.V),
                             b.oneIn(24) ? -1 : b.below(4),  // any other number is carried out, to its end
                             arrays.doubles(s.C * s.K),
                             b.spoiled(0),
                             arrays.floats<lutnn_floats_out>(s.C * s.K * s.V)};
  check(lutnn_training_k_means(&kMeans, &error), error);
}

/// What is asked by names, and what the process has one of.
void names(Bytes& b) {
  lutnn_error error;
  char drawn[16] = {};
  for (int64_t i = b.below(sizeof drawn); i-- > 0;) drawn[i] = static_cast<char>(b.byte());
  static constexpr const char* known[] = {"scalar", "avx2", "int8", "integer", "tree", "float32", ""};
  const char* name = b.below(2) ? drawn : known[b.below(7)];
  lutnn_encoding encoding;
  check(lutnn_encoding_named(name, &encoding, &error), error);
  lutnn_context* made = nullptr;
  const lutnn_code code = lutnn_context_create_for(name, &made, &error);
  check(code, error);
  if (code == LUTNN_OK && (!lutnn_context_isa(made) || lutnn_context_bytes(made) > 1 << 20)) __builtin_trap();
  lutnn_context_free(made);
  check(lutnn_training_set_threads(b.spoiled(1 + b.below(3)), &error), error);
  const char* isa = nullptr;
  int64_t threads = 0;
  check(lutnn_training_info(&isa, &threads, &error), error);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes bytes(data, size);
  switch (bytes.below(5)) {
    case 0: layer(bytes); break;
    case 1: dense(bytes); break;
    case 2: fuzzSoft(bytes); break;
    case 3: names(bytes); break;
    default: functions(bytes);
  }
  return 0;
}
