#include "fronts/onnxruntime/node_kernel.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace lutnn {

void require(lutnn_code code, const lutnn_error& error) {
  if (code == LUTNN_OK) return;
  throw OrtFailure(error.message, code == LUTNN_NO_MEMORY || code == LUTNN_FAILED ? kOrtFail : kOrtInvalidArgument);
}

void refuse(const std::string& message) { throw OrtFailure(message, kOrtInvalidArgument); }

int64_t elementsOf(const OrtShape& shape) {
  double product = 1;
  for (int64_t length : shape) product *= static_cast<double>(length);
  constexpr double kMost = 1e15;  // more than any machine's memory
  if (product > kMost) throw OrtFailure("there is not enough memory for " + textOf(shape) + " numbers");
  return static_cast<int64_t>(product);
}

bool mayBeSame(const OrtShape& a, const OrtShape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](int64_t x, int64_t y) { return mayBeSame(x, y); });
}

std::string NodeReader::name() const {
  size_t length = 0;
  ort_.check(ort_.KernelInfo_GetNodeName(info_, nullptr, &length));
  std::string name(length, '\0');
  ort_.check(ort_.KernelInfo_GetNodeName(info_, name.data(), &length));
  while (!name.empty() && name.back() == '\0') name.pop_back();
  return name;
}

Constant NodeReader::constant(size_t index, const char* what, size_t rank) const {
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

Constant NodeReader::finite(size_t index, const char* what, size_t rank) const {
  const Constant read = constant(index, what, rank);
  lutnn_error error;
  require(lutnn_check_finite(what, read.view<lutnn_floats>(), &error), error);
  return read;
}

bool NodeReader::isConstant(size_t index) const {
  int isConstant = 0;
  const OrtValue* value = nullptr;
  ort_.check(ort_.KernelInfoGetConstantInput_tensor(info_, index, &isConstant, &value));
  return isConstant && value;
}

float NodeReader::scale(size_t index, const char* what) const {
  const float value = number<float>(index, what);
  lutnn_error error;
  require(lutnn_check_scale(what, value, &error), error);
  return value;
}

std::optional<OrtShape> NodeReader::declared(size_t index) const {
  OrtOwned<OrtTypeInfo> type(ort_.ReleaseTypeInfo);
  ort_.check(ort_.KernelInfo_GetInputTypeInfo(info_, index, type.out()));
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;  // the type's
  ort_.check(ort_.CastTypeInfoToTensorInfo(type.get(), &tensor));
  if (!tensor) return std::nullopt;
  OrtShape shape = shapeOf(ort_, tensor);
  if (shape.empty()) return std::nullopt;  // as ONNX Runtime has one that it does not know
  return shape;
}

int64_t NodeReader::integer(const char* name) const {
  int64_t value = 0;
  if (OrtStatus* missing = ort_.KernelInfoGetAttribute_int64(info_, name, &value)) {
    ort_.ReleaseStatus(missing);
    refuse(std::string("the attribute ") + name + " must be there, an integer");
  }
  return value;
}

float NodeReader::epsilon() const {
  float value = 0;
  if (OrtStatus* missing = ort_.KernelInfoGetAttribute_float(info_, "epsilon", &value)) {
    ort_.ReleaseStatus(missing);
    refuse("the attribute epsilon must be there, a number");
  }
  lutnn_error error;
  require(lutnn_check_epsilon(value, &error), error);
  return value;
}

lutnn_window NodeReader::window() const {
  int64_t filter[2], strides[2], pads[4];
  integers("kernel_shape", filter);
  integers("strides", strides);
  integers("pads", pads);
  return {.filter_height = filter[0],
          .filter_width = filter[1],
          .stride_height = strides[0],
          .stride_width = strides[1],
          .dilation_height = 1,
          .dilation_width = 1,
          .pad_top = pads[0],
          .pad_left = pads[1],
          .pad_bottom = pads[2],
          .pad_right = pads[3]};
}

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

NodeKernel::NodeKernel(const OrtFunctions& ort, const std::string& operatorName, const OrtKernelInfo* info)
    : ort_(ort), nodeName_(NodeReader(ort, info).name()), name_(titleOf(operatorName, nodeName_)) {}

std::string NodeKernel::titleOf(const std::string& operatorName, const std::string& nodeName) {
  return "ai.lutnn." + operatorName + (nodeName.empty() ? "" : " \"" + nodeName + "\"");
}

const OrtValue* NodeKernel::input(const OrtKernelContext* context, size_t index) const {
  const OrtValue* value = nullptr;
  ort_.check(ort_.KernelContext_GetInput(context, index, &value));
  if (!value) refuse("input " + std::to_string(index) + " must be there");
  return value;
}

void* NodeKernel::output(OrtKernelContext* context, size_t index, const OrtShape& shape) const {
  OrtValue* value = nullptr;
  ort_.check(ort_.KernelContext_GetOutput(context, index, shape.data(), shape.size(), &value));
  return dataOf(value);
}

void* NodeKernel::dataOf(const OrtValue* tensor) const {
  void* data = nullptr;
  ort_.check(ort_.GetTensorMutableData(const_cast<OrtValue*>(tensor), &data));
  return data;
}

namespace {

/// Tasks of which threads take one after another.
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

}  // namespace

lutnn_executor SessionThreads::executor() {
  static const int64_t slots = std::max<int64_t>(1, static_cast<int64_t>(std::thread::hardware_concurrency()));
  return {.host = this, .slots = slots, .for_each = forEach};
}

void SessionThreads::forEach(void* host, int64_t count, void (*task)(void*, int64_t, int64_t), void* body) {
  auto& self = *static_cast<SessionThreads*>(host);
  Tasks tasks{task, body, count};
  const size_t workers = static_cast<size_t>(std::min(count, self.executor().slots));
  if (OrtStatus* status = self.ort_.KernelContext_ParallelFor(self.context_, Tasks::work, workers, 0, &tasks)) {
    self.ort_.ReleaseStatus(status);
    self.failed_ = true;
  }
}

}  // namespace lutnn
