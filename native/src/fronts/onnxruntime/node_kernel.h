// What kernels of nodes have in common: they read the node that they are made of, its inputs and outputs, and run on the
// session's threads in a context of its instruction set.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/lutnn.h"
#include "fronts/onnxruntime/ort_functions.h"

namespace lutnn {

/// Throws OrtFailure for what a rule of the C API refused. Of memory it is ONNX Runtime's failure, else the model's.
void require(lutnn_code code, const lutnn_error& error);
[[noreturn]] void refuse(const std::string& message);

/// Throws OrtFailure where no memory holds so many.
int64_t elementsOf(const OrtShape& shape);
/// Whether shapes are the same, or may be: lengths that are open are below 0.
bool mayBeSame(const OrtShape& a, const OrtShape& b);
inline bool mayBeSame(int64_t a, int64_t b) { return a < 0 || b < 0 || a == b; }

/// A constant of a node, in memory of ONNX Runtime's.
struct Constant {
  OrtShape shape;
  const void* data;

  template <class View>
  View view() const {
    return {static_cast<decltype(View::data)>(data), elementsOf(shape)};
  }
};

/// Reads what a node was made of, and refuses what breaks a rule whatever the inputs are, so that a session is not made of it: numbers that
/// mean nothing here, shapes that the file declares and that cannot fit in the kernels, which ask for them.
class NodeReader {
 public:
  NodeReader(const OrtFunctions& ort, const OrtKernelInfo* info) : ort_(ort), info_(info) {}

  std::string name() const;

  Constant constant(size_t index, const char* what, size_t rank) const;
  /// A constant of floats, each of them finite.
  Constant finite(size_t index, const char* what, size_t rank) const;
  bool isConstant(size_t index) const;
  /// A constant of one number.
  template <class T>
  T number(size_t index, const char* what) const {
    return *static_cast<const T*>(constant(index, what, 0).data);
  }

  /// A constant of one number that bytes are scaled by.
  float scale(size_t index, const char* what) const;
  /// The shape that the file says an input has, open lengths as −1; none where it says nothing.
  std::optional<OrtShape> declared(size_t index) const;

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

  int64_t integer(const char* name) const;
  /// The attribute epsilon.
  float epsilon() const;
  /// What kernel_shape, strides and pads say, without channels and dilation.
  lutnn_window window() const;

 private:
  const OrtFunctions& ort_;
  const OrtKernelInfo* info_;
};

/// Contexts of one instruction set, one for each run at a time.
class ContextPool {
 public:
  struct Free {
    void operator()(lutnn_context* context) const { lutnn_context_free(context); }
  };
  using Context = std::unique_ptr<lutnn_context, Free>;

  /// `isa` names the instruction set; empty for LUTNN_FORCE_ISA's, else the fastest. Throws OrtFailure.
  explicit ContextPool(std::string isa);
  const char* isa() const { return lutnn_context_isa(free_.front().get()); }
  /// The context that a layer is made with.
  const lutnn_context* any() const { return first_; }

  /// A context while it lives.
  class Lease {
   public:
    explicit Lease(ContextPool& pool) : pool_(pool), context_(pool.take()) {}
    Lease(const Lease&) = delete;
    ~Lease() { pool_.giveBack(std::move(context_)); }
    lutnn_context* get() const { return context_.get(); }

   private:
    ContextPool& pool_;
    Context context_;
  };

 private:
  Context make() const;
  Context take();
  void giveBack(Context context) noexcept;

  std::string isa_;
  std::mutex mutex_;
  std::vector<Context> free_;
  const lutnn_context* first_;
};

/// A node of one session that runs natively.
class NodeKernel {
 public:
  NodeKernel(const OrtFunctions& ort, const std::string& operatorName, const OrtKernelInfo* info);
  NodeKernel(const NodeKernel&) = delete;
  virtual ~NodeKernel() = default;

  const OrtFunctions& ort() const { return ort_; }
  /// Operator and node, for messages; of a node without a name the operator.
  static std::string titleOf(const std::string& operatorName, const std::string& nodeName);
  /// This node's title.
  const std::string& name() const { return name_; }
  const std::string& nodeName() const { return nodeName_; }
  /// Throws OrtFailure.
  virtual void compute(OrtKernelContext* context) const = 0;

 protected:
  const OrtValue* input(const OrtKernelContext* context, size_t index) const;
  /// The memory of an output.
  void* output(OrtKernelContext* context, size_t index, const OrtShape& shape) const;
  void* dataOf(const OrtValue* tensor) const;

  const OrtFunctions& ort_;

 private:
  std::string nodeName_, name_;
};

/// The session's threads. ONNX Runtime does not say which of them runs a task, so each takes a slot and then task after
/// task. Those that come when all tasks are taken have nothing to do.
class SessionThreads {
 public:
  SessionThreads(const OrtFunctions& ort, OrtKernelContext* context) : ort_(ort), context_(context) {}

  lutnn_executor executor();
  /// Throws OrtFailure where ONNX Runtime could not run all tasks.
  void check() const {
    if (failed_) throw OrtFailure("ONNX Runtime's threads must run all tasks (some were not run)");
  }

 private:
  static void forEach(void* host, int64_t count, void (*task)(void*, int64_t, int64_t), void* body);

  const OrtFunctions& ort_;
  OrtKernelContext* context_;
  bool failed_ = false;
};

}  // namespace lutnn
