// The custom operators of domain ai.lutnn: LutConv and LutMatMul, each also with Relu, Add, AddRelu or Gelu behind it. Inputs
// are x, centroids (C, K, V), table int8 (C, K, M), scale (M), bias (M) and for Add a residual like the result; the
// others are float32. Of LutConvInteger and LutMatMulInteger, whose codes are defined in integers, and their variants: x,
// inputScale float32 (), inputZeroPoint uint8 (), centroids int8 (C, K, V), halfNorms int32 (C, K), and the rest as above; of
// those OfBytes x is uint8 and there is no inputScale. ToBytes and WithBytes take outputScale float32 () and outputZeroPoint
// uint8 () at last, and give the result's bytes, WithBytes beside the result. What a convolution does is said by the
// attributes of ONNX's Conv; group is C.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fronts/onnxruntime/lookup_kernel.h"

namespace lutnn {

constexpr const char* kLookupDomain = "ai.lutnn";

/// The operators in one domain, for sessions; it must outlive them.
class LookupOperators {
 public:
  /// A node that a kernel was made for, so that it runs natively.
  struct Node {
    std::string name;
    const char* operatorName;
  };
  using Made = std::function<void(Node)>;

  /// `made`, which may be empty, is told of every kernel. Throws OrtFailure on an instruction set that is not there.
  LookupOperators(const OrtFunctions& ort, std::string isa, Made made);
  ~LookupOperators();

  OrtCustomOpDomain* domain() const { return domain_.get(); }
  const char* isa() const { return isa_.c_str(); }

 private:
  struct Operator;
  struct Callbacks;

  const OrtFunctions& ort_;
  ContextPool contexts_;
  std::string isa_;
  Made made_;
  std::vector<std::unique_ptr<Operator>> operators_;
  OrtOwned<OrtCustomOpDomain> domain_;
};

}  // namespace lutnn
