// The shape of a lookup's result, while ONNX Runtime makes a session.
#pragma once

#include "fronts/onnxruntime/ort_functions.h"

namespace lutnn {

/// Says the shape of the result where that of the inputs is known; else leaves it open. Throws OrtFailure.
void inferOutputShape(const OrtFunctions& ort, bool isConv, const OrtShapeInferContext* context);

}  // namespace lutnn
