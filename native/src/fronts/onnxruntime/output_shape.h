// The shape of a lookup's result, while ONNX Runtime makes a session.
#pragma once

#include "fronts/onnxruntime/lookup_kernel.h"

namespace lutnn {

/// Says the shape of the result where that of the inputs is known; else leaves it open. Throws OrtFailure.
void inferOutputShape(const OrtFunctions& ort, const LookupVariant& variant, const OrtShapeInferContext* context);

}  // namespace lutnn
