// A node of a layer in one session: the layer, made from the node's constants and attributes, and how it runs.
#pragma once

#include "fronts/onnxruntime/layer_variants.h"
#include "fronts/onnxruntime/node_kernel.h"

namespace lutnn {

class LayerKernel : public NodeKernel {
 public:
  /// Reads constants and attributes. Throws OrtFailure on what breaks a rule.
  LayerKernel(const OrtFunctions& ort, const LayerVariant& variant, ContextPool& contexts, const OrtKernelInfo* info);

  void compute(OrtKernelContext* context) const override;

 private:
  struct FreeLayer {
    void operator()(lutnn_layer* layer) const { lutnn_layer_free(layer); }
  };
  lutnn_layer* makeLookups(const NodeReader& node);
  lutnn_layer* makeOfCodes(const NodeReader& node);
  lutnn_layer* makeDense(const NodeReader& node);
  /// 1 where x is bytes: nothing becomes bytes then.
  float inputScale(const NodeReader& node) const;
  /// The shape of the result; throws OrtFailure where x does not fit. Lengths of x may be open, and those of the result are then.
  OrtShape outputShape(const OrtShape& x) const;
  void requireResidual(const OrtShape& residual, const OrtShape& result) const;

  const LayerVariant& variant_;
  const LayerPlaces places_;
  ContextPool& contexts_;
  int64_t inputs_ = 0, outputs_ = 0, channels_ = 0;  // of a row or a window, M, and channels of images
  float resultScale_ = 1;  // of the results' bytes
  int64_t resultZeroPoint_ = 0;
  std::unique_ptr<lutnn_layer, FreeLayer> layer_;
};

}  // namespace lutnn
