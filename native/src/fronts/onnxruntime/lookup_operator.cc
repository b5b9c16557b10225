#include "fronts/onnxruntime/lookup_operator.h"

#include "fronts/onnxruntime/lookup_kernel.h"
#include "fronts/onnxruntime/shape_reader.h"

namespace lutnn {

std::unique_ptr<NodeKernel> LookupOperator::make(const OrtFunctions& ort, ContextPool& contexts,
                                                 const OrtKernelInfo* info) const {
  return std::make_unique<LookupKernel>(ort, variant_, contexts, info);
}

void LookupOperator::inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const {
  const ShapeReader reader(ort, context);
  OpenShape y = reader.input(places_.x);
  const OpenShape table = reader.input(places_.table);
  if (table.lengths.size() != 3 || table.lengths[2] < 0) return;
  const size_t rank = y.lengths.size();
  if (rank < 1 || (variant_.isConv && rank != 4)) return;
  y.set(variant_.isConv ? 1 : rank - 1, table.lengths[2]);
  if (variant_.isConv) {
    int64_t dilations[2];
    reader.integers("dilations", dilations);
    if (!reader.slide(y, dilations)) return;
  }
  for (size_t output = 0; output < outputs(); output++) reader.output(output, outputType(output), y);
}

}  // namespace lutnn
