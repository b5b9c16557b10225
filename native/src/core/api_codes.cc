// Codes alone in the C API.
#include "core/api_context.h"
#include "core/row_encoder.h"
#include "core/rules.h"

using namespace lutnn;

struct lutnn_encoder {
  size_t numCodebooks, inputs;
  bool takesBytes;
  RowEncoder rows;
};

namespace {

lutnn_encoder encoderOf(const Microkernels& kernels, const lutnn_codebooks& given) {
  const size_t C = count("numCodebooks", given.num_codebooks, 1), K = count("numCentroids", given.num_centroids);
  const size_t V = count("subvectorLength", given.subvector_length, 1);
  requireCounts(C, K, V);
  Lookup lookup{.numCodebooks = C, .numCentroids = K, .subvectorLength = V};
  const Encoding encoding = given.integers ? Encoding::kInteger : Encoding::kFloat32;
  requireEncoding(lookup, encoding);
  if (given.integers) lookup.integers = integersOf(given.integers, C, K, V);
  else
    lookup.centroids = array("centroids", given.centroids, "numCodebooks · numCentroids · subvectorLength", {C, K, V});
  return {.numCodebooks = C,
          .inputs = C * V,
          .takesBytes = given.integers != nullptr,
          .rows = RowEncoder(kernels, lookup, encoding)};
}

}  // namespace

lutnn_code lutnn_encoder_create(const lutnn_context* context, const lutnn_codebooks* codebooks, lutnn_encoder** encoder,
                                lutnn_error* error) {
  return guarded(error, [&] { *encoder = new lutnn_encoder(encoderOf(context->kernels, *codebooks)); });
}
void lutnn_encoder_free(lutnn_encoder* encoder) { delete encoder; }

lutnn_code lutnn_encoder_run(const lutnn_encoder* encoder, const lutnn_inputs* given, lutnn_bytes_out codes,
                             const lutnn_executor* executor, lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] {
    const size_t rows = count("rows", given->count);
    if (executor) count("slots", executor->slots, 1);
    if (given->codes) throw Refusal{LUTNN_WRONG_KIND, "inputs of an encoder must be numbers or bytes (got codes)"};
    if (given->quantized && !encoder->takesBytes)
      throw Refusal{LUTNN_WRONG_KIND,
                    "inputs that are bytes must go to codes in integers, whose model says what they mean; pass x as "
                    "floats"};
    const char* const rule = "rows · numCodebooks · subvectorLength";
    const LayerInput x = given->quantized
                             ? LayerInput(array("quantized inputs", *given->quantized, rule, {rows, encoder->inputs}))
                             : LayerInput(array("x", given->x, rule, {rows, encoder->inputs}));
    uint8_t* to = array("codes", codes, "rows · numCodebooks", {rows, encoder->numCodebooks});
    if (given->quantized) requireApart("x", *given->quantized, "codes", codes);
    else requireApart("x", given->x, "codes", codes);
    onExecutor(executor, [&](Executor& threads) { encoder->rows.run(x, rows, to, context->workspace, threads); });
  });
}
