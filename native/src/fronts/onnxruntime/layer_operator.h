// The operators of layers. Lookups: LutConv and LutMatMul, each also with Relu, Add, AddRelu or Gelu behind it. Inputs
// are x, centroids (C, K, V), table int8 (C, K, M), scale (M), bias (M) and for Add a residual like the result; the
// others are float32. Of LutConvInteger and LutMatMulInteger, whose codes are defined in integers, and their variants: x,
// inputScale float32 (), inputZeroPoint uint8 (), centroids int8 (C, K, V), halfNorms int32 (C, K), and the rest as above; of
// those OfBytes x is uint8 and there is no inputScale. ToBytes and WithBytes take outputScale float32 () and outputZeroPoint
// uint8 () at last, and give the result's bytes, WithBytes beside the result. What a convolution does is said by the
// attributes of ONNX's Conv; group is C. LutMatMulOfCodes, with all these variants, takes codes uint8 (…, C) in the place of all
// that makes them: codes, table, scale, bias.
//
// Dense layers: DenseConvInteger and DenseMatMulInteger have the same variants. In place of centroids, halfNorms and table are
// weights int8, (M, channels, filter height, filter width) or (D, M), within ±127; group is 1. y = scale · Σ (q − inputZeroPoint) ·
// weight + bias, the sum exact in int32.
#pragma once

#include "fronts/onnxruntime/layer_variants.h"
#include "fronts/onnxruntime/native_operator.h"

namespace lutnn {

class LayerOperator : public NativeOperator {
 public:
  explicit LayerOperator(const LayerVariant& variant) : variant_(variant), places_(placesOf(variant)) {}

  const std::string& name() const override { return variant_.name; }
  size_t inputs() const override { return places_.count; }
  size_t outputs() const override { return variant_.outputs(); }
  int inputType(size_t index) const override { return inputTypeOf(variant_, index); }
  int outputType(size_t index) const override { return outputTypeOf(variant_, index); }
  /// The residual.
  size_t inPlace() const override { return variant_.results == LayerResults::kBytes ? kNowhere : places_.residual; }
  std::unique_ptr<NodeKernel> make(const OrtFunctions& ort, ContextPool& contexts,
                                   const OrtKernelInfo* info) const override;
  void inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const override;

 private:
  const LayerVariant& variant_;
  const LayerPlaces places_;
};

}  // namespace lutnn
