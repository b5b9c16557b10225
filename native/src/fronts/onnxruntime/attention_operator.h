// Attention: query (N, length, D), key (N, positions, D), value (N, positions, E), scale float32 () → (N, length, E),
// softmax(scale · Q·Kᵀ) · V of each of numHeads heads. MaskedAttention has mask (N, positions) before the scale: (mask − 1) · 10⁹ is
// added to scores. …OfBytes take query, key and value as bytes and have valueScale float32 () behind the scale: see
// lutnn_attention_of_bytes.
#pragma once

#include "fronts/onnxruntime/native_operator.h"

namespace lutnn {

class AttentionOperator : public NativeOperator {
 public:
  AttentionOperator(bool isMasked, bool ofBytes)
      : isMasked_(isMasked),
        ofBytes_(ofBytes),
        name_(std::string(isMasked ? "MaskedAttention" : "Attention") + (ofBytes ? "OfBytes" : "")) {}

  const std::string& name() const override { return name_; }
  size_t inputs() const override { return 4 + isMasked_ + ofBytes_; }
  size_t outputs() const override { return 1; }
  int inputType(size_t index) const override { return ofBytes_ && index < 3 ? kOrtUint8 : kOrtFloat32; }
  int outputType(size_t) const override { return kOrtFloat32; }
  std::unique_ptr<NodeKernel> make(const OrtFunctions& ort, ContextPool& contexts,
                                   const OrtKernelInfo* info) const override;
  void inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const override;

 private:
  const bool isMasked_, ofBytes_;
  const std::string name_;
};

}  // namespace lutnn
