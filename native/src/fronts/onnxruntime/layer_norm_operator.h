// LayerNormToBytes and LayerNormWithBytes: x float32 (…, D), scale (D), shift (D), outputScale float32 (), outputZeroPoint uint8 ()
// → the bytes of (x − mean) / √(variance + epsilon) · scale + shift with the moments of each row; WithBytes gives the numbers first.
// The attribute epsilon is that of ONNX's LayerNormalization.
#pragma once

#include "fronts/onnxruntime/native_operator.h"

namespace lutnn {

class LayerNormOperator : public NativeOperator {
 public:
  explicit LayerNormOperator(bool withFloats)
      : withFloats_(withFloats), name_(withFloats ? "LayerNormWithBytes" : "LayerNormToBytes") {}

  const std::string& name() const override { return name_; }
  size_t inputs() const override { return 5; }
  size_t outputs() const override { return withFloats_ ? 2 : 1; }
  int inputType(size_t index) const override { return index == 4 ? kOrtUint8 : kOrtFloat32; }
  int outputType(size_t index) const override { return withFloats_ && index == 0 ? kOrtFloat32 : kOrtUint8; }
  std::unique_ptr<NodeKernel> make(const OrtFunctions& ort, ContextPool& contexts,
                                   const OrtKernelInfo* info) const override;
  void inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const override;

 private:
  const bool withFloats_;
  const std::string name_;
};

}  // namespace lutnn
