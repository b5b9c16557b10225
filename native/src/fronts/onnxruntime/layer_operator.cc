#include "fronts/onnxruntime/layer_operator.h"

#include "fronts/onnxruntime/layer_kernel.h"
#include "fronts/onnxruntime/shape_reader.h"

namespace lutnn {

std::unique_ptr<NodeKernel> LayerOperator::make(const OrtFunctions& ort, ContextPool& contexts,
                                                const OrtKernelInfo* info) const {
  return std::make_unique<LayerKernel>(ort, variant_, contexts, info);
}

void LayerOperator::inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const {
  const ShapeReader reader(ort, context);
  OpenShape y = reader.input(places_.x);
  // The axis of outputs is the last of a table and of a matrix, and the first of filters.
  const OpenShape made = reader.input(variant_.isDense ? places_.weights : places_.table);
  const size_t axes = !variant_.isDense ? 3 : variant_.isConv ? 4 : 2, last = axes == 4 ? 0 : axes - 1;
  if (made.lengths.size() != axes || made.lengths[last] < 0) return;
  const size_t rank = y.lengths.size();
  if (rank < 1 || (variant_.isConv && rank != 4)) return;
  y.set(variant_.isConv ? 1 : rank - 1, made.lengths[last]);
  if (variant_.isConv) {
    int64_t dilations[2];
    reader.integers("dilations", dilations);
    if (!reader.slide(y, dilations)) return;
  }
  for (size_t output = 0; output < outputs(); output++) reader.output(output, outputType(output), y);
}

}  // namespace lutnn
