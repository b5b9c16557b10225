// The Node-API front: classes and functions of native/index.d.ts over the C API. Each call reads all of its arguments,
// properties before arrays, then hands them over; no JavaScript runs in between.
#include <memory>
#include <utility>
#include <vector>

#include "bench/peak_rates.h"
#include "core/lutnn.h"
#include "fronts/node/arguments.h"
#include "fronts/node/stay_loaded.h"

namespace lutnn {
namespace {

template <class T, void (*release)(T*)>
struct Released {
  void operator()(T* object) const { release(object); }
};
using LayerPointer = std::unique_ptr<lutnn_layer, Released<lutnn_layer, lutnn_layer_free>>;
using CallPointer = std::unique_ptr<lutnn_call, Released<lutnn_call, lutnn_call_free>>;
using ContextPointer = std::unique_ptr<lutnn_context, Released<lutnn_context, lutnn_context_free>>;

/// State of one environment: the main thread's or a worker's.
struct Addon {
  ContextPointer context;
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
    report(env, lutnn_context_bytes(addon.context.get()), addon.reported);
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

/// What a JavaScript object of either class holds.
struct LayerObject {
  LayerPointer layer;
  bool isConv;
  int64_t reported = 0;

  void reportMemory(napi_env env) { report(env, lutnn_layer_bytes(layer.get()), reported); }
};

/// V8 lets a method be called on objects of its own class only.
LayerObject& objectOf(Call& call) {
  void* object = nullptr;
  check(call.env(), napi_unwrap(call.env(), call.self(), &object));
  return *static_cast<LayerObject*>(object);
}

lutnn_window readWindow(Call& call, napi_value window) {
  const auto number = [&](const char* key) { return call.integer(call.property(window, "window", key), key); };
  return {.input_channels = number("inputChannels"),
          .filter_height = number("filterHeight"),
          .filter_width = number("filterWidth"),
          .stride_height = number("strideHeight"),
          .stride_width = number("strideWidth"),
          .dilation_height = number("dilationHeight"),
          .dilation_width = number("dilationWidth"),
          .pad_top = number("padTop"),
          .pad_left = number("padLeft"),
          .pad_bottom = number("padBottom"),
          .pad_right = number("padRight")};
}

/// An object of codes that are defined in integers, its arrays as they came.
struct IntegersOption {
  lutnn_integer_codes codes{};
  napi_value centroids = nullptr, halfNorms = nullptr;

  IntegersOption() = default;
  IntegersOption(Call& call, napi_value integers) {
    const auto property = [&](const char* key) { return call.property(integers, "integers", key); };
    codes.input_scale = call.float32(property("inputScale"), "inputScale");
    codes.input_zero_point = call.integer(property("inputZeroPoint"), "inputZeroPoint");
    centroids = property("centroids");
    halfNorms = property("halfNorms");
  }
  void readArrays(Call& call) {
    codes.centroids = call.array<int8_t>(centroids, "centroids of integers");
    codes.half_norms = call.array<int32_t>(halfNorms, "halfNorms");
  }
};

/// The option `encoding`, and for that encoding the two arrays of the option `tree`, as they came, or the option `integers`.
struct EncodingOption {
  lutnn_encoding encoding = LUTNN_FLOAT32;
  napi_value dimensions = nullptr, thresholds = nullptr;
  IntegersOption integers;
};

EncodingOption readEncoding(Call& call, napi_value options) {
  EncodingOption read;
  if (call.isUndefined(options)) return read;
  const napi_value encoding = call.property(options, "options", "encoding");
  if (call.isUndefined(encoding)) return read;
  lutnn_error error;
  call.require(lutnn_encoding_named(call.string(encoding, "encoding").c_str(), &read.encoding, &error), error);
  if (read.encoding == LUTNN_INTEGER)
    read.integers = IntegersOption(call, call.property(options, "options", "integers"));
  if (read.encoding != LUTNN_TREE) return read;
  const napi_value tree = call.property(options, "options", "tree");
  read.dimensions = call.property(tree, "tree", "dimensions");
  read.thresholds = call.property(tree, "tree", "thresholds");
  return read;
}

/// new LutMatMul(lookup, options) and new LutConv(lookup, window, options)
template <bool isConv>
napi_value makeLayer(Call& call, Addon& addon) {
  if (!call.isConstruction()) call.refuseType("a class must be called with new");
  const auto property = [&](const char* key) { return call.property(call[0], "lookup", key); };
  const auto number = [&](const char* key) { return call.integer(property(key), key); };
  lutnn_lookup lookup{};
  lookup.num_codebooks = number("numCodebooks");
  lookup.num_centroids = number("numCentroids");
  lookup.subvector_length = number("subvectorLength");
  lookup.outputs = number("outputs");
  const napi_value centroids = property("centroids"), table = property("lookupTable");
  const napi_value scale = property("tableScale"), bias = property("bias");
  lutnn_layer_options options{};
  lutnn_window window;
  if (isConv) {
    window = readWindow(call, call[1]);
    options.window = &window;
  }
  EncodingOption option = readEncoding(call, call[isConv ? 2 : 1]);
  options.encoding = option.encoding;
  if (option.encoding != LUTNN_INTEGER) lookup.centroids = call.array<float>(centroids, "centroids");
  lookup.lookup_table = call.array<int8_t>(table, "lookupTable");
  lookup.table_scale = call.array<float>(scale, "tableScale");
  lookup.bias = call.array<float>(bias, "bias");
  if (option.encoding == LUTNN_TREE) {
    options.tree_dimensions = call.array<int32_t>(option.dimensions, "dimensions");
    options.tree_thresholds = call.array<float>(option.thresholds, "thresholds");
  }
  if (option.encoding == LUTNN_INTEGER) {
    option.integers.readArrays(call);
    options.integers = &option.integers.codes;
  }
  lutnn_layer* made = nullptr;
  lutnn_error error;
  call.require(lutnn_layer_create(addon.context.get(), &lookup, &options, &made, &error), error);
  auto object = std::unique_ptr<LayerObject>(new LayerObject{LayerPointer(made), isConv});
  const auto finalize = [](napi_env env, void* data, void*) {
    auto* finished = static_cast<LayerObject*>(data);
    report(env, 0, finished->reported);
    delete finished;
  };
  check(call.env(), napi_wrap(call.env(), call.self(), object.get(), finalize, nullptr, nullptr));
  object.release()->reportMemory(call.env());
  return call.self();
}

/// The numbers of a layer's inputs: (x, rows) or (x, batch, height, width); `next` is the argument behind them.
struct InputNumbers {
  lutnn_inputs inputs{};
  size_t next;
};

InputNumbers readNumbers(Call& call, const LayerObject& object) {
  InputNumbers read{{}, object.isConv ? size_t{4} : size_t{2}};
  read.inputs.count = call.integer(call[1], object.isConv ? "batch" : "rows");
  if (!object.isConv) return read;
  read.inputs.height = call.integer(call[2], "height");
  read.inputs.width = call.integer(call[3], "width");
  return read;
}

/// All of a run's arguments; what `run` points to lives in here.
struct RunArguments {
  Array<float> x, y, residual;
  Array<double> times;
  lutnn_floats residualView;
  lutnn_doubles_out timesView;
  lutnn_run run{};

  RunArguments(Call& call, const LayerObject& object) {
    const InputNumbers numbers = readNumbers(call, object);
    const napi_value options = call[numbers.next + 1];
    run.inputs = numbers.inputs;
    run.threads = 1;
    run.to = run.inputs.count;
    napi_value residualValue = nullptr, timesValue = nullptr;
    if (!call.isUndefined(options)) {
      const auto option = [&](const char* key) { return call.property(options, "options", key); };
      residualValue = option("residual");
      timesValue = option("times");
      const napi_value relu = option("relu");
      run.relu = !call.isUndefined(relu) && call.boolean(relu, "relu");
      run.threads = call.integer(option("threads"), "threads", 1);
      run.to = call.integer(option("to"), "to", run.to);
      run.from = call.integer(option("from"), "from", 0);
    }
    run.inputs.x = x = call.array<float>(call[0], "x");
    run.y = y = call.array<float>(call[numbers.next], "y");
    if (residualValue && !call.isUndefined(residualValue)) {
      residualView = residual = call.array<float>(residualValue, "residual");
      run.residual = &residualView;
    }
    if (timesValue && !call.isUndefined(timesValue)) {
      timesView = times = call.array<double>(timesValue, "times");
      run.times = &timesView;
    }
  }
  RunArguments(const RunArguments&) = delete;
};

napi_value run(Call& call, Addon& addon) {
  LayerObject& object = objectOf(call);
  const RunArguments arguments(call, object);
  lutnn_error error;
  call.require(lutnn_layer_run(object.layer.get(), &arguments.run, addon.context.get(), &error), error);
  object.reportMemory(call.env());
  return nullptr;
}

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
class BoundRun {
 public:
  BoundRun(Call& call, LayerObject& object, const RunArguments& arguments)
      : object_(object), self_(call.env(), call.self()) {
    lutnn_call* made = nullptr;
    lutnn_error error;
    call.require(lutnn_call_create(object.layer.get(), &arguments.run, &made, &error), error);
    call_.reset(made);
    arrays_.emplace_back(call.env(), arguments.x);
    arrays_.emplace_back(call.env(), arguments.y);
    if (arguments.residual.value) arrays_.emplace_back(call.env(), arguments.residual);
    if (arguments.times.value) arrays_.emplace_back(call.env(), arguments.times);
  }

  static napi_value call(napi_env env, napi_callback_info info) {
    void* data = nullptr;
    if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
    return guarded(env, "bound run", [&](Addon& addon) {
      const auto* bound = static_cast<const BoundRun*>(data);
      for (const HeldArray& array : bound->arrays_) array.requireUnmoved(env);
      lutnn_error error;
      check("bound run", lutnn_call_run(bound->call_.get(), addon.context.get(), &error), error);
      bound->object_.reportMemory(env);
      return nullptr;
    });
  }

 private:
  LayerObject& object_;
  Held self_;
  CallPointer call_;
  std::vector<HeldArray> arrays_;
};

/// A function that does what `run` does whenever it is called.
napi_value bind(Call& call, Addon&) {
  LayerObject& object = objectOf(call);
  const RunArguments arguments(call, object);
  auto bound = std::make_unique<BoundRun>(call, object, arguments);
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<BoundRun*>(data); };
  napi_value function;
  check(call.env(), napi_create_function(call.env(), "run", NAPI_AUTO_LENGTH, BoundRun::call, bound.get(), &function));
  check(call.env(), napi_add_finalizer(call.env(), function, bound.get(), finalize, nullptr, nullptr));
  bound.release();
  return function;
}

napi_value encodeInputs(Call& call, Addon& addon) {
  LayerObject& object = objectOf(call);
  InputNumbers numbers = readNumbers(call, object);
  numbers.inputs.x = call.array<float>(call[0], "x");
  const Array<uint8_t> codes = call.array<uint8_t>(call[numbers.next], "codes");
  lutnn_error error;
  call.require(lutnn_layer_encode(object.layer.get(), &numbers.inputs, codes, addon.context.get(), &error), error);
  return nullptr;
}

napi_value mismatch(Call& call, Addon& addon) {
  LayerObject& object = objectOf(call);
  InputNumbers numbers = readNumbers(call, object);
  numbers.inputs.x = call.array<float>(call[0], "x");
  double share;
  lutnn_error error;
  call.require(lutnn_layer_mismatch(object.layer.get(), &numbers.inputs, &share, addon.context.get(), &error), error);
  napi_value result;
  check(call.env(), napi_create_double(call.env(), share, &result));
  return result;
}

napi_value lookup(Call& call, Addon& addon) {
  LayerObject& object = objectOf(call);
  const int64_t positions = call.integer(call[1], object.isConv ? "positions" : "rows");
  const Array<uint8_t> codes = call.array<uint8_t>(call[0], "codes");
  const Array<int32_t> sums = call.array<int32_t>(call[2], "sums");
  lutnn_error error;
  call.require(lutnn_layer_lookup(object.layer.get(), codes, positions, sums, addon.context.get(), &error), error);
  object.reportMemory(call.env());
  return nullptr;
}

napi_value outputSize(Call& call, Addon&) {
  const int64_t height = call.integer(call[0], "height"), width = call.integer(call[1], "width");
  int64_t extents[2];
  lutnn_error error;
  call.require(lutnn_layer_output_size(objectOf(call).layer.get(), height, width, extents, &error), error);
  napi_value size, number;
  check(call.env(), napi_create_array_with_length(call.env(), 2, &size));
  for (uint32_t i = 0; i < 2; i++) {
    check(call.env(), napi_create_int64(call.env(), extents[i], &number));
    check(call.env(), napi_set_element(call.env(), size, i, number));
  }
  return size;
}

/// encode(x, rows, centroids, numCodebooks, numCentroids, subvectorLength, codes)
napi_value encodeRows(Call& call, Addon& addon) {
  lutnn_encode read{};
  read.rows = call.integer(call[1], "rows");
  read.num_codebooks = call.integer(call[3], "numCodebooks");
  read.num_centroids = call.integer(call[4], "numCentroids");
  read.subvector_length = call.integer(call[5], "subvectorLength");
  read.x = call.array<float>(call[0], "x");
  read.centroids = call.array<float>(call[2], "centroids");
  read.codes = call.array<uint8_t>(call[6], "codes");
  lutnn_error error;
  call.require(lutnn_encode_rows(&read, addon.context.get(), &error), error);
  return nullptr;
}

/// encodeIntegers(x, rows, integers, numCodebooks, numCentroids, subvectorLength, codes)
napi_value encodeIntegers(Call& call, Addon& addon) {
  lutnn_encode_integers read{};
  read.rows = call.integer(call[1], "rows");
  IntegersOption integers(call, call[2]);
  read.num_codebooks = call.integer(call[3], "numCodebooks");
  read.num_centroids = call.integer(call[4], "numCentroids");
  read.subvector_length = call.integer(call[5], "subvectorLength");
  read.x = call.array<float>(call[0], "x");
  integers.readArrays(call);
  read.integers = &integers.codes;
  read.codes = call.array<uint8_t>(call[6], "codes");
  lutnn_error error;
  call.require(lutnn_encode_integer_rows(&read, addon.context.get(), &error), error);
  return nullptr;
}

/// What lookupAdd and scatterAdd have in common: (codes, rows, what is read, numCodebooks, numCentroids, outputs, what is
/// added to, options).
lutnn_table_codes readTableCodes(Call& call) {
  lutnn_table_codes read{};
  read.rows = call.integer(call[1], "rows");
  read.num_codebooks = call.integer(call[3], "numCodebooks");
  read.num_centroids = call.integer(call[4], "numCentroids");
  read.outputs = call.integer(call[5], "outputs");
  read.threads = 1;
  if (!call.isUndefined(call[7]))
    read.threads = call.integer(call.property(call[7], "options", "threads"), "threads", 1);
  read.codes = call.array<uint8_t>(call[0], "codes");
  return read;
}

napi_value lookupAdd(Call& call, Addon& addon) {
  const lutnn_table_codes codes = readTableCodes(call);
  const Array<float> table = call.array<float>(call[2], "table"), sums = call.array<float>(call[6], "sums");
  lutnn_error error;
  call.require(lutnn_lookup_add(&codes, table, sums, addon.context.get(), &error), error);
  return nullptr;
}

napi_value scatterAdd(Call& call, Addon& addon) {
  const lutnn_table_codes codes = readTableCodes(call);
  const Array<float> values = call.array<float>(call[2], "values"), table = call.array<float>(call[6], "table");
  lutnn_error error;
  call.require(lutnn_scatter_add(&codes, values, table, addon.context.get(), &error), error);
  return nullptr;
}

/// quantizeTable(table, rows, outputs, perOutput, limit, values, scale) → whether every entry is finite
napi_value quantizeTable(Call& call, Addon&) {
  lutnn_quantize read{};
  read.rows = call.integer(call[1], "rows");
  read.outputs = call.integer(call[2], "outputs");
  read.per_output = call.boolean(call[3], "perOutput");
  read.limit = call.integer(call[4], "limit");
  read.table = call.array<float>(call[0], "table");
  read.values = call.array<int8_t>(call[5], "values");
  read.scale = call.array<float>(call[6], "scale");
  lutnn_error error;
  int32_t finite = 0;
  call.require(lutnn_quantize_table(&read, &finite, &error), error);
  napi_value result;
  check(call.env(), napi_get_boolean(call.env(), finite != 0, &result));
  return result;
}

/// Of the instruction set that runs, as bench/peak_rates.h measures them.
napi_value peakRates(Call& call, Addon& addon) {
  const PeakRates rates = measurePeakRates(lutnn_context_isa(addon.context.get()));
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
  check(call.env(), napi_create_array(call.env(), &names));
  for (uint32_t i = 0; lutnn_available_isa(i); i++) {
    check(call.env(), napi_create_string_utf8(call.env(), lutnn_available_isa(i), NAPI_AUTO_LENGTH, &name));
    check(call.env(), napi_set_element(call.env(), names, i, name));
  }
  return names;
}

napi_property_descriptor method(const char* key, napi_callback callback, const char* name,
                                napi_property_attributes attributes = napi_default_method) {
  return {.utf8name = key, .method = callback, .attributes = attributes, .data = const_cast<char*>(name)};
}

napi_value makeClass(napi_env env, const char* name, napi_callback make,
                     const std::vector<napi_property_descriptor>& methods) {
  napi_value made;
  check(env, napi_define_class(env, name, NAPI_AUTO_LENGTH, make, const_cast<char*>(name), methods.size(),
                               methods.data(), &made));
  return made;
}

napi_value initialize(napi_env env, napi_value exports) {
  stayLoaded();
  lutnn_context* context = nullptr;
  lutnn_error error;
  if (lutnn_context_create(&context, &error) != LUTNN_OK) throw std::runtime_error(error.message);
  auto* addon = new Addon{ContextPointer(context)};
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Addon*>(data); };
  check(env, napi_set_instance_data(env, addon, finalize, nullptr));

  const napi_value matMul =
      makeClass(env, "LutMatMul", function<makeLayer<false>>,
                {method("run", function<run>, "LutMatMul.run"), method("bind", function<bind>, "LutMatMul.bind"),
                 method("encode", function<encodeInputs>, "LutMatMul.encode"),
                 method("lookup", function<lookup>, "LutMatMul.lookup"),
                 method("mismatch", function<mismatch>, "LutMatMul.mismatch")});
  const napi_value conv = makeClass(
      env, "LutConv", function<makeLayer<true>>,
      {method("outputSize", function<outputSize>, "LutConv.outputSize"), method("run", function<run>, "LutConv.run"),
       method("bind", function<bind>, "LutConv.bind"), method("encode", function<encodeInputs>, "LutConv.encode"),
       method("lookup", function<lookup>, "LutConv.lookup"),
       method("mismatch", function<mismatch>, "LutConv.mismatch")});
  napi_value isa;
  check(env, napi_create_string_utf8(env, lutnn_context_isa(context), NAPI_AUTO_LENGTH, &isa));
  check(env, napi_set_named_property(env, exports, "LutMatMul", matMul));
  check(env, napi_set_named_property(env, exports, "LutConv", conv));
  check(env, napi_set_named_property(env, exports, "isa", isa));
  const napi_property_descriptor functions[] = {
      method("encode", function<encodeRows>, "encode", napi_enumerable),
      method("encodeIntegers", function<encodeIntegers>, "encodeIntegers", napi_enumerable),
      method("lookupAdd", function<lookupAdd>, "lookupAdd", napi_enumerable),
      method("scatterAdd", function<scatterAdd>, "scatterAdd", napi_enumerable),
      method("quantizeTable", function<quantizeTable>, "quantizeTable", napi_enumerable),
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
