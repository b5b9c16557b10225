// Attention: query (N, length, D), key (N, positions, D), value (N, positions, E), scale float32 () → (N, length, E),
// softmax(scale · Q·Kᵀ) · V of each of numHeads heads. MaskedAttention has mask (N, positions) before the scale: (mask − 1) · 10⁹ is
// added to scores.
#pragma once

#include "fronts/onnxruntime/native_operator.h"

namespace lutnn {

class AttentionOperator : public NativeOperator {
 public:
  explicit AttentionOperator(bool isMasked) : isMasked_(isMasked), name_(isMasked ? "MaskedAttention" : "Attention") {}

  const std::string& name() const override { return name_; }
  size_t inputs() const override { return isMasked_ ? 5 : 4; }
  size_t outputs() const override { return 1; }
  int inputType(size_t) const override { return kOrtFloat32; }
  int outputType(size_t) const override { return kOrtFloat32; }
  std::unique_ptr<NodeKernel> make(const OrtFunctions& ort, ContextPool& contexts,
                                   const OrtKernelInfo* info) const override;
  void inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const override;

 private:
  const bool isMasked_;
  const std::string name_;
};

}  // namespace lutnn
