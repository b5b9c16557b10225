// Codes alone, for several LutMatMulOfCodes that read the same rows: LutMatMulToCodes of x and centroids (C, K, V), float32;
// LutMatMulIntegerToCodes of x, inputScale float32 (), inputZeroPoint uint8 (), centroids int8 (C, K, V) and halfNorms int32
// (C, K); LutMatMulIntegerOfBytesToCodes of x uint8 and the same without inputScale. x (…, C·V) → codes uint8 (…, C).
#pragma once

#include "fronts/onnxruntime/native_operator.h"

namespace lutnn {

class CodesOperator : public NativeOperator {
 public:
  enum class Of { kFloats, kIntegers, kBytes };
  explicit CodesOperator(Of of);

  const std::string& name() const override { return name_; }
  size_t inputs() const override;
  size_t outputs() const override { return 1; }
  int inputType(size_t index) const override;
  int outputType(size_t) const override { return kOrtUint8; }
  std::unique_ptr<NodeKernel> make(const OrtFunctions& ort, ContextPool& contexts,
                                   const OrtKernelInfo* info) const override;
  void inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const override;

 private:
  const Of of_;
  const std::string name_;
};

}  // namespace lutnn
