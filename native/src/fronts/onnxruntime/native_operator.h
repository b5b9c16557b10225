// An operator of ours as ONNX Runtime asks about it, and what makes kernels for its nodes.
#pragma once

#include <memory>
#include <string>

#include "fronts/onnxruntime/node_kernel.h"

namespace lutnn {

/// The place of an input that is not there.
constexpr size_t kNowhere = static_cast<size_t>(-1);

class NativeOperator {
 public:
  virtual ~NativeOperator() = default;
  virtual const std::string& name() const = 0;
  virtual size_t inputs() const = 0;
  virtual size_t outputs() const = 0;
  /// ONNX Runtime's numbers of types.
  virtual int inputType(size_t index) const = 0;
  virtual int outputType(size_t index) const = 0;
  /// The input whose memory may become the first output's; kNowhere for none.
  virtual size_t inPlace() const { return kNowhere; }
  /// Throws OrtFailure on a node that breaks a rule.
  virtual std::unique_ptr<NodeKernel> make(const OrtFunctions& ort, ContextPool& contexts,
                                           const OrtKernelInfo* info) const = 0;
  /// Says the shapes of outputs where those of inputs are known; else leaves them open. Throws OrtFailure.
  virtual void inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const = 0;
};

}  // namespace lutnn
