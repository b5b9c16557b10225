// The custom operators of domain ai.lutnn, which sessions are given.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fronts/onnxruntime/native_operator.h"

namespace lutnn {

constexpr const char* kOperatorDomain = "ai.lutnn";

/// All of them.
const std::vector<std::unique_ptr<const NativeOperator>>& nativeOperators();

/// The operators in one domain, for sessions; it must outlive them.
class Operators {
 public:
  /// A node that a kernel was made for, so that it runs natively.
  struct Node {
    std::string name;
    const char* operatorName;
  };
  using Made = std::function<void(Node)>;

  /// `made`, which may be empty, is told of every kernel. Throws OrtFailure on an instruction set that is not there.
  Operators(const OrtFunctions& ort, std::string isa, Made made);
  ~Operators();

  OrtCustomOpDomain* domain() const { return domain_.get(); }
  const char* isa() const { return isa_.c_str(); }

 private:
  struct Registered;
  struct Callbacks;

  const OrtFunctions& ort_;
  ContextPool contexts_;
  std::string isa_;
  Made made_;
  std::vector<std::unique_ptr<Registered>> operators_;
  OrtOwned<OrtCustomOpDomain> domain_;
};

}  // namespace lutnn
