#include "fronts/onnxruntime/lookup_kernel.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

namespace lutnn {

namespace {

/// What a rule of the C API refused. Of memory it is ONNX Runtime's failure, else the model's.
void require(lutnn_code code, const lutnn_error& error) {
  if (code == LUTNN_OK) return;
  throw OrtFailure(error.message, code == LUTNN_NO_MEMORY || code == LUTNN_FAILED ? kOrtFail : kOrtInvalidArgument);
}

[[noreturn]] void refuse(const std::string& message) { throw OrtFailure(message, kOrtInvalidArgument); }

int64_t elementsOf(const OrtShape& shape) {
  int64_t product = 1;
  for (int64_t length : shape) product *= length;
  return product;
}

/// A constant of a node, in memory of ONNX Runtime's.
struct Constant {
  OrtShape shape;
  const void* data;

  template <class View>
  View view() const {
    return {static_cast<decltype(View::data)>(data), elementsOf(shape)};
  }
};

/// Reads what a node was made of.
class NodeReader {
 public:
  NodeReader(const OrtFunctions& ort, const OrtKernelInfo* info) : ort_(ort), info_(info) {}

  std::string name() const {
    size_t length = 0;
    ort_.check(ort_.KernelInfo_GetNodeName(info_, nullptr, &length));
    std::string name(length, '\0');
    ort_.check(ort_.KernelInfo_GetNodeName(info_, name.data(), &length));
    while (!name.empty() && name.back() == '\0') name.pop_back();
    return name;
  }

  Constant constant(size_t index, const char* what, size_t rank) const {
    int isConstant = 0;
    const OrtValue* value = nullptr;
    ort_.check(ort_.KernelInfoGetConstantInput_tensor(info_, index, &isConstant, &value));
    if (!isConstant || !value)
      refuse(std::string(what) +
             " must be a constant of the file (got a value that is computed); make it an initializer");
    Constant read{shapeOf(ort_, value), nullptr};
    if (read.shape.size() != rank)
      refuse(std::string(what) + " must have " + std::to_string(rank) + (rank == 1 ? " axis" : " axes") + " (got " +
             textOf(read.shape) + ")");
    void* data = nullptr;
    ort_.check(ort_.GetTensorMutableData(const_cast<OrtValue*>(value), &data));
    read.data = data;
    return read;
  }

  /// A constant of one number.
  template <class T>
  T number(size_t index, const char* what) const {
    return *static_cast<const T*>(constant(index, what, 0).data);
  }

  /// A list of integers that must be there and have that length.
  template <size_t length>
  void integers(const char* name, int64_t (&values)[length]) const {
    size_t given = 0;
    OrtStatus* missing = ort_.KernelInfoGetAttributeArray_int64(info_, name, nullptr, &given);
    if (missing) {
      ort_.ReleaseStatus(missing);
      refuse(std::string("the attribute ") + name + " must be there, " + std::to_string(length) + " integers");
    }
    if (given != length)
      refuse(std::string("the attribute ") + name + " must have " + std::to_string(length) + " integers (got " +
             std::to_string(given) + ")");
    ort_.check(ort_.KernelInfoGetAttributeArray_int64(info_, name, values, &given));
  }

  int64_t integer(const char* name) const {
    int64_t value = 0;
    if (OrtStatus* missing = ort_.KernelInfoGetAttribute_int64(info_, name, &value)) {
      ort_.ReleaseStatus(missing);
      refuse(std::string("the attribute ") + name + " must be there, an integer");
    }
    return value;
  }

 private:
  const OrtFunctions& ort_;
  const OrtKernelInfo* info_;
};

/// Channels that codebooks of V elements cover with such a filter; 1 where the C API is going to refuse the lengths.
int64_t channelsOf(const lutnn_lookup& lookup, int64_t filterHeight, int64_t filterWidth) {
  constexpr int64_t kMost = int64_t{1} << 24;
  const auto isSmall = [](int64_t value) { return value >= 1 && value <= kMost; };
  if (!isSmall(filterHeight) || !isSmall(filterWidth) || !isSmall(lookup.num_codebooks) ||
      !isSmall(lookup.subvector_length))
    return 1;
  return std::max<int64_t>(1, lookup.num_codebooks * lookup.subvector_length / (filterHeight * filterWidth));
}

lutnn_window readWindow(const NodeReader& node, const lutnn_lookup& lookup) {
  int64_t filter[2], strides[2], pads[4], dilations[2];
  node.integers("kernel_shape", filter);
  node.integers("strides", strides);
  node.integers("pads", pads);
  node.integers("dilations", dilations);
  const int64_t group = node.integer("group");
  if (group != lookup.num_codebooks)
    refuse("the attribute group must be the number of codebooks, the first axis of centroids (got " +
           std::to_string(group) + " and " + std::to_string(lookup.num_codebooks) + ")");
  return {.input_channels = channelsOf(lookup, filter[0], filter[1]),
          .filter_height = filter[0],
          .filter_width = filter[1],
          .stride_height = strides[0],
          .stride_width = strides[1],
          .dilation_height = dilations[0],
          .dilation_width = dilations[1],
          .pad_top = pads[0],
          .pad_left = pads[1],
          .pad_bottom = pads[2],
          .pad_right = pads[3]};
}

/// The session's threads. ONNX Runtime does not say which of them runs a task, so each takes a slot and then task after
/// task. Those that come when all tasks are taken have nothing to do.
class SessionThreads {
 public:
  SessionThreads(const OrtFunctions& ort, OrtKernelContext* context) : ort_(ort), context_(context) {}

  lutnn_executor executor() {
    static const int64_t slots = std::max<int64_t>(1, static_cast<int64_t>(std::thread::hardware_concurrency()));
    return {.host = this, .slots = slots, .for_each = forEach};
  }
  /// Throws OrtFailure where ONNX Runtime could not run all tasks.
  void check() const {
    if (failed_) throw OrtFailure("ONNX Runtime's threads must run all tasks (some were not run)");
  }

 private:
  struct Tasks {
    void (*task)(void*, int64_t, int64_t);
    void* body;
    int64_t count;
    std::atomic<int64_t> next{0};

    static void work(void* data, size_t slot) {
      auto& all = *static_cast<Tasks*>(data);
      for (int64_t i; (i = all.next.fetch_add(1, std::memory_order_relaxed)) < all.count;)
        all.task(all.body, i, static_cast<int64_t>(slot));
    }
  };

  static void forEach(void* host, int64_t count, void (*task)(void*, int64_t, int64_t), void* body) {
    auto& self = *static_cast<SessionThreads*>(host);
    Tasks tasks{task, body, count};
    const size_t workers = static_cast<size_t>(std::min(count, self.executor().slots));
    if (OrtStatus* status = self.ort_.KernelContext_ParallelFor(self.context_, Tasks::work, workers, 0, &tasks)) {
      self.ort_.ReleaseStatus(status);
      self.failed_ = true;
    }
  }

  const OrtFunctions& ort_;
  OrtKernelContext* context_;
  bool failed_ = false;
};

}  // namespace

ContextPool::ContextPool(std::string isa) : isa_(std::move(isa)) {
  free_.push_back(make());
  first_ = free_.front().get();
}

ContextPool::Context ContextPool::make() const {
  lutnn_context* made = nullptr;
  lutnn_error error;
  require(isa_.empty() ? lutnn_context_create(&made, &error) : lutnn_context_create_for(isa_.c_str(), &made, &error),
          error);
  return Context(made);
}

ContextPool::Context ContextPool::take() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!free_.empty()) {
      Context context = std::move(free_.back());
      free_.pop_back();
      return context;
    }
  }
  return make();
}

void ContextPool::giveBack(Context context) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  try {
    free_.push_back(std::move(context));
  } catch (...) {  // without room for it, it goes
  }
}

LookupKernel::LookupKernel(const OrtFunctions& ort, const LookupVariant& variant, ContextPool& contexts,
                           const OrtKernelInfo* info)
    : ort_(ort), variant_(variant), places_(placesOf(variant)), contexts_(contexts) {
  const NodeReader node(ort, info);
  nodeName_ = node.name();
  name_ = std::string("ai.lutnn.") + variant.name + (nodeName_.empty() ? "" : " \"" + nodeName_ + "\"");
  const LookupPlaces& places = places_;
  const Constant centroids = node.constant(places.centroids, "centroids", 3);
  const Constant table = node.constant(places.table, "table", 3), scale = node.constant(places.scale, "scale", 1);
  const Constant bias = node.constant(places.bias, "bias", 1);
  const auto same = [&](size_t axis) { return centroids.shape[axis] == table.shape[axis]; };
  if (!same(0) || !same(1))
    refuse("table must have the codebooks and centroids of centroids, its first two axes (got " + textOf(table.shape) +
           " beside " + textOf(centroids.shape) + ")");
  lutnn_lookup lookup{.num_codebooks = centroids.shape[0],
                      .num_centroids = centroids.shape[1],
                      .subvector_length = centroids.shape[2],
                      .outputs = table.shape[2],
                      .lookup_table = table.view<lutnn_int8s>(),
                      .table_scale = scale.view<lutnn_floats>(),
                      .bias = bias.view<lutnn_floats>()};
  lutnn_layer_options options{.encoding = variant.isInteger ? LUTNN_INTEGER : LUTNN_FLOAT32};
  lutnn_integer_codes integers;
  if (variant.isInteger) {
    const Constant halfNorms = node.constant(places.halfNorms, "halfNorms", 2);
    if (halfNorms.shape[0] != centroids.shape[0] || halfNorms.shape[1] != centroids.shape[1])
      refuse("halfNorms must have the codebooks and centroids of centroids (got " + textOf(halfNorms.shape) +
             " beside " + textOf(centroids.shape) + ")");
    integers = {.input_scale = variant.ofBytes ? 1 : node.number<float>(places.inputScale, "inputScale"),
                .input_zero_point = node.number<uint8_t>(places.inputZeroPoint, "inputZeroPoint"),
                .centroids = centroids.view<lutnn_int8s>(),
                .half_norms = halfNorms.view<lutnn_ints>()};
    options.integers = &integers;
  } else {
    lookup.centroids = centroids.view<lutnn_floats>();
  }
  if (variant.toBytes()) {
    resultScale_ = node.number<float>(places.resultScale, "outputScale");
    resultZeroPoint_ = node.number<uint8_t>(places.resultZeroPoint, "outputZeroPoint");
    if (!(resultScale_ > 0 && std::isfinite(resultScale_)))
      refuse("outputScale must be a float32 above 0 (got " + std::to_string(resultScale_) + ")");
  }
  lutnn_window window;
  if (variant.isConv) {
    window = readWindow(node, lookup);
    options.window = &window;
    channels_ = window.input_channels;
  }
  lutnn_layer* made = nullptr;
  lutnn_error error;
  require(lutnn_layer_create(contexts.any(), &lookup, &options, &made, &error), error);
  layer_.reset(made);
  inputs_ = lookup.num_codebooks * lookup.subvector_length;
  outputs_ = lookup.outputs;
}

const OrtValue* LookupKernel::input(const OrtKernelContext* context, size_t index) const {
  const OrtValue* value = nullptr;
  ort_.check(ort_.KernelContext_GetInput(context, index, &value));
  if (!value) refuse("input " + std::to_string(index) + " must be there");
  return value;
}

void* LookupKernel::output(OrtKernelContext* context, size_t index, const OrtShape& shape) const {
  OrtValue* value = nullptr;
  ort_.check(ort_.KernelContext_GetOutput(context, index, shape.data(), shape.size(), &value));
  return dataOf(value);
}

void* LookupKernel::dataOf(const OrtValue* tensor) const {
  void* data = nullptr;
  ort_.check(ort_.GetTensorMutableData(const_cast<OrtValue*>(tensor), &data));
  return data;
}

OrtShape LookupKernel::outputShape(const OrtShape& x) const {
  if (!variant_.isConv) {
    if (x.empty() || x.back() != inputs_)
      refuse("x must end in an axis of " + std::to_string(inputs_) + ", codebooks times sub-vector length (got " +
             textOf(x) + ")");
    OrtShape y = x;
    y.back() = outputs_;
    return y;
  }
  if (x.size() != 4 || x[1] != channels_)
    refuse("x must be images of " + std::to_string(channels_) + " channels, batch × channels × height × width (got " +
           textOf(x) + ")");
  int64_t size[2];
  lutnn_error error;
  require(lutnn_layer_output_size(layer_.get(), x[2], x[3], size, &error), error);
  return {x[0], outputs_, size[0], size[1]};
}

void LookupKernel::compute(OrtKernelContext* context) const {
  const OrtValue* x = input(context, places_.x);
  const OrtShape shape = shapeOf(ort_, x), result = outputShape(shape);
  const OrtValue* residual = variant_.add ? input(context, places_.residual) : nullptr;
  if (residual) {
    const OrtShape other = shapeOf(ort_, residual);
    if (other != result)
      refuse("residual must have the shape of the result, " + textOf(result) + " (got " + textOf(other) + ")");
  }
  const int64_t elements = elementsOf(shape), count = variant_.isConv ? shape[0] : elements / inputs_;
  const int64_t outputs = elementsOf(result);
  const lutnn_floats added{residual ? static_cast<const float*>(dataOf(residual)) : nullptr, outputs};
  const lutnn_bytes quantized{static_cast<const uint8_t*>(variant_.ofBytes ? dataOf(x) : nullptr), elements};
  lutnn_byte_results bytes{.scale = resultScale_, .zero_point = resultZeroPoint_};
  lutnn_run run{
      .inputs = {.count = count, .height = variant_.isConv ? shape[2] : 0, .width = variant_.isConv ? shape[3] : 0},
      .residual = residual ? &added : nullptr,
      .relu = variant_.relu,
      .gelu = variant_.gelu,
      .to = count};
  if (variant_.ofBytes) run.inputs.quantized = &quantized;
  else run.inputs.x = {static_cast<const float*>(dataOf(x)), elements};
  size_t index = 0;
  if (variant_.results != LookupResults::kBytes)
    run.y = {static_cast<float*>(output(context, index++, result)), outputs};
  if (variant_.toBytes()) {
    bytes.bytes = {static_cast<uint8_t*>(output(context, index, result)), outputs};
    run.quantized = &bytes;
  }
  SessionThreads threads(ort_, context);
  const lutnn_executor executor = threads.executor();
  run.executor = &executor;
  const ContextPool::Lease lease(contexts_);
  lutnn_error error;
  require(lutnn_layer_run(layer_.get(), &run, lease.get(), &error), error);
  threads.check();
}

}  // namespace lutnn
