// The custom operators of domain ai.lutnn: LutConv and LutMatMul, LutConvInteger and LutMatMulInteger, each also with Relu,
// Add and AddRelu behind it. Inputs are x float32, centroids float32 (C, K, V), table int8 (C, K, M), scale and bias
// float32 (M), and for Add a residual like the result. For codes in integers x is followed by inputScale float32 () and
// inputZeroPoint uint8 (), centroids are int8, and halfNorms int32 (C, K) follow them. What a convolution does is said by
// the attributes of ONNX's Conv; group is C.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fronts/onnxruntime/lookup_kernel.h"

namespace lutnn {

extern const std::array<LookupVariant, 16> kLookupVariants;
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
