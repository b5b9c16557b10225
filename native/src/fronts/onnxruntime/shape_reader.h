// Shapes of a node's inputs and outputs while ONNX Runtime makes a session.
#pragma once

#include "fronts/onnxruntime/ort_functions.h"

namespace lutnn {

/// Lengths of an input's axes: a number, or where that is open −1 and perhaps a name.
struct OpenShape {
  OrtShape lengths;
  std::vector<std::string> names;

  bool isOpen(size_t axis) const { return lengths[axis] < 0 && names[axis].empty(); }
  /// An axis becomes one of that length.
  void set(size_t axis, int64_t length) {
    lengths[axis] = length;
    names[axis].clear();
  }
};

/// Reads inputs and attributes, and says outputs. Throws OrtFailure.
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

  /// Images become those of the positions of the node's window on them. False where lengths are open or there is none.
  bool slide(OpenShape& images, const int64_t (&dilations)[2]) const;
  /// Says the shape of an output, unless a length is open and has no name, which cannot be said.
  void output(size_t index, int type, const OpenShape& shape) const;

 private:
  const OrtFunctions& ort_;
  const OrtShapeInferContext* context_;
};

}  // namespace lutnn
