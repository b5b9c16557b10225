#include "fronts/onnxruntime/ort_functions.h"

#include <cstdio>

namespace lutnn {

OrtFunctions::OrtFunctions(const OrtApiBase& base) : version_(base.GetVersionString()) {
  const void* const* table = base.GetApi(kOrtVersion);
  if (!table)
    throw OrtFailure("ONNX Runtime must be version 1." + std::to_string(kOrtVersion) + " or later (got " + version_ +
                     "); install a newer one");
#define LUTNN_ORT_BIND(place, name, result, parameters) name.bind(table[place]);
  LUTNN_ORT_FUNCTIONS(LUTNN_ORT_BIND)
#undef LUTNN_ORT_BIND
}

void OrtFunctions::check(OrtStatus* status) const {
  if (!status) return;
  const OrtOwned<OrtStatus> owned(ReleaseStatus, status);
  throw OrtFailure(GetErrorMessage(status));
}

OrtStatus* OrtFunctions::failed(const char* name, int code, const char* message) const noexcept {
  char sentence[1024];  // what is longer is cut
  std::snprintf(sentence, sizeof sentence, "%s: %s", name, message);
  return CreateStatus(code, sentence);
}

std::vector<OrtFunctions::Use> OrtFunctions::uses() const {
  return {
#define LUTNN_ORT_USE(place, name, result, parameters) {#name, place, name.called()},
      LUTNN_ORT_FUNCTIONS(LUTNN_ORT_USE)
#undef LUTNN_ORT_USE
  };
}

OrtShape shapeOf(const OrtFunctions& ort, const OrtTensorTypeAndShapeInfo* info) {
  size_t rank = 0;
  ort.check(ort.GetDimensionsCount(info, &rank));
  OrtShape shape(rank);
  ort.check(ort.GetDimensions(info, shape.data(), rank));
  return shape;
}

OrtShape shapeOf(const OrtFunctions& ort, const OrtValue* tensor) {
  OrtOwned<OrtTensorTypeAndShapeInfo> info(ort.ReleaseTensorTypeAndShapeInfo);
  ort.check(ort.GetTensorTypeAndShape(tensor, info.out()));
  return shapeOf(ort, info.get());
}

std::string textOf(const OrtShape& shape) {
  std::string text;
  for (int64_t length : shape) text += (text.empty() ? "" : "×") + (length < 0 ? "?" : std::to_string(length));
  return text.empty() ? "no axes" : text;
}

}  // namespace lutnn
