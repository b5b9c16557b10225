#include "fronts/tensorflow/tensorflow_operator.h"

namespace lutnn {

void Status::check(const char* what) const {
  if (TF_GetCode(*this) != TF_OK) throw OperatorFailure(std::string(what) + ": " + TF_Message(*this));
}

Tensor::Tensor(TF_OpKernelContext* context, int input) {
  const Status status;
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context, input, &tensor, status);
  tensor_.reset(tensor);
  status.check("reading an input");
}

Tensor::Tensor(TF_OpKernelContext* context, int output, const std::vector<int64_t>& shape, TF_DataType type) {
  const Status status;
  size_t bytes = 4;  // of either type
  for (int64_t length : shape) bytes *= static_cast<size_t>(length);
  tensor_.reset(TF_AllocateOutput(context, output, type, shape.data(), static_cast<int>(shape.size()), bytes, status));
  status.check("making room for an output");
}

std::vector<int64_t> Tensor::shape() const {
  std::vector<int64_t> lengths;
  for (int i = 0; i < TF_NumDims(tensor_.get()); i++) lengths.push_back(TF_Dim(tensor_.get(), i));
  return lengths;
}

bool Attributes::flag(const char* name) const {
  const Status status;
  unsigned char value = 0;
  TF_OpKernelConstruction_GetAttrBool(construction_, name, &value, status);
  status.check(name);
  return value != 0;
}

int Attributes::number(const char* name) const {
  const Status status;
  int32_t value = 0;
  TF_OpKernelConstruction_GetAttrInt32(construction_, name, &value, status);
  status.check(name);
  return value;
}

std::vector<int32_t> Attributes::numbers(const char* name) const {
  const Status status;
  int32_t size = 0, total = 0;
  TF_OpKernelConstruction_GetAttrSize(construction_, name, &size, &total, status);
  status.check(name);
  std::vector<int32_t> values(static_cast<size_t>(size));
  TF_OpKernelConstruction_GetAttrInt32List(construction_, name, values.data(), size, status);
  status.check(name);
  return values;
}

bool isRegistered(const char* name) {
  const Status status;
  TF_Buffer* kernels = TF_GetRegisteredKernelsForOp(name, status);
  const bool found = kernels && kernels->length > 0;
  if (kernels) TF_DeleteBuffer(kernels);
  return found;
}

void registerOperator(const OperatorDefinition& definition, void* (*create)(TF_OpKernelConstruction*),
                      void (*compute)(void*, TF_OpKernelContext*), void (*destroy)(void*)) {
  const Status status;
  TF_OpDefinitionBuilder* builder = TF_NewOpDefinitionBuilder(definition.name);
  for (const char* attribute : definition.attributes) TF_OpDefinitionBuilderAddAttr(builder, attribute);
  for (const char* input : definition.inputs) TF_OpDefinitionBuilderAddInput(builder, input);
  for (const char* output : definition.outputs) TF_OpDefinitionBuilderAddOutput(builder, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(builder, TF_ShapeInferenceContextSetUnknownShape);
  TF_RegisterOpDefinition(builder, status);
  status.check(definition.name);
  TF_RegisterKernelBuilder(definition.name, TF_NewKernelBuilder(definition.name, "CPU", create, compute, destroy),
                           status);
  status.check(definition.name);
}

}  // namespace lutnn
