#include "fronts/onnxruntime/output_shape.h"

#include "fronts/onnxruntime/lookup_kernel.h"

namespace lutnn {

namespace {

/// Lengths of an input's axes: a number, or where that is open −1 and perhaps a name.
struct OpenShape {
  OrtShape lengths;
  std::vector<std::string> names;

  bool isOpen(size_t axis) const { return lengths[axis] < 0 && names[axis].empty(); }
};

class ShapeReader {
 public:
  ShapeReader(const OrtFunctions& ort, const OrtShapeInferContext* context) : ort_(ort), context_(context) {}

  OpenShape input(size_t index) const {
    OrtTensorTypeAndShapeInfo* given = nullptr;  // the context's
    ort_.check(ort_.ShapeInferContext_GetInputTypeShape(context_, index, &given));
    OpenShape shape{shapeOf(ort_, given), {}};
    std::vector<const char*> names(shape.lengths.size());
    ort_.check(ort_.GetSymbolicDimensions(given, names.data(), names.size()));
    for (const char* name : names) shape.names.emplace_back(name ? name : "");
    return shape;
  }

  template <size_t length>
  void integers(const char* name, int64_t (&values)[length]) const {
    const OrtOpAttr* attribute = nullptr;
    ort_.check(ort_.ShapeInferContext_GetAttribute(context_, name, &attribute));
    size_t bytes = 0;
    ort_.check(ort_.ReadOpAttr(attribute, kOrtAttributeInts, values, sizeof values, &bytes));
    if (bytes != sizeof values) throw OrtFailure(std::string("the attribute ") + name + " has another length");
  }

 private:
  const OrtFunctions& ort_;
  const OrtShapeInferContext* context_;
};

/// Positions of a window along an axis; 0 where there is none, or the numbers are beyond all use.
int64_t extent(int64_t input, int64_t filter, int64_t stride, int64_t dilation, int64_t before, int64_t after) {
  constexpr int64_t kMost = int64_t{1} << 24;
  for (int64_t number : {filter, stride, dilation})
    if (number < 1 || number > kMost) return 0;
  for (int64_t number : {input, before, after})
    if (number < 0 || number > kMost) return 0;
  const int64_t span = (filter - 1) * dilation + 1, padded = input + before + after;
  return padded < span ? 0 : (padded - span) / stride + 1;
}

}  // namespace

void inferOutputShape(const OrtFunctions& ort, const LookupVariant& variant, const OrtShapeInferContext* context) {
  const ShapeReader reader(ort, context);
  const bool isConv = variant.isConv;
  const LookupPlaces places = placesOf(variant);
  OpenShape y = reader.input(places.x);
  const OpenShape table = reader.input(places.table);
  if (table.lengths.size() != 3 || table.lengths[2] < 0) return;
  const size_t rank = y.lengths.size();
  if (rank < 1 || (isConv && rank != 4)) return;
  const size_t outputAxis = isConv ? 1 : rank - 1;
  y.lengths[outputAxis] = table.lengths[2];
  y.names[outputAxis].clear();
  if (isConv) {
    if (y.lengths[2] < 0 || y.lengths[3] < 0) return;
    int64_t filter[2], strides[2], pads[4], dilations[2];
    reader.integers("kernel_shape", filter);
    reader.integers("strides", strides);
    reader.integers("pads", pads);
    reader.integers("dilations", dilations);
    for (int axis = 0; axis < 2; axis++) {
      int64_t& length = y.lengths[2 + axis];
      length = extent(length, filter[axis], strides[axis], dilations[axis], pads[axis], pads[2 + axis]);
      if (length < 1) return;
    }
  }
  for (size_t axis = 0; axis < rank; axis++)
    if (y.isOpen(axis)) return;  // it has no way to say a length that is open and has no name
  std::vector<const char*> names;
  for (const std::string& name : y.names) names.push_back(name.c_str());
  for (size_t output = 0; output < variant.outputs(); output++) {
    OrtOwned<OrtTensorTypeAndShapeInfo> info(ort.ReleaseTensorTypeAndShapeInfo);
    ort.check(ort.CreateTensorTypeAndShapeInfo(info.out()));
    ort.check(ort.SetTensorElementType(info.get(), outputTypeOf(variant, output)));
    ort.check(ort.SetDimensions(info.get(), y.lengths.data(), rank));
    ort.check(ort.SetSymbolicDimensions(info.get(), names.data(), rank));
    ort.check(ort.ShapeInferContext_SetOutputTypeShape(context, output, info.get()));
  }
}

}  // namespace lutnn
