// TensorFlow's C interface for operators, with owners for what it hands out and exceptions for its failures.
#pragma once

#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "fronts/tensorflow/tensorflow_c.h"

namespace lutnn {

/// An operator was called with something that it cannot take.
struct OperatorFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  operator TF_Status*() const { return status_.get(); }
  /// Throws OperatorFailure where a call has failed; `what` begins the sentence.
  void check(const char* what) const;

 private:
  struct Delete {
    void operator()(TF_Status* status) const { TF_DeleteStatus(status); }
  };
  std::unique_ptr<TF_Status, Delete> status_;
};

/// A tensor of an operator's call: float32, or an output of int32.
class Tensor {
 public:
  Tensor(TF_OpKernelContext* context, int input);
  Tensor(TF_OpKernelContext* context, int output, const std::vector<int64_t>& shape, TF_DataType type = TF_FLOAT);

  float* data() const { return static_cast<float*>(bytes()); }
  void* bytes() const { return TF_TensorData(tensor_.get()); }
  std::vector<int64_t> shape() const;

 private:
  struct Delete {
    void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
  };
  std::unique_ptr<TF_Tensor, Delete> tensor_;
};

/// Attributes of an operator, read when its kernel is made.
class Attributes {
 public:
  explicit Attributes(TF_OpKernelConstruction* construction) : construction_(construction) {}
  bool flag(const char* name) const;
  int number(const char* name) const;
  std::vector<int32_t> numbers(const char* name) const;

 private:
  TF_OpKernelConstruction* construction_;
};

/// What an operator is to TensorFlow, in its own notation ("x: float", "bits: int").
struct OperatorDefinition {
  const char* name;
  std::initializer_list<const char*> attributes, inputs, outputs;
};

/// Whether a kernel of this name is known to this process' TensorFlow.
bool isRegistered(const char* name);

/// Makes an operator known together with its kernel: `create` returns a new kernel object, `compute` runs it, `destroy`
/// deletes it. A name can be registered once in a process.
void registerOperator(const OperatorDefinition& definition, void* (*create)(TF_OpKernelConstruction*),
                      void (*compute)(void*, TF_OpKernelContext*), void (*destroy)(void*));

/// Calls `body` and hands what it throws to TensorFlow.
template <class Context, class Body>
void reportFailures(Context* context, void (*fail)(Context*, TF_Status*), Body body) {
  const Status status;
  try {
    return body();
  } catch (const OperatorFailure& failure) {
    TF_SetStatus(status, TF_INVALID_ARGUMENT, failure.what());
  } catch (const std::bad_alloc&) {
    TF_SetStatus(status, TF_RESOURCE_EXHAUSTED, "not enough memory for the working arrays");
  } catch (const std::exception& failure) {
    TF_SetStatus(status, TF_INTERNAL, failure.what());
  }
  fail(context, status);
}

/// Kernel is made from Attributes and has compute(TF_OpKernelContext*) const.
template <class Kernel>
void registerOperator(const OperatorDefinition& definition) {
  registerOperator(
      definition,
      [](TF_OpKernelConstruction* construction) -> void* {
        Kernel* kernel = nullptr;
        reportFailures(construction, TF_OpKernelConstruction_Failure,
                       [&] { kernel = new Kernel(Attributes(construction)); });
        return kernel;
      },
      [](void* kernel, TF_OpKernelContext* context) {
        reportFailures(context, TF_OpKernelContext_Failure,
                       [&] { static_cast<const Kernel*>(kernel)->compute(context); });
      },
      [](void* kernel) { delete static_cast<Kernel*>(kernel); });
}

}  // namespace lutnn
