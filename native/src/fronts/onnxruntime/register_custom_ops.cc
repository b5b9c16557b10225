#include "fronts/onnxruntime/register_custom_ops.h"

#include <map>

#include "fronts/onnxruntime/operators.h"

namespace lutnn {
namespace {

/// The functions of a library and the operators in it, for all sessions until the process ends.
struct Registration {
  OrtFunctions ort;
  Operators operators;
  explicit Registration(const OrtApiBase& base) : ort(base), operators(ort, "", {}) {}
};

/// One for each ONNX Runtime of the process; never freed, since sessions may outlive what is destroyed at its end.
Registration& registrationFor(const OrtApiBase& base) {
  static std::mutex mutex;
  static auto* known = new std::map<const OrtApiBase*, std::unique_ptr<Registration>>;
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Registration>& found = (*known)[&base];
  if (!found) found = std::make_unique<Registration>(base);
  return *found;
}

/// A status without functions of ours, which could not be bound.
OrtStatus* statusOf(const OrtApiBase& base, const char* message) {
  const void* const* table = base.GetApi(1);
  if (!table) return nullptr;
  OrtFunction<OrtStatus*(int, const char*)> create;
  create.bind(table[0]);
  return create(kOrtFail, message);
}

}  // namespace
}  // namespace lutnn

OrtStatus* LUTNN_ORT_CALL RegisterCustomOps(OrtSessionOptions* options, const OrtApiBase* base) {
  using namespace lutnn;
  try {
    Registration& registration = registrationFor(*base);
    return registration.ort.AddCustomOpDomain(options, registration.operators.domain());
  } catch (const std::exception& failure) {
    return statusOf(*base, failure.what());
  }
}
