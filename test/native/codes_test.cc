// Codes alone, and layers that look up codes: what a layer does in two steps has the bits of what it does in one.
#include <algorithm>

#include "check.h"
#include "core/lutnn.h"
#include "guarded.h"
#include "isa/dispatch.h"
#include "reference.h"

using namespace lutnn;

namespace {

template <class View, class Array>
View view(Array& array) {
  return {array.data(), static_cast<int64_t>(array.size())};
}

/// A random layer, in float32 or in integers.
struct Drawn {
  RandomLayer layer;
  std::vector<int8_t> centroids;
  std::vector<int32_t> halfNorms;
  lutnn_integer_codes integers{.input_scale = 0.03f, .input_zero_point = 117};
  lutnn_lookup lookup;

  Drawn(std::mt19937& random, size_t C, size_t K, size_t V, size_t M) : layer(random, C, K, V, M) {
    for (size_t i = 0; i < C * K * V; i++) centroids.push_back(static_cast<int8_t>(random() % 255 - 127));
    for (size_t i = 0; i < C * K; i++) halfNorms.push_back(static_cast<int32_t>(random() % 9999));
    integers.centroids = view<lutnn_int8s>(centroids);
    integers.half_norms = view<lutnn_ints>(halfNorms);
    lookup = {static_cast<int64_t>(C),
              static_cast<int64_t>(K),
              static_cast<int64_t>(V),
              static_cast<int64_t>(M),
              view<lutnn_floats>(layer.centroids),
              view<lutnn_int8s>(layer.lookupTable),
              view<lutnn_floats>(layer.tableScale),
              view<lutnn_floats>(layer.bias)};
  }
};

lutnn_error error;

lutnn_layer* make(const lutnn_context* context, const lutnn_lookup& lookup, lutnn_encoding encoding,
                  const lutnn_integer_codes* integers) {
  const lutnn_layer_options options{.encoding = encoding, .integers = integers};
  lutnn_layer* layer = nullptr;
  CHECK(lutnn_layer_create(context, &lookup, &options, &layer, &error) == LUTNN_OK, "%s", error.message);
  return layer;
}

void checkLayer(lutnn_context* context, std::mt19937& random, size_t rows, size_t C, size_t K, size_t V, size_t M,
                bool isInteger) {
  const char* isa = lutnn_context_isa(context);
  Drawn drawn(random, C, K, V, M);
  const lutnn_integer_codes* integers = isInteger ? &drawn.integers : nullptr;
  lutnn_layer* whole = make(context, drawn.lookup, isInteger ? LUTNN_INTEGER : LUTNN_FLOAT32, integers);
  const std::vector<float> x = randomFloats(random, rows * C * V);
  std::vector<float> wanted(rows * M);
  std::vector<uint8_t> wantedCodes(rows * C);
  lutnn_run run{.inputs = {.x = view<lutnn_floats>(x), .count = static_cast<int64_t>(rows)},
                .y = view<lutnn_floats_out>(wanted),
                .relu = 1,
                .threads = 2,
                .to = static_cast<int64_t>(rows)};
  CHECK(lutnn_layer_run(whole, &run, context, &error) == LUTNN_OK, "%s", error.message);
  CHECK(lutnn_layer_encode(whole, &run.inputs, view<lutnn_bytes_out>(wantedCodes), context, &error) == LUTNN_OK, "%s",
        error.message);

  const lutnn_codebooks books{static_cast<int64_t>(C), static_cast<int64_t>(K), static_cast<int64_t>(V),
                              view<lutnn_floats>(drawn.layer.centroids), integers};
  lutnn_encoder* encoder = nullptr;
  CHECK(lutnn_encoder_create(context, &books, &encoder, &error) == LUTNN_OK, "%s", error.message);
  for (Guard guard : {Guard::kAfter, Guard::kBefore}) {
    Guarded<uint8_t> codes(rows * C, guard);
    Guarded<float> y(rows * M, guard), in(x.size(), guard);
    std::copy(x.begin(), x.end(), in.begin());
    lutnn_inputs inputs{.x = view<lutnn_floats>(in), .count = static_cast<int64_t>(rows)};
    CHECK(lutnn_encoder_run(encoder, &inputs, view<lutnn_bytes_out>(codes), nullptr, context, &error) == LUTNN_OK, "%s",
          error.message);
    CHECK(std::equal(wantedCodes.begin(), wantedCodes.end(), codes.begin()), "%s: other codes (%zux%zux%zux%zu)", isa,
          rows, C, K, V);
    if (isInteger) {
      Guarded<uint8_t> bytes(x.size(), guard);
      kScalarMicrokernels.int8->quantizeBy(x.data(), x.size(), drawn.integers.input_scale, 117, bytes.data());
      const lutnn_bytes quantized = view<lutnn_bytes>(bytes);
      const lutnn_inputs ofBytes{.count = static_cast<int64_t>(rows), .quantized = &quantized};
      std::fill(codes.begin(), codes.end(), uint8_t{255});
      CHECK(lutnn_encoder_run(encoder, &ofBytes, view<lutnn_bytes_out>(codes), nullptr, context, &error) == LUTNN_OK,
            "%s", error.message);
      CHECK(std::equal(wantedCodes.begin(), wantedCodes.end(), codes.begin()), "%s: other codes of bytes", isa);
    }
    lutnn_lookup alone = drawn.lookup;
    alone.centroids = {nullptr, 0};
    alone.subvector_length = 0;  // neither is read
    lutnn_layer* ofCodes = make(context, alone, LUTNN_CODES, nullptr);
    const lutnn_bytes given = view<lutnn_bytes>(codes);
    lutnn_run second = run;
    second.inputs = {.count = static_cast<int64_t>(rows), .codes = &given};
    second.y = view<lutnn_floats_out>(y);
    CHECK(lutnn_layer_run(ofCodes, &second, context, &error) == LUTNN_OK, "%s", error.message);
    CHECK(std::memcmp(wanted.data(), y.data(), wanted.size() * sizeof(float)) == 0,
          "%s: other outputs (%zux%zux%zux%zu)", isa, rows, C, K, M);
    lutnn_layer_free(ofCodes);
  }
  lutnn_encoder_free(encoder);
  lutnn_layer_free(whole);
}

}  // namespace

TEST("codes made once and looked up later give what a layer gives at once") {
  std::mt19937 random(1);
  for (const Microkernels* kernels : availableMicrokernels()) {
    lutnn_context* context = nullptr;
    CHECK(lutnn_context_create_for(kernels->isa, &context, &error) == LUTNN_OK, "%s", error.message);
    for (int trial = 0; trial < 30; trial++) {
      if (leftOut()) continue;
      checkLayer(context, random, 1 + random() % 70, 1 + random() % 9, random() % 3 ? 16 : 2 + random() % 255,
                 1 + random() % 20, 1 + random() % 140, random() % 2);
    }
    checkLayer(context, random, 257, 3, 16, 8, 70, true);  // more than a tile
    lutnn_context_free(context);
  }
}

TEST("codes that name no entry are refused, each time, and so are codes and numbers in each other's place") {
  lutnn_context* context = nullptr;
  CHECK(lutnn_context_create(&context, &error) == LUTNN_OK, "%s", error.message);
  std::mt19937 random(2);
  Drawn drawn(random, 3, 16, 4, 5);
  lutnn_layer *ofCodes = make(context, drawn.lookup, LUTNN_CODES, nullptr),
              *plain = make(context, drawn.lookup, LUTNN_FLOAT32, nullptr);
  std::vector<uint8_t> codes{1, 15, 0};
  std::vector<float> y(5), x(12);
  const lutnn_bytes given = view<lutnn_bytes>(codes);
  lutnn_run run{.inputs = {.count = 1, .codes = &given}, .y = view<lutnn_floats_out>(y), .threads = 1, .to = 1};
  lutnn_call* call = nullptr;
  CHECK(lutnn_call_create(ofCodes, &run, &call, &error) == LUTNN_OK, "%s", error.message);
  CHECK(lutnn_call_run(call, context, &error) == LUTNN_OK, "%s", error.message);
  codes[2] = 16;
  CHECK(lutnn_call_run(call, context, &error) == LUTNN_OUT_OF_RANGE &&
            std::strstr(error.message, "codes must be below numCentroids (got 16 and 16)"),
        "%s", error.message);
  lutnn_call_free(call);
  codes[2] = 0;
  const auto refused = [&](lutnn_code wanted, lutnn_code code, const char* words) {
    CHECK(code == wanted && std::strstr(error.message, words), "%d %s", code, error.message);
  };
  refused(LUTNN_WRONG_KIND, lutnn_layer_run(plain, &run, context, &error), "codes must be given to a layer");
  run.inputs = {.x = view<lutnn_floats>(x), .count = 1};
  refused(LUTNN_WRONG_KIND, lutnn_layer_run(ofCodes, &run, context, &error), "codes must be given to a layer");
  double share;
  refused(LUTNN_WRONG_KIND, lutnn_layer_mismatch(ofCodes, &run.inputs, &share, context, &error), "encodes none");
  refused(LUTNN_WRONG_KIND, lutnn_layer_encode(ofCodes, &run.inputs, view<lutnn_bytes_out>(codes), context, &error),
          "encodes none");
  const lutnn_window window{3, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
  const lutnn_layer_options options{.encoding = LUTNN_CODES, .window = &window};
  lutnn_layer* none = nullptr;
  refused(LUTNN_WRONG_KIND, lutnn_layer_create(context, &drawn.lookup, &options, &none, &error), "rows of a matrix");
  const lutnn_codebooks books{3, 16, 4, view<lutnn_floats>(drawn.layer.centroids), nullptr};
  lutnn_encoder* encoder = nullptr;
  CHECK(lutnn_encoder_create(context, &books, &encoder, &error) == LUTNN_OK, "%s", error.message);
  const lutnn_inputs bytes{.count = 1, .quantized = &given}, wrong{.count = 1, .codes = &given};
  const lutnn_bytes_out out = view<lutnn_bytes_out>(codes);
  refused(LUTNN_WRONG_KIND, lutnn_encoder_run(encoder, &bytes, out, nullptr, context, &error), "codes in integers");
  refused(LUTNN_WRONG_KIND, lutnn_encoder_run(encoder, &wrong, out, nullptr, context, &error), "numbers or bytes");
  refused(LUTNN_OUT_OF_RANGE, lutnn_encoder_run(encoder, &run.inputs, {codes.data(), 2}, nullptr, context, &error),
          "codes must have rows · numCodebooks = 1 · 3 = 3 elements (got 2)");
  lutnn_encoder_free(encoder);
  lutnn_layer_free(ofCodes);
  lutnn_layer_free(plain);
  lutnn_context_free(context);
}
