// A lookup node of one session: its layer, made from the node's constants and attributes, and how it runs.
#pragma once

#include "fronts/onnxruntime/lookup_variants.h"
#include "fronts/onnxruntime/node_kernel.h"

namespace lutnn {

class LookupKernel : public NodeKernel {
 public:
  /// Reads constants and attributes. Throws OrtFailure on what breaks a rule.
  LookupKernel(const OrtFunctions& ort, const LookupVariant& variant, ContextPool& contexts, const OrtKernelInfo* info);

  void compute(OrtKernelContext* context) const override;

 private:
  struct FreeLayer {
    void operator()(lutnn_layer* layer) const { lutnn_layer_free(layer); }
  };
  /// The shape of the result; throws OrtFailure where x does not fit.
  OrtShape outputShape(const OrtShape& x) const;

  const LookupVariant& variant_;
  const LookupPlaces places_;
  ContextPool& contexts_;
  int64_t inputs_ = 0, outputs_ = 0, channels_ = 0;  // C·V, M, and channels of images
  float resultScale_ = 1;                            // of the results' bytes
  int64_t resultZeroPoint_ = 0;
  std::unique_ptr<lutnn_layer, FreeLayer> layer_;
};

}  // namespace lutnn
