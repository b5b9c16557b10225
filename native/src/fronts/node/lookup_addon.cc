// The Node-API front: classes and functions of native/index.d.ts over the operators. Each call reads and checks all of
// its arguments, then computes; no JavaScript runs in between.
#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bench/peak_rates.h"
#include "core/lut_conv.h"
#include "core/lut_matmul.h"
#include "core/table_sums.h"
#include "core/thread_pool.h"
#include "core/validate.h"
#include "fronts/node/arguments.h"
#include "fronts/node/stay_loaded.h"
#include "isa/dispatch.h"

namespace lutnn {
namespace {

/// State of one environment: the main thread's or a worker's.
struct Addon {
  const Microkernels& kernels;
  Workspace workspace;
  PackedCodebooks books;  // of the last `encode`
  int64_t reported = 0;
};

Addon& addonOf(napi_env env) {
  void* addon = nullptr;
  check(env, napi_get_instance_data(env, &addon));
  return *static_cast<Addon*>(addon);
}

/// Tells the garbage collector of memory outside its own that an object holds; `reported` is what it knows of.
void report(napi_env env, size_t bytes, int64_t& reported) {
  const int64_t change = static_cast<int64_t>(bytes) - reported;
  int64_t total;
  if (change != 0) napi_adjust_external_memory(env, change, &total);
  reported += change;
}

/// What a JavaScript function does with the environment's state.
template <class Body>
napi_value guarded(napi_env env, const char* name, const Body& body) {
  return throwing(env, name, [&] {
    Addon& addon = addonOf(env);
    napi_value result = body(addon);
    report(env, addon.workspace.bytes() + addon.books.bytes(), addon.reported);
    return result;
  });
}

/// A JavaScript function whose data is its name.
template <napi_value (*body)(Call&, Addon&)>
napi_value function(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  const char* name = static_cast<const char*>(data);
  return guarded(env, name, [&](Addon& addon) {
    Call call(env, info, name);
    return body(call, addon);
  });
}

/// What a JavaScript object of a class holds.
struct MatMulObject {
  size_t numCodebooks, numCentroids, inputs, outputs;
  LutMatMul op;
  int64_t reported = 0;

  void reportMemory(napi_env env) { report(env, op.bytes(), reported); }
};

struct ConvObject {
  size_t numCodebooks, numCentroids, outputs;
  LutConv op;
  int64_t reported = 0;
  std::shared_ptr<const ConvPlan> planes = nullptr;  // of the last image size

  void reportMemory(napi_env env) { report(env, op.bytes(), reported); }
  std::shared_ptr<const ConvPlan> planesFor(size_t height, size_t width) {
    if (!planes || planes->height() != height || planes->width() != width)
      planes = std::make_shared<const ConvPlan>(op.plan(height, width));
    return planes;
  }
};

template <class Object>
void attach(Call& call, std::unique_ptr<Object> object) {
  const auto finalize = [](napi_env env, void* data, void*) {
    auto* finished = static_cast<Object*>(data);
    report(env, 0, finished->reported);
    delete finished;
  };
  check(call.env(), napi_wrap(call.env(), call.self(), object.get(), finalize, nullptr, nullptr));
  object.release()->reportMemory(call.env());
}

/// V8 lets a method be called on objects of its own class only.
template <class Object>
Object& objectOf(Call& call) {
  void* object = nullptr;
  check(call.env(), napi_unwrap(call.env(), call.self(), &object));
  return *static_cast<Object*>(object);
}

void requireNew(Call& call) {
  if (!call.isConstruction()) call.refuseType("a class must be called with new");
}

/// The four arrays of a Lookup as they came.
struct LookupArrays {
  napi_value centroids, lookupTable, tableScale, bias;
};

/// Counts are read and checked here, arrays in bindArrays, after the last property has been read.
Lookup readLookup(Call& call, LookupArrays& arrays) {
  const auto property = [&](const char* key) { return call.property(call[0], "lookup", key); };
  Lookup lookup{};
  lookup.numCodebooks = call.count(property("numCodebooks"), "numCodebooks", 1);
  lookup.numCentroids = call.count(property("numCentroids"), "numCentroids");
  lookup.subvectorLength = call.count(property("subvectorLength"), "subvectorLength", 1);
  lookup.outputs = call.count(property("outputs"), "outputs", 1);
  arrays = {property("centroids"), property("lookupTable"), property("tableScale"), property("bias")};
  validateCounts(call.name(), lookup.numCodebooks, lookup.numCentroids, lookup.subvectorLength);
  return lookup;
}

void bindArrays(Call& call, const LookupArrays& arrays, Lookup& lookup) {
  const size_t books = lookup.numCodebooks, centroids = lookup.numCentroids;
  lookup.centroids = call.array<float>(arrays.centroids, "centroids", "numCodebooks · numCentroids · subvectorLength",
                                       {books, centroids, lookup.subvectorLength})
                         .data;
  lookup.lookupTable = call.array<int8_t>(arrays.lookupTable, "lookupTable", "numCodebooks · numCentroids · outputs",
                                          {books, centroids, lookup.outputs})
                           .data;
  lookup.tableScale = call.array<float>(arrays.tableScale, "tableScale", "outputs", {lookup.outputs}).data;
  lookup.bias = call.array<float>(arrays.bias, "bias", "outputs", {lookup.outputs}).data;
}

/// The option `encoding`, and the two arrays of the option `tree`, as they came, for that encoding.
struct EncodingOption {
  Encoding encoding = Encoding::kFloat32;
  napi_value dimensions = nullptr, thresholds = nullptr;
};

EncodingOption readEncoding(Call& call, napi_value options) {
  EncodingOption read;
  if (call.isUndefined(options)) return read;
  const napi_value encoding = call.property(options, "options", "encoding");
  if (call.isUndefined(encoding)) return read;
  constexpr Encoding kEncodings[] = {Encoding::kFloat32, Encoding::kInt8, Encoding::kTree};
  read.encoding = kEncodings[call.choice(encoding, "encoding", {"float32", "int8", "tree"},
                                         {{"bf16", "bfloat16 was nowhere faster than \"float32\", use that"}})];
  if (read.encoding != Encoding::kTree) return read;
  const napi_value tree = call.property(options, "options", "tree");
  read.dimensions = call.property(tree, "tree", "dimensions");
  read.thresholds = call.property(tree, "tree", "thresholds");
  return read;
}

void bindTree(Call& call, const EncodingOption& option, Lookup& lookup) {
  if (option.encoding != Encoding::kTree) return;
  const auto dimensions =
      call.array<int32_t>(option.dimensions, "dimensions", "numCodebooks · 4", {lookup.numCodebooks, kTreeLevels});
  const auto thresholds =
      call.array<float>(option.thresholds, "thresholds", "numCodebooks · 15", {lookup.numCodebooks, 15});
  lookup.treeDimensions = dimensions.data;
  lookup.treeThresholds = thresholds.data;
  validateTree(call.name(), lookup);
}

Window readWindow(Call& call) {
  const auto number = [&](const char* key, double least) {
    return call.count(call.property(call[1], "window", key), key, least, kMaxWindowNumber);
  };
  Window window{};
  window.inputChannels = number("inputChannels", 1);
  window.filterHeight = number("filterHeight", 1);
  window.filterWidth = number("filterWidth", 1);
  window.strideHeight = number("strideHeight", 1);
  window.strideWidth = number("strideWidth", 1);
  window.dilationHeight = number("dilationHeight", 1);
  window.dilationWidth = number("dilationWidth", 1);
  window.padTop = number("padTop", 0);
  window.padLeft = number("padLeft", 0);
  window.padBottom = number("padBottom", 0);
  window.padRight = number("padRight", 0);
  return window;
}

/// The options of run: what follows the layer, how many threads share the work, and which rows or images are computed.
struct RunOptions {
  napi_value residual = nullptr, times = nullptr;
  bool relu = false;
  size_t threads = 1, from = 0, to;
};

/// `all` rows or images.
RunOptions readOptions(Call& call, napi_value options, size_t all) {
  RunOptions read;
  read.to = all;
  if (call.isUndefined(options)) return read;
  const napi_value residual = call.property(options, "options", "residual");
  const napi_value relu = call.property(options, "options", "relu");
  const napi_value threads = call.property(options, "options", "threads");
  const napi_value times = call.property(options, "options", "times");
  const napi_value from = call.property(options, "options", "from"), to = call.property(options, "options", "to");
  if (!call.isUndefined(residual)) read.residual = residual;
  if (!call.isUndefined(times)) read.times = times;
  if (!call.isUndefined(relu)) read.relu = call.boolean(relu, "relu");
  if (!call.isUndefined(threads)) read.threads = call.count(threads, "threads", 1, kMaxThreads);
  if (!call.isUndefined(to)) read.to = call.count(to, "to", 0, static_cast<double>(all));
  if (!call.isUndefined(from)) read.from = call.count(from, "from", 0, static_cast<double>(read.to));
  return read;
}

/// The arrays of one run, and what follows the layer.
struct RunArrays {
  Array<float> x, y, residual;
  Array<double> times;
  bool relu;

  Epilogue epilogue(size_t at) const { return {residual.data ? residual.data + at : nullptr, relu}; }
};

/// x and y have been read; the residual may be y itself.
RunArrays bindRunArrays(Call& call, const RunOptions& options, const Array<float>& x, const Array<float>& y) {
  RunArrays arrays{x, y, {}, {}, options.relu};
  call.requireApart(x, y);
  if (options.residual) {
    arrays.residual = call.array<float>(options.residual, "residual", "the length of y", {y.length});
    if (arrays.residual.data != y.data) call.requireApart(arrays.residual, y);
  }
  if (options.times) {
    arrays.times = call.array<double>(options.times, "times", "2", {2});
    call.requireApart(x, arrays.times);
    call.requireApart(y, arrays.times);
  }
  return arrays;
}

/// Lets a workspace add to the array of the option `times` while this lives.
class Timed {
 public:
  Timed(const RunArrays& arrays, Workspace& workspace) : workspace_(workspace) { workspace_.times = arrays.times.data; }
  Timed(const Timed&) = delete;
  ~Timed() { workspace_.times = nullptr; }

 private:
  Workspace& workspace_;
};

/// A strong reference.
class Held {
 public:
  Held(napi_env env, napi_value value) : env_(env) { check(env, napi_create_reference(env, value, 1, &reference_)); }
  Held(Held&& other) noexcept : env_(other.env_), reference_(std::exchange(other.reference_, nullptr)) {}
  ~Held() {
    if (reference_) napi_delete_reference(env_, reference_);
  }
  napi_value value() const {
    napi_value value;
    check(env_, napi_get_reference_value(env_, reference_, &value));
    return value;
  }

 private:
  napi_env env_;
  napi_ref reference_ = nullptr;
};

/// An array that was read and checked once and must still lie where it did.
class HeldArray {
 public:
  template <class T>
  HeldArray(napi_env env, const Array<T>& array)
      : held_(env, array.value), name_(array.name), data_(array.data), length_(array.length) {}
  void requireUnmoved(napi_env env) const {
    void* data = nullptr;
    size_t length = 0;
    check(env, napi_get_typedarray_info(env, held_.value(), nullptr, &length, &data, nullptr, nullptr));
    if (data != data_ || length != length_)
      throw TypeFailure{"bound run: " + std::string(name_) +
                        " must keep its memory (it was transferred or resized); bind it again"};
  }

 private:
  Held held_;
  const char* name_;
  const void* data_;
  size_t length_;
};

/// A run with the object and the arrays that it needs: a JavaScript function without arguments.
template <class Run>
class BoundRun {
 public:
  BoundRun(Call& call, const Run& run) : run_(run), self_(call.env(), call.self()) {
    const RunArrays& arrays = run.arrays;
    arrays_.emplace_back(call.env(), arrays.x);
    arrays_.emplace_back(call.env(), arrays.y);
    if (arrays.residual.value) arrays_.emplace_back(call.env(), arrays.residual);
    if (arrays.times.value) arrays_.emplace_back(call.env(), arrays.times);
  }

  static napi_value call(napi_env env, napi_callback_info info) {
    void* data = nullptr;
    if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
    return guarded(env, "bound run", [&](Addon& addon) {
      const auto* bound = static_cast<const BoundRun*>(data);
      for (const HeldArray& array : bound->arrays_) array.requireUnmoved(env);
      bound->run_(env, addon);
      return nullptr;
    });
  }

 private:
  Run run_;
  Held self_;
  std::vector<HeldArray> arrays_;
};

/// The method `run`: what `read` returns, at once.
template <auto read>
napi_value run(Call& call, Addon& addon) {
  read(call)(call.env(), addon);
  return nullptr;
}

/// The method `bind`: a function that does the same whenever it is called.
template <auto read>
napi_value bind(Call& call, Addon&) {
  using Bound = BoundRun<decltype(read(call))>;
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Bound*>(data); };
  auto bound = std::make_unique<Bound>(call, read(call));
  napi_value function;
  check(call.env(), napi_create_function(call.env(), "run", NAPI_AUTO_LENGTH, Bound::call, bound.get(), &function));
  check(call.env(), napi_add_finalizer(call.env(), function, bound.get(), finalize, nullptr, nullptr));
  bound.release();
  return function;
}

napi_value makeMatMul(Call& call, Addon& addon) {
  requireNew(call);
  LookupArrays arrays;
  Lookup lookup = readLookup(call, arrays);
  const EncodingOption option = readEncoding(call, call[1]);
  const Encoding encoding = option.encoding;
  validateEncoding(call.name(), lookup, encoding);
  bindArrays(call, arrays, lookup);
  bindTree(call, option, lookup);
  attach(call, std::unique_ptr<MatMulObject>(new MatMulObject{
                   lookup.numCodebooks, lookup.numCentroids, lookup.numCodebooks * lookup.subvectorLength,
                   lookup.outputs, LutMatMul(addon.kernels, lookup, encoding)}));
  return call.self();
}

/// A run of a LutMatMul, its arguments read and checked.
struct MatMulRun {
  MatMulObject& object;
  RunArrays arrays;
  size_t threads, from, to;

  void operator()(napi_env, Addon& addon) const {
    const size_t at = from * object.outputs;
    const Timed timed(arrays, addon.workspace);
    PoolExecutor executor(threads);
    object.op.run(arrays.x.data + from * object.inputs, to - from, arrays.y.data + at, arrays.epilogue(at),
                  addon.workspace, executor);
  }
};

MatMulRun readMatMulRun(Call& call) {
  MatMulObject& object = objectOf<MatMulObject>(call);
  const size_t rows = call.count(call[1], "rows");
  const RunOptions options = readOptions(call, call[3], rows);
  const auto x = call.array<float>(call[0], "x", "rows · numCodebooks · subvectorLength", {rows, object.inputs});
  const auto y = call.array<float>(call[2], "y", "rows · outputs", {rows, object.outputs});
  return {object, bindRunArrays(call, options, x, y), options.threads, options.from, options.to};
}

napi_value encodeMatMul(Call& call, Addon& addon) {
  MatMulObject& object = objectOf<MatMulObject>(call);
  const size_t rows = call.count(call[1], "rows");
  const auto x = call.array<float>(call[0], "x", "rows · numCodebooks · subvectorLength", {rows, object.inputs});
  const auto codes = call.array<uint8_t>(call[2], "codes", "rows · numCodebooks", {rows, object.numCodebooks});
  call.requireApart(x, codes);
  object.op.encode(x.data, rows, codes.data, addon.workspace);
  return nullptr;
}

/// Share of the codes that two encodings do not have in common.
napi_value shareOfDifferent(Call& call, const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  size_t different = 0;
  for (size_t i = 0; i < a.size(); i++) different += a[i] != b[i];
  napi_value share;
  const double size = static_cast<double>(std::max<size_t>(a.size(), 1));
  check(call.env(), napi_create_double(call.env(), static_cast<double>(different) / size, &share));
  return share;
}

napi_value mismatchMatMul(Call& call, Addon& addon) {
  MatMulObject& object = objectOf<MatMulObject>(call);
  const size_t rows = call.count(call[1], "rows");
  const auto x = call.array<float>(call[0], "x", "rows · numCodebooks · subvectorLength", {rows, object.inputs});
  std::vector<uint8_t> codes(rows * object.numCodebooks), exact(codes.size());
  object.op.encode(x.data, rows, codes.data(), addon.workspace);
  object.op.encodeAs(Encoding::kFloat32, x.data, rows, exact.data(), addon.workspace);
  return shareOfDifferent(call, codes, exact);
}

napi_value lookupMatMul(Call& call, Addon&) {
  MatMulObject& object = objectOf<MatMulObject>(call);
  const size_t rows = call.count(call[1], "rows");
  const auto codes = call.array<uint8_t>(call[0], "codes", "rows · numCodebooks", {rows, object.numCodebooks});
  const auto sums = call.array<int32_t>(call[2], "sums", "rows · outputs", {rows, object.outputs});
  call.requireApart(codes, sums);
  validateCodes(call.name(), codes.data, codes.length, object.numCentroids);
  object.op.lookup(codes.data, rows, sums.data);
  return nullptr;
}

napi_value makeConv(Call& call, Addon& addon) {
  requireNew(call);
  LookupArrays arrays;
  Lookup lookup = readLookup(call, arrays);
  const Window window = readWindow(call);
  const EncodingOption option = readEncoding(call, call[2]);
  const Encoding encoding = option.encoding;
  validateEncoding(call.name(), lookup, encoding);
  validateWindow(call.name(), lookup, window);
  bindArrays(call, arrays, lookup);
  bindTree(call, option, lookup);
  attach(call, std::unique_ptr<ConvObject>(new ConvObject{lookup.numCodebooks, lookup.numCentroids, lookup.outputs,
                                                          LutConv(addon.kernels, lookup, window, encoding)}));
  return call.self();
}

napi_value outputSize(Call& call, Addon&) {
  ConvObject& object = objectOf<ConvObject>(call);
  const Window& w = object.op.window();
  const size_t height = call.count(call[0], "height", 1), width = call.count(call[1], "width", 1);
  validateImage(call.name(), w, height, width);
  const size_t extents[] = {
      outputExtent(height, w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop, w.padBottom),
      outputExtent(width, w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft, w.padRight)};
  napi_value size, number;
  check(call.env(), napi_create_array_with_length(call.env(), 2, &size));
  for (uint32_t i = 0; i < 2; i++) {
    check(call.env(), napi_create_int64(call.env(), static_cast<int64_t>(extents[i]), &number));
    check(call.env(), napi_set_element(call.env(), size, i, number));
  }
  return size;
}

/// A batch of images: what run and encode have in common.
struct Images {
  size_t batch;
  std::shared_ptr<const ConvPlan> planes;
  Array<float> x;
};

Images readImages(Call& call, ConvObject& object) {
  const size_t batch = call.count(call[1], "batch");
  const size_t height = call.count(call[2], "height", 1), width = call.count(call[3], "width", 1);
  validateImage(call.name(), object.op.window(), height, width);
  const auto x = call.array<float>(call[0], "x", "batch · inputChannels · height · width",
                                   {batch, object.op.window().inputChannels, height, width});
  return {batch, object.planesFor(height, width), x};
}

/// A run of a LutConv, its arguments read and checked.
struct ConvRun {
  ConvObject& object;
  std::shared_ptr<const ConvPlan> planes;
  RunArrays arrays;
  size_t batch, threads, from, to;

  void operator()(napi_env env, Addon& addon) const {
    const size_t images = std::max<size_t>(batch, 1);
    const size_t in = from * (arrays.x.length / images), out = from * (arrays.y.length / images);
    const Timed timed(arrays, addon.workspace);
    PoolExecutor executor(threads);
    object.op.run(*planes, arrays.x.data + in, to - from, arrays.y.data + out, arrays.epilogue(out), addon.workspace,
                  executor);
    object.reportMemory(env);
  }
};

ConvRun readConvRun(Call& call) {
  ConvObject& object = objectOf<ConvObject>(call);
  const RunOptions options = readOptions(call, call[5], call.count(call[1], "batch"));
  const Images images = readImages(call, object);
  const auto y =
      call.array<float>(call[4], "y", "batch · outputs · output height · output width",
                        {images.batch, object.outputs, images.planes->outputHeight(), images.planes->outputWidth()});
  return {object,       images.planes, bindRunArrays(call, options, images.x, y), images.batch, options.threads,
          options.from, options.to};
}

napi_value encodeConv(Call& call, Addon& addon) {
  ConvObject& object = objectOf<ConvObject>(call);
  const Images images = readImages(call, object);
  const auto codes = call.array<uint8_t>(
      call[4], "codes", "batch · output height · output width · numCodebooks",
      {images.batch, images.planes->outputHeight(), images.planes->outputWidth(), object.numCodebooks});
  call.requireApart(images.x, codes);
  object.op.encode(*images.planes, images.x.data, images.batch, codes.data, addon.workspace);
  return nullptr;
}

napi_value mismatchConv(Call& call, Addon& addon) {
  ConvObject& object = objectOf<ConvObject>(call);
  const Images images = readImages(call, object);
  const size_t positions = images.batch * images.planes->outputHeight() * images.planes->outputWidth();
  std::vector<uint8_t> codes(positions * object.numCodebooks), exact(codes.size());
  object.op.encode(*images.planes, images.x.data, images.batch, codes.data(), addon.workspace);
  object.op.encodeAs(Encoding::kFloat32, *images.planes, images.x.data, images.batch, exact.data(), addon.workspace);
  return shareOfDifferent(call, codes, exact);
}

napi_value lookupConv(Call& call, Addon& addon) {
  ConvObject& object = objectOf<ConvObject>(call);
  const size_t positions = call.count(call[1], "positions");
  const auto codes =
      call.array<uint8_t>(call[0], "codes", "positions · numCodebooks", {positions, object.numCodebooks});
  const auto sums = call.array<int32_t>(call[2], "sums", "positions · outputs", {positions, object.outputs});
  call.requireApart(codes, sums);
  validateCodes(call.name(), codes.data, codes.length, object.numCentroids);
  object.op.lookup(codes.data, positions, sums.data, addon.workspace);
  object.reportMemory(call.env());
  return nullptr;
}

napi_value encode(Call& call, Addon& addon) {
  const size_t rows = call.count(call[1], "rows"), books = call.count(call[3], "numCodebooks", 1);
  const size_t centroidCount = call.count(call[4], "numCentroids");
  const size_t length = call.count(call[5], "subvectorLength", 1);
  validateCounts(call.name(), books, centroidCount, length);
  const auto x = call.array<float>(call[0], "x", "rows · numCodebooks · subvectorLength", {rows, books, length});
  const auto centroids = call.array<float>(call[2], "centroids", "numCodebooks · numCentroids · subvectorLength",
                                           {books, centroidCount, length});
  const auto codes = call.array<uint8_t>(call[6], "codes", "rows · numCodebooks", {rows, books});
  call.requireApart(x, codes);
  call.requireApart(centroids, codes);
  addon.books.pack(centroids.data, books, centroidCount, length);
  addon.kernels.encodeRows(addon.books.view(), x.data, books * length, rows, codes.data);
  return nullptr;
}

/// What lookupAdd and scatterAdd have in common: their arguments are (codes, rows, what is read, numCodebooks,
/// numCentroids, outputs, what is added to, options), one of the two arrays being the table and one the rows'.
struct TableSumsCall {
  TableSums shape;
  Array<float> table, values;
  size_t threads = 1;
};

TableSumsCall readTableSums(Call& call, bool tableIsRead, const char* valuesName) {
  TableSumsCall read{};
  const size_t rows = call.count(call[1], "rows"), books = call.count(call[3], "numCodebooks", 1);
  const size_t centroids = call.count(call[4], "numCentroids"), outputs = call.count(call[5], "outputs", 1);
  validateCounts(call.name(), books, centroids, 1);
  if (!call.isUndefined(call[7])) {
    const napi_value threads = call.property(call[7], "options", "threads");
    if (!call.isUndefined(threads)) read.threads = call.count(threads, "threads", 1, kMaxThreads);
  }
  const auto codes = call.array<uint8_t>(call[0], "codes", "rows · numCodebooks", {rows, books});
  read.table = call.array<float>(call[tableIsRead ? 2 : 6], "table", "numCodebooks · numCentroids · outputs",
                                 {books, centroids, outputs});
  read.values = call.array<float>(call[tableIsRead ? 6 : 2], valuesName, "rows · outputs", {rows, outputs});
  const Array<float>& in = tableIsRead ? read.table : read.values;
  const Array<float>& out = tableIsRead ? read.values : read.table;
  call.requireApart(codes, out);
  call.requireApart(in, out);
  validateCodes(call.name(), codes.data, codes.length, centroids);
  read.shape = {codes.data, rows, books, centroids, outputs};
  return read;
}

napi_value lookupAdd(Call& call, Addon& addon) {
  const TableSumsCall read = readTableSums(call, true, "sums");
  PoolExecutor executor(read.threads);
  lookupAdd(addon.kernels, read.shape, read.table.data, read.values.data, executor);
  return nullptr;
}

napi_value scatterAdd(Call& call, Addon& addon) {
  const TableSumsCall read = readTableSums(call, false, "values");
  PoolExecutor executor(read.threads);
  scatterAdd(addon.kernels, read.shape, read.values.data, read.table.data, executor);
  return nullptr;
}

/// Of the instruction set that runs, as bench/peak_rates.h measures them.
napi_value peakRates(Call& call, Addon& addon) {
  const PeakRates rates = measurePeakRates(addon.kernels);
  napi_value object, number;
  check(call.env(), napi_create_object(call.env(), &object));
  const std::pair<const char*, double> properties[] = {{"multiplyAddsPerNanosecond", rates.multiplyAdds},
                                                       {"lookupsPerNanosecond", rates.lookups},
                                                       {"bytesPerNanosecond", rates.bytes}};
  for (const auto& [key, value] : properties) {
    check(call.env(), napi_create_double(call.env(), value, &number));
    check(call.env(), napi_set_named_property(call.env(), object, key, number));
  }
  return object;
}

napi_value availableIsas(Call& call, Addon&) {
  napi_value names, name;
  uint32_t i = 0;
  check(call.env(), napi_create_array(call.env(), &names));
  for (const Microkernels* kernels : availableMicrokernels()) {
    check(call.env(), napi_create_string_utf8(call.env(), kernels->isa, NAPI_AUTO_LENGTH, &name));
    check(call.env(), napi_set_element(call.env(), names, i++, name));
  }
  return names;
}

napi_property_descriptor method(const char* key, napi_callback callback, const char* name,
                                napi_property_attributes attributes = napi_default_method) {
  return {key, nullptr, callback, nullptr, nullptr, nullptr, attributes, const_cast<char*>(name)};
}

napi_value initialize(napi_env env, napi_value exports) {
  stayLoaded();
  auto* addon = new Addon{chooseMicrokernels(), {}, {}};
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Addon*>(data); };
  check(env, napi_set_instance_data(env, addon, finalize, nullptr));

  const napi_property_descriptor matMulMethods[] = {
      method("run", function<run<readMatMulRun>>, "LutMatMul.run"),
      method("bind", function<bind<readMatMulRun>>, "LutMatMul.bind"),
      method("encode", function<encodeMatMul>, "LutMatMul.encode"),
      method("lookup", function<lookupMatMul>, "LutMatMul.lookup"),
      method("mismatch", function<mismatchMatMul>, "LutMatMul.mismatch"),
  };
  const napi_property_descriptor convMethods[] = {
      method("outputSize", function<outputSize>, "LutConv.outputSize"),
      method("run", function<run<readConvRun>>, "LutConv.run"),
      method("bind", function<bind<readConvRun>>, "LutConv.bind"),
      method("encode", function<encodeConv>, "LutConv.encode"),
      method("lookup", function<lookupConv>, "LutConv.lookup"),
      method("mismatch", function<mismatchConv>, "LutConv.mismatch"),
  };
  napi_value matMul, conv, isa;
  check(env, napi_define_class(env, "LutMatMul", NAPI_AUTO_LENGTH, function<makeMatMul>, const_cast<char*>("LutMatMul"),
                               std::size(matMulMethods), matMulMethods, &matMul));
  check(env, napi_define_class(env, "LutConv", NAPI_AUTO_LENGTH, function<makeConv>, const_cast<char*>("LutConv"),
                               std::size(convMethods), convMethods, &conv));
  check(env, napi_create_string_utf8(env, addon->kernels.isa, NAPI_AUTO_LENGTH, &isa));
  check(env, napi_set_named_property(env, exports, "LutMatMul", matMul));
  check(env, napi_set_named_property(env, exports, "LutConv", conv));
  check(env, napi_set_named_property(env, exports, "isa", isa));
  const napi_property_descriptor functions[] = {
      method("encode", function<encode>, "encode", napi_enumerable),
      method("lookupAdd", function<lookupAdd>, "lookupAdd", napi_enumerable),
      method("scatterAdd", function<scatterAdd>, "scatterAdd", napi_enumerable),
      method("peakRates", function<peakRates>, "peakRates", napi_enumerable),
      method("availableIsas", function<availableIsas>, "availableIsas", napi_enumerable),
  };
  check(env, napi_define_properties(env, exports, std::size(functions), functions));
  return exports;
}

}  // namespace
}  // namespace lutnn

NAPI_MODULE_INIT() {
  return lutnn::throwing(env, "lutnn-native", [&] { return lutnn::initialize(env, exports); });
}
