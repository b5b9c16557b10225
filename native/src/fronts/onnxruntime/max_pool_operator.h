// MaxPoolOfBytes: x uint8 (N, channels, height, width) → uint8 (N, channels, output height, output width), the largest byte of
// each window. Windows are said by kernel_shape, strides and pads, as of ONNX's MaxPool.
#pragma once

#include "fronts/onnxruntime/native_operator.h"

namespace lutnn {

class MaxPoolOperator : public NativeOperator {
 public:
  const std::string& name() const override { return name_; }
  size_t inputs() const override { return 1; }
  size_t outputs() const override { return 1; }
  int inputType(size_t) const override { return kOrtUint8; }
  int outputType(size_t) const override { return kOrtUint8; }
  std::unique_ptr<NodeKernel> make(const OrtFunctions& ort, ContextPool& contexts,
                                   const OrtKernelInfo* info) const override;
  void inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const override;

 private:
  const std::string name_ = "MaxPoolOfBytes";
};

}  // namespace lutnn
