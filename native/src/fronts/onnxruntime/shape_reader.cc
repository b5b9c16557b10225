#include "fronts/onnxruntime/shape_reader.h"

namespace lutnn {

/// Positions of a window along an axis; 0 where there is none, or the numbers are beyond all use.
static int64_t extent(int64_t input, int64_t filter, int64_t stride, int64_t dilation, int64_t before, int64_t after) {
  constexpr int64_t kMost = int64_t{1} << 24;
  for (int64_t number : {filter, stride, dilation})
    if (number < 1 || number > kMost) return 0;
  for (int64_t number : {input, before, after})
    if (number < 0 || number > kMost) return 0;
  const int64_t span = (filter - 1) * dilation + 1, padded = input + before + after;
  return padded < span ? 0 : (padded - span) / stride + 1;
}

bool ShapeReader::slide(OpenShape& images, const int64_t (&dilations)[2]) const {
  if (images.lengths.size() != 4 || images.lengths[2] < 0 || images.lengths[3] < 0) return false;
  int64_t filter[2], strides[2], pads[4];
  integers("kernel_shape", filter);
  integers("strides", strides);
  integers("pads", pads);
  for (size_t axis = 0; axis < 2; axis++) {
    const int64_t length =
        extent(images.lengths[2 + axis], filter[axis], strides[axis], dilations[axis], pads[axis], pads[2 + axis]);
    if (length < 1) return false;
    images.set(2 + axis, length);
  }
  return true;
}

void ShapeReader::output(size_t index, int type, const OpenShape& shape) const {
  const size_t rank = shape.lengths.size();
  for (size_t axis = 0; axis < rank; axis++)
    if (shape.isOpen(axis)) return;
  std::vector<const char*> names;
  for (const std::string& name : shape.names) names.push_back(name.c_str());
  OrtOwned<OrtTensorTypeAndShapeInfo> info(ort_.ReleaseTensorTypeAndShapeInfo);
  ort_.check(ort_.CreateTensorTypeAndShapeInfo(info.out()));
  ort_.check(ort_.SetTensorElementType(info.get(), type));
  ort_.check(ort_.SetDimensions(info.get(), shape.lengths.data(), rank));
  ort_.check(ort_.SetSymbolicDimensions(info.get(), names.data(), rank));
  ort_.check(ort_.ShapeInferContext_SetOutputTypeShape(context_, index, info.get()));
}

}  // namespace lutnn
