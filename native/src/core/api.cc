// The C API of the lookup operators: arguments are checked, then the operators compute.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "core/api_context.h"
#include "core/api_layer.h"
#include "core/quantize_table.h"
#include "core/table_sums.h"
#include "core/thread_pool.h"
#include "isa/dispatch.h"

using namespace lutnn;

namespace {

Encoding encodingOf(lutnn_encoding encoding) {
  switch (encoding) {
    case LUTNN_INT8: return Encoding::kInt8;
    case LUTNN_TREE: return Encoding::kTree;
    case LUTNN_INTEGER: return Encoding::kInteger;
    case LUTNN_CODES: return Encoding::kCodes;
    case LUTNN_FLOAT32: return Encoding::kFloat32;
  }
  throw Refusal{LUTNN_WRONG_KIND, "encoding must be one of lutnn_encoding (got " + std::to_string(encoding) + ")"};
}

/// Everything but the window, which needs the counts that are checked here.
Lookup lookupOf(const lutnn_lookup& given, const lutnn_layer_options& options, Encoding encoding) {
  const size_t C = count("numCodebooks", given.num_codebooks, 1), K = count("numCentroids", given.num_centroids);
  const bool isOfCodes = encoding == Encoding::kCodes;  // whose codes are its inputs, one for each codebook
  const size_t V = isOfCodes ? 1 : count("subvectorLength", given.subvector_length, 1);
  const size_t M = count("outputs", given.outputs, 1);
  requireCounts(C, K, V);
  Lookup lookup{.numCodebooks = C, .numCentroids = K, .subvectorLength = V, .outputs = M};
  requireEncoding(lookup, encoding);
  if (encoding == Encoding::kInteger) lookup.integers = integersOf(options.integers, C, K, V);
  else if (!isOfCodes)
    lookup.centroids = array("centroids", given.centroids, "numCodebooks · numCentroids · subvectorLength", {C, K, V});
  lookup.lookupTable = array("lookupTable", given.lookup_table, "numCodebooks · numCentroids · outputs", {C, K, M});
  lookup.tableScale = array("tableScale", given.table_scale, "outputs", {M});
  lookup.bias = array("bias", given.bias, "outputs", {M});
  if (encoding != Encoding::kTree) return lookup;
  lookup.treeDimensions = array("dimensions", options.tree_dimensions, "numCodebooks · 4", {C, kTreeLevels});
  lookup.treeThresholds = array("thresholds", options.tree_thresholds, "numCodebooks · 15", {C, 15});
  requireTree(lookup);
  return lookup;
}

/// A layer's inputs, checked.
struct Inputs {
  LayerInput x;
  size_t count, xElements, positions;         // elements and positions of a row or an image
  std::shared_ptr<const ConvPlan> plan = {};  // of images
};

/// x, its bytes or its codes, as long as the product of sizes.
LayerInput elementsOf(const lutnn_layer& layer, const lutnn_inputs& given, const char* rule,
                      std::initializer_list<size_t> sizes) {
  if (layer.takesCodes != (given.codes != nullptr))
    throw Refusal{LUTNN_WRONG_KIND, "codes must be given to a layer whose inputs are codes, and to no other"};
  if (given.codes) return array("codes", *given.codes, rule, sizes);
  if (!given.quantized) return array("x", given.x, rule, sizes);
  if (!layer.takesBytes)
    throw Refusal{LUTNN_WRONG_KIND,
                  "inputs that are bytes must go to a layer of encoding \"integer\", whose model says "
                  "what they mean; pass x as floats"};
  return array("quantized inputs", *given.quantized, rule, sizes);
}

Inputs inputsOf(const lutnn_layer& layer, const lutnn_inputs& given) {
  const Window* window = layer.window();
  if (!window) {
    const size_t rows = count("rows", given.count);
    const char* const rule = layer.isDense()    ? "rows · inputs"
                             : layer.takesCodes ? "rows · numCodebooks"
                                                : "rows · numCodebooks · subvectorLength";
    const LayerInput x = elementsOf(layer, given, rule, {rows, layer.inputs});
    return {.x = x, .count = rows, .xElements = layer.inputs, .positions = 1};
  }
  const size_t batch = count("batch", given.count), channels = window->inputChannels;
  const size_t height = count("height", given.height, 1), width = count("width", given.width, 1);
  requireImage(*window, height, width);
  const LayerInput x =
      elementsOf(layer, given, "batch · inputChannels · height · width", {batch, channels, height, width});
  std::shared_ptr<const ConvPlan> plan = layer.planFor(height, width);
  const size_t positions = plan->outputHeight() * plan->outputWidth();
  return {.x = x, .count = batch, .xElements = channels * height * width, .positions = positions, .plan = plan};
}

/// The codes of inputs, as a layer of lookups has them or as float32 would.
void encodeInputs(const lutnn_layer& layer, const Inputs& in, bool exactly, uint8_t* codes, Workspace& workspace) {
  if (const auto* conv = std::get_if<LutConv>(&layer.op)) {
    if (exactly) conv->encodeExactly(*in.plan, in.x.x, in.count, codes, workspace);
    else conv->encode(*in.plan, in.x, in.count, codes, workspace);
  } else {
    const auto& matMul = std::get<LutMatMul>(layer.op);
    if (exactly) matMul.encodeExactly(in.x.x, in.count, codes, workspace);
    else matMul.encode(in.x, in.count, codes, workspace);
  }
}

/// Lets a workspace add to an array of times while this lives.
class Timed {
 public:
  Timed(double* times, Workspace& workspace) : workspace_(workspace) { workspace_.times = times; }
  Timed(const Timed&) = delete;
  ~Timed() { workspace_.times = nullptr; }

 private:
  Workspace& workspace_;
};

}  // namespace

/// A run whose arguments have been checked.
struct lutnn_call {
  const lutnn_layer& layer;
  Inputs inputs;
  float* y;
  const float* residual;
  ByteResults quantized;
  double* times;
  const lutnn_executor* executor;
  size_t threads, from, to;
  bool relu, gelu;

  void run(Workspace& workspace, Executor& threads) const {
    const LayerInput x = inputs.x.from(from * inputs.xElements);
    // Each time: a table is read where they point.
    if (layer.takesCodes) requireCodes(x.bytes, (to - from) * inputs.xElements, layer.counts().numCentroids);
    const size_t at = from * inputs.positions * layer.outputs;
    const Epilogue epilogue{
        .residual = residual ? residual + at : nullptr, .relu = relu, .quantized = quantized.from(at), .gelu = gelu};
    float* out = y ? y + at : nullptr;
    std::visit(
        [&](const auto& op) {
          if constexpr (requires { op.window(); })
            op.run(*inputs.plan, x, to - from, out, epilogue, workspace, threads);
          else op.run(x, to - from, out, epilogue, workspace, threads);
        },
        layer.op);
  }

  void run(Workspace& workspace) const {
    const Timed timed(times, workspace);
    if (executor) {
      HostExecutor host(*executor);
      return run(workspace, host);
    }
    PoolExecutor pool(threads);
    run(workspace, pool);
  }
};

namespace {

/// An array's place in memory, for what must lie apart.
struct Memory {
  const char* name;
  const void* data;
  size_t bytes;

  template <class Array>
  Memory(const char* name, const Array& array)
      : name(name), data(array.data), bytes(static_cast<size_t>(array.length) * sizeof(*array.data)) {}
};

/// What is written lies apart from what is read and what else is written; only the residual may be y.
void requireAllApart(const std::vector<Memory>& read, const std::vector<Memory>& written) {
  for (size_t i = 0; i < written.size(); i++) {
    const Memory& out = written[i];
    const auto apart = [&](const Memory& in) {
      requireApart(in.name, in.data, in.bytes, out.name, out.data, out.bytes);
    };
    for (const Memory& in : read)
      if (in.data != out.data || std::strcmp(in.name, "residual") != 0 || std::strcmp(out.name, "y") != 0) apart(in);
    for (size_t j = 0; j < i; j++) apart(written[j]);
  }
}

/// Checks an array of results.
template <class Array>
auto results(const lutnn_layer& layer, const Inputs& inputs, size_t all, const char* name, const Array& given) {
  if (!layer.window()) return array(name, given, "rows · outputs", {all, layer.outputs});
  return array(name, given, "batch · outputs · output height · output width",
               {all, layer.outputs, inputs.plan->outputHeight(), inputs.plan->outputWidth()});
}

lutnn_call callOf(const lutnn_layer& layer, const lutnn_run& given) {
  const size_t all = count(layer.window() ? "batch" : "rows", given.inputs.count);
  const size_t threads = given.executor ? 1 : count("threads", given.threads, 1, kMaxThreads);
  if (given.executor) count("slots", given.executor->slots, 1);
  const size_t to = count("to", given.to, 0, static_cast<int64_t>(all));
  const size_t from = count("from", given.from, 0, static_cast<int64_t>(to));
  if (given.relu && given.gelu) refuseRange("results must go through one of ReLU and GELU (got both); leave one out");
  Inputs inputs = inputsOf(layer, given.inputs);
  std::vector<Memory> read, written;
  if (given.inputs.codes) read.emplace_back("codes", *given.inputs.codes);
  else if (given.inputs.quantized) read.emplace_back("x", *given.inputs.quantized);
  else read.emplace_back("x", given.inputs.x);
  ByteResults quantized;
  if (given.quantized) {
    const lutnn_byte_results& bytes = *given.quantized;
    quantized = {results(layer, inputs, all, "quantized results", bytes.bytes),
                 scaleOf("the scale of results", bytes.scale),
                 static_cast<uint8_t>(count("the zero point of results", bytes.zero_point, 0, 255))};
    written.emplace_back("quantized results", bytes.bytes);
  }
  if (given.y.data || !given.quantized) {
    results(layer, inputs, all, "y", given.y);
    written.emplace_back("y", given.y);
  }
  if (given.residual) {
    array("residual", *given.residual, "the length of y", {all * inputs.positions * layer.outputs});
    read.emplace_back("residual", *given.residual);
  }
  if (given.times) {
    array("times", *given.times, "2", {2});
    written.emplace_back("times", *given.times);
  }
  requireAllApart(read, written);
  return {.layer = layer,
          .inputs = std::move(inputs),
          .y = given.y.data,
          .residual = given.residual ? given.residual->data : nullptr,
          .quantized = quantized,
          .times = given.times ? given.times->data : nullptr,
          .executor = given.executor,
          .threads = threads,
          .from = from,
          .to = to,
          .relu = given.relu != 0,
          .gelu = given.gelu != 0};
}

/// The checked shape of lutnn_lookup_add and lutnn_scatter_add, and their threads.
struct TableCall {
  TableSums shape;
  size_t threads;
};

TableCall tableCallOf(const lutnn_table_codes& given) {
  const size_t rows = count("rows", given.rows), C = count("numCodebooks", given.num_codebooks, 1);
  const size_t K = count("numCentroids", given.num_centroids), M = count("outputs", given.outputs, 1);
  requireCounts(C, K, 1);
  const size_t threads = count("threads", given.threads, 1, kMaxThreads);
  const uint8_t* codes = array("codes", given.codes, "rows · numCodebooks", {rows, C});
  return {.shape = {.codes = codes, .rows = rows, .numCodebooks = C, .numCentroids = K, .outputs = M},
          .threads = threads};
}

/// The table and the rows' array, and what is written apart from what is read; codes last, which takes longest.
template <class Table, class Values>
void requireTable(const lutnn_table_codes& given, const TableSums& shape, const Table& table, const char* valuesName,
                  const Values& values, bool tableIsRead) {
  array("table", table, "numCodebooks · numCentroids · outputs",
        {shape.numCodebooks, shape.numCentroids, shape.outputs});
  array(valuesName, values, "rows · outputs", {shape.rows, shape.outputs});
  if (tableIsRead) {
    requireApart("codes", given.codes, valuesName, values);
    requireApart("table", table, valuesName, values);
  } else {
    requireApart("codes", given.codes, "table", table);
    requireApart(valuesName, values, "table", table);
  }
  requireCodes(shape.codes, shape.rows * shape.numCodebooks, shape.numCentroids);
}

}  // namespace

lutnn_code lutnn_context_create(lutnn_context** context, lutnn_error* error) {
  return guarded(error, [&] { *context = new lutnn_context{chooseMicrokernels(), {}, {}}; });
}
lutnn_code lutnn_context_create_for(const char* isa, lutnn_context** context, lutnn_error* error) {
  return guarded(error, [&] {
    const Microkernels* kernels = microkernelsNamed(isa);
    if (!kernels)
      refuseRange("isa must name an instruction set that is available here (got \"" + std::string(isa) +
                  "\"); available are: " + availableNames());
    *context = new lutnn_context{*kernels, {}, {}};
  });
}
void lutnn_context_free(lutnn_context* context) { delete context; }
const char* lutnn_context_isa(const lutnn_context* context) { return context->kernels.isa; }
size_t lutnn_context_bytes(const lutnn_context* context) { return context->workspace.bytes() + context->books.bytes(); }
const char* lutnn_available_isa(size_t i) {
  const auto& available = availableMicrokernels();
  return i < available.size() ? available[i]->isa : nullptr;
}

lutnn_code lutnn_encoding_named(const char* name, lutnn_encoding* encoding, lutnn_error* error) {
  return guarded(error, [&] {
    const char* const names[] = {"float32", "int8", "tree", "integer"};  // in the order of lutnn_encoding
    for (int i = 0; i < 4; i++)
      if (std::strcmp(name, names[i]) == 0) {
        *encoding = static_cast<lutnn_encoding>(i);
        return;
      }
    std::string message =
        "encoding must be \"float32\", \"int8\", \"tree\" or \"integer\" (got \"" + std::string(name) + "\")";
    if (std::strcmp(name, "bf16") == 0) message += "; bfloat16 was nowhere faster than \"float32\", use that";
    throw Refusal{LUTNN_WRONG_KIND, message};
  });
}

lutnn_code lutnn_layer_create(const lutnn_context* context, const lutnn_lookup* given,
                              const lutnn_layer_options* options, lutnn_layer** layer, lutnn_error* error) {
  return guarded(error, [&] {
    const Encoding encoding = encodingOf(options->encoding);
    const Lookup lookup = lookupOf(*given, *options, encoding);
    const Microkernels& kernels = context->kernels;
    if (!options->window) {
      *layer = new lutnn_layer(lookup, encoding, std::in_place_type<LutMatMul>, kernels, lookup, encoding);
      return;
    }
    if (encoding == Encoding::kCodes)
      throw Refusal{LUTNN_WRONG_KIND, "a layer whose inputs are codes must be on the rows of a matrix (got a window)"};
    const Window window = windowOf(*options->window);
    requireWindow(lookup, window);
    *layer = new lutnn_layer(lookup, encoding, std::in_place_type<LutConv>, kernels, lookup, window, encoding);
  });
}
void lutnn_layer_free(lutnn_layer* layer) { delete layer; }
size_t lutnn_layer_bytes(const lutnn_layer* layer) {
  return std::visit([](const auto& op) { return op.bytes(); }, layer->op);
}

lutnn_code lutnn_layer_output_size(const lutnn_layer* layer, int64_t height, int64_t width, int64_t size[2],
                                   lutnn_error* error) {
  return guarded(error, [&] {
    if (!layer->window()) throw Refusal{LUTNN_WRONG_KIND, "a layer on the rows of a matrix has no output size"};
    const Window& w = *layer->window();
    const size_t h = count("height", height, 1), v = count("width", width, 1);
    requireImage(w, h, v);
    const auto extent = [](auto... axis) { return static_cast<int64_t>(outputExtent(axis...)); };
    size[0] = extent(h, w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop, w.padBottom);
    size[1] = extent(v, w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft, w.padRight);
  });
}

lutnn_code lutnn_check_scale(const char* name, float scale, lutnn_error* error) {
  return guarded(error, [&] { scaleOf(name, scale); });
}
lutnn_code lutnn_check_epsilon(float epsilon, lutnn_error* error) {
  return guarded(error, [&] { epsilonOf(epsilon); });
}
lutnn_code lutnn_check_finite(const char* name, lutnn_floats values, lutnn_error* error) {
  return guarded(error, [&] { requireFinite(name, values.data, count(name, values.length)); });
}

lutnn_code lutnn_layer_run(const lutnn_layer* layer, const lutnn_run* run, lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] { callOf(*layer, *run).run(context->workspace); });
}

lutnn_code lutnn_call_create(const lutnn_layer* layer, const lutnn_run* run, lutnn_call** call, lutnn_error* error) {
  return guarded(error, [&] { *call = new lutnn_call(callOf(*layer, *run)); });
}
lutnn_code lutnn_call_run(const lutnn_call* call, lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] { call->run(context->workspace); });
}
void lutnn_call_free(lutnn_call* call) { delete call; }

lutnn_code lutnn_layer_encode(const lutnn_layer* layer, const lutnn_inputs* given, lutnn_bytes_out codes,
                              lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] {
    const size_t numCodebooks = layer->counts().numCodebooks;
    layer->requireEncoder();
    const Inputs in = inputsOf(*layer, *given);
    if (in.plan)
      array("codes", codes, "batch · output height · output width · numCodebooks",
            {in.count, in.plan->outputHeight(), in.plan->outputWidth(), numCodebooks});
    else array("codes", codes, "rows · numCodebooks", {in.count, numCodebooks});
    requireApart("x", given->x, "codes", codes);
    encodeInputs(*layer, in, false, codes.data, context->workspace);
  });
}

lutnn_code lutnn_layer_lookup(const lutnn_layer* layer, lutnn_bytes codes, int64_t positions, lutnn_ints_out sums,
                              lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] {
    const CodeCounts& counts = layer->counts();
    const auto* conv = std::get_if<LutConv>(&layer->op);
    const size_t N = count(conv ? "positions" : "rows", positions);
    array("codes", codes, conv ? "positions · numCodebooks" : "rows · numCodebooks", {N, counts.numCodebooks});
    array("sums", sums, conv ? "positions · outputs" : "rows · outputs", {N, layer->outputs});
    requireApart("codes", codes, "sums", sums);
    requireCodes(codes.data, static_cast<size_t>(codes.length), counts.numCentroids);
    if (conv) conv->lookup(codes.data, N, sums.data, context->workspace);
    else std::get<LutMatMul>(layer->op).lookup(codes.data, N, sums.data);
  });
}

lutnn_code lutnn_layer_mismatch(const lutnn_layer* layer, const lutnn_inputs* given, double* share,
                                lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] {
    const size_t numCodebooks = layer->counts().numCodebooks;
    layer->requireEncoder();
    const auto* matMul = std::get_if<LutMatMul>(&layer->op);
    if (!(matMul ? matMul->hasExact() : std::get<LutConv>(layer->op).hasExact()))
      throw Refusal{
          LUTNN_WRONG_KIND,
          "codes that are defined in integers have no others to differ from; ask a layer of another encoding"};
    const Inputs in = inputsOf(*layer, *given);
    std::vector<uint8_t> codes(in.count * in.positions * numCodebooks), exact(codes.size());
    encodeInputs(*layer, in, false, codes.data(), context->workspace);
    encodeInputs(*layer, in, true, exact.data(), context->workspace);
    size_t different = 0;
    for (size_t i = 0; i < codes.size(); i++) different += codes[i] != exact[i];
    *share = static_cast<double>(different) / static_cast<double>(std::max<size_t>(codes.size(), 1));
  });
}

lutnn_code lutnn_encode_rows(const lutnn_encode* given, lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] {
    const size_t rows = count("rows", given->rows), C = count("numCodebooks", given->num_codebooks, 1);
    const size_t K = count("numCentroids", given->num_centroids);
    const size_t V = count("subvectorLength", given->subvector_length, 1);
    requireCounts(C, K, V);
    const float* x = array("x", given->x, "rows · numCodebooks · subvectorLength", {rows, C, V});
    const float* centroids =
        array("centroids", given->centroids, "numCodebooks · numCentroids · subvectorLength", {C, K, V});
    uint8_t* codes = array("codes", given->codes, "rows · numCodebooks", {rows, C});
    requireApart("x", given->x, "codes", given->codes);
    requireApart("centroids", given->centroids, "codes", given->codes);
    context->books.pack(centroids, C, K, V);
    context->kernels.encodeRows(context->books.view(), x, C * V, rows, codes);
  });
}

lutnn_code lutnn_encode_integer_rows(const lutnn_encode_integers* given, lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] {
    const size_t rows = count("rows", given->rows), C = count("numCodebooks", given->num_codebooks, 1);
    const size_t K = count("numCentroids", given->num_centroids);
    const size_t V = count("subvectorLength", given->subvector_length, 1);
    requireCounts(C, K, V);
    Lookup lookup{.numCodebooks = C, .numCentroids = K, .subvectorLength = V};
    requireEncoding(lookup, Encoding::kInteger);
    lookup.integers = integersOf(given->integers, C, K, V);
    const float* x = array("x", given->x, "rows · numCodebooks · subvectorLength", {rows, C, V});
    uint8_t* codes = array("codes", given->codes, "rows · numCodebooks", {rows, C});
    requireApart("x", given->x, "codes", given->codes);
    requireApart("centroids of integers", given->integers->centroids, "codes", given->codes);
    requireApart("halfNorms", given->integers->half_norms, "codes", given->codes);
    context->workspace.prepare(1);
    makeEncoder(Encoding::kInteger, context->kernels, lookup)
        ->encodeRows(x, rows, codes, context->workspace.scratch[0]);
  });
}

lutnn_code lutnn_lookup_add(const lutnn_table_codes* codes, lutnn_floats table, lutnn_floats_out sums,
                            const lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] {
    const TableCall call = tableCallOf(*codes);
    requireTable(*codes, call.shape, table, "sums", sums, true);
    PoolExecutor executor(call.threads);
    lookupAdd(context->kernels, call.shape, table.data, sums.data, executor);
  });
}

lutnn_code lutnn_scatter_add(const lutnn_table_codes* codes, lutnn_floats values, lutnn_floats_out table,
                             const lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] {
    const TableCall call = tableCallOf(*codes);
    requireTable(*codes, call.shape, table, "values", values, false);
    PoolExecutor executor(call.threads);
    scatterAdd(context->kernels, call.shape, values.data, table.data, executor);
  });
}

lutnn_code lutnn_quantize_table(const lutnn_quantize* quantize, int32_t* finite, lutnn_error* error) {
  return guarded(error, [&] {
    const size_t rows = count("rows", quantize->rows, 1), M = count("outputs", quantize->outputs, 1);
    const int limit = static_cast<int>(count("limit", quantize->limit, 1, 127));
    const float* table = array("table", quantize->table, "rows · outputs", {rows, M});
    int8_t* values = array("values", quantize->values, "rows · outputs", {rows, M});
    float* scale = array("scale", quantize->scale, "outputs", {M});
    requireApart("table", quantize->table, "values", quantize->values);
    requireApart("table", quantize->table, "scale", quantize->scale);
    requireApart("values", quantize->values, "scale", quantize->scale);
    *finite =
        quantizeTable({.entries = table, .rows = rows, .outputs = M}, quantize->per_output != 0, limit, values, scale);
  });
}
