// Nodes of our custom operators drawn from bytes, as a session of ONNX Runtime would ask for them: shapes inferred, a kernel made of
// attributes and constants, run twice. In ONNX Runtime's place stands a table of the few functions that operators call, over plain
// structs: as there, tensors have the types that operators ask for, and as much memory as their shapes say. Sessions of the real one
// are check:sessions'.
#include <map>
#include <optional>
#include <string>

#include "fronts/onnxruntime/layer_variants.h"
#include "fronts/onnxruntime/operators.h"
#include "fuzz_input.h"

/// Numbers of the largest tensor.
constexpr int64_t kMostNumbers = 1 << 18;

struct OrtStatus {
  int code;
  std::string message;
};
struct OrtTensorTypeAndShapeInfo {
  int type = 0;
  std::vector<int64_t> lengths;
  std::vector<std::string> names = {};
};
struct OrtValue {
  OrtTensorTypeAndShapeInfo info;
  std::unique_ptr<char[]> data;  // of just its length
};
struct OrtOpAttr {
  std::vector<int64_t> integers;
  std::optional<float> real = {};
};
struct OrtCustomOpDomain {
  std::vector<const OrtCustomOp*> operators;
};
/// A node and one run of it: an OrtKernelInfo, an OrtKernelContext and an OrtShapeInferContext.
struct Node {
  std::map<std::string, OrtOpAttr> attributes;
  struct Input {
    OrtValue value;
    bool isConstant, isThere;
    OrtTensorTypeAndShapeInfo declared;
  };
  std::vector<Input> inputs;
  std::vector<OrtValue> outputs;
  std::vector<std::optional<std::vector<int64_t>>> inferred;
};

namespace {

using namespace lutnn;

size_t sizeOf(int type) { return type == kOrtFloat32 || type == kOrtInt32 ? 4 : 1; }

int64_t productOf(const std::vector<int64_t>& lengths) {
  double product = 1;
  for (int64_t length : lengths) product *= static_cast<double>(length);
  return product > kMostNumbers ? -1 : static_cast<int64_t>(product);
}

OrtStatus* refused(const char* why) { return new OrtStatus{kOrtFail, why}; }
template <class T>
const Node& nodeOf(const T* given) {
  return *reinterpret_cast<const Node*>(given);
}
template <class T>
Node& nodeOf(T* given) {
  return *reinterpret_cast<Node*>(given);
}
const OrtOpAttr* attributeOf(const Node& node, const char* name) {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() ? nullptr : &found->second;
}

/// What operators call of ONNX Runtime, by the names that ours have for it.
struct Runtime {
  static OrtStatus* CreateStatus(int code, const char* message) { return new OrtStatus{code, message}; }
  static const char* GetErrorMessage(const OrtStatus* status) { return status->message.c_str(); }
  static void ReleaseStatus(OrtStatus* status) { delete status; }
  static OrtStatus* CreateCustomOpDomain(const char*, OrtCustomOpDomain** domain) {
    *domain = new OrtCustomOpDomain;
    return nullptr;
  }
  static void ReleaseCustomOpDomain(OrtCustomOpDomain* domain) { delete domain; }
  static OrtStatus* CustomOpDomain_Add(OrtCustomOpDomain* domain, const OrtCustomOp* op) {
    domain->operators.push_back(op);
    return nullptr;
  }
  static OrtStatus* GetTensorMutableData(OrtValue* value, void** data) {
    *data = value->data.get();
    return nullptr;
  }
  static OrtStatus* GetTensorTypeAndShape(const OrtValue* value, OrtTensorTypeAndShapeInfo** info) {
    *info = new OrtTensorTypeAndShapeInfo(value->info);
    return nullptr;
  }
  static OrtStatus* CreateTensorTypeAndShapeInfo(OrtTensorTypeAndShapeInfo** info) {
    *info = new OrtTensorTypeAndShapeInfo;
    return nullptr;
  }
  static void ReleaseTensorTypeAndShapeInfo(OrtTensorTypeAndShapeInfo* info) { delete info; }
  static OrtStatus* SetTensorElementType(OrtTensorTypeAndShapeInfo* info, int type) {
    info->type = type;
    return nullptr;
  }
  static OrtStatus* SetDimensions(OrtTensorTypeAndShapeInfo* info, const int64_t* lengths, size_t rank) {
    info->lengths.assign(lengths, lengths + rank);
    info->names.resize(rank);
    return nullptr;
  }
  static OrtStatus* SetSymbolicDimensions(OrtTensorTypeAndShapeInfo* info, const char* names[], size_t rank) {
    info->names.assign(names, names + rank);
    return nullptr;
  }
  static OrtStatus* GetDimensionsCount(const OrtTensorTypeAndShapeInfo* info, size_t* rank) {
    *rank = info->lengths.size();
    return nullptr;
  }
  static OrtStatus* GetDimensions(const OrtTensorTypeAndShapeInfo* info, int64_t* lengths, size_t rank) {
    std::copy_n(info->lengths.begin(), rank, lengths);
    return nullptr;
  }
  static OrtStatus* GetSymbolicDimensions(const OrtTensorTypeAndShapeInfo* info, const char** names, size_t rank) {
    for (size_t axis = 0; axis < rank; axis++) names[axis] = info->names[axis].c_str();
    return nullptr;
  }
  static OrtStatus* KernelInfoGetAttribute_float(const OrtKernelInfo* info, const char* name, float* value) {
    const OrtOpAttr* found = attributeOf(nodeOf(info), name);
    if (!found || !found->real) return refused("there is no such attribute");
    *value = *found->real;
    return nullptr;
  }
  static OrtStatus* KernelInfoGetAttribute_int64(const OrtKernelInfo* info, const char* name, int64_t* value) {
    const OrtOpAttr* found = attributeOf(nodeOf(info), name);
    if (!found || found->integers.size() != 1) return refused("there is no such attribute");
    *value = found->integers[0];
    return nullptr;
  }
  static OrtStatus* KernelInfoGetAttributeArray_int64(const OrtKernelInfo* info, const char* name, int64_t* values,
                                                      size_t* length) {
    const OrtOpAttr* found = attributeOf(nodeOf(info), name);
    if (!found || found->real) return refused("there is no such attribute");
    const size_t count = found->integers.size();
    if (values && *length < count) return refused("the result is too short");
    if (values) std::copy(found->integers.begin(), found->integers.end(), values);
    *length = count;
    return nullptr;
  }
  /// A type is that of a tensor here.
  static OrtStatus* KernelInfo_GetInputTypeInfo(const OrtKernelInfo* info, size_t index, OrtTypeInfo** type) {
    const Node& node = nodeOf(info);
    if (index >= node.inputs.size()) return refused("there is no such input");
    *type = reinterpret_cast<OrtTypeInfo*>(new OrtTensorTypeAndShapeInfo(node.inputs[index].declared));
    return nullptr;
  }
  static OrtStatus* CastTypeInfoToTensorInfo(const OrtTypeInfo* type, const OrtTensorTypeAndShapeInfo** info) {
    *info = reinterpret_cast<const OrtTensorTypeAndShapeInfo*>(type);
    return nullptr;
  }
  static void ReleaseTypeInfo(OrtTypeInfo* type) { delete reinterpret_cast<OrtTensorTypeAndShapeInfo*>(type); }
  static OrtStatus* KernelInfo_GetNodeName(const OrtKernelInfo*, char* name, size_t* length) {
    static constexpr char kName[] = "node";
    if (name && *length < sizeof kName) return refused("the result is too short");
    if (name) std::memcpy(name, kName, sizeof kName);
    *length = sizeof kName;
    return nullptr;
  }
  static OrtStatus* KernelInfoGetConstantInput_tensor(const OrtKernelInfo* info, size_t index, int* isConstant,
                                                      const OrtValue** value) {
    const Node& node = nodeOf(info);
    if (index >= node.inputs.size()) return refused("there is no such input");
    const Node::Input& input = node.inputs[index];
    *isConstant = input.isConstant && input.isThere;
    *value = *isConstant ? &input.value : nullptr;
    return nullptr;
  }
  static OrtStatus* KernelContext_GetInput(const OrtKernelContext* context, size_t index, const OrtValue** value) {
    const Node& node = nodeOf(context);
    if (index >= node.inputs.size()) return refused("there is no such input");
    *value = node.inputs[index].isThere ? &node.inputs[index].value : nullptr;
    return nullptr;
  }
  static OrtStatus* KernelContext_GetOutput(OrtKernelContext* context, size_t index, const int64_t* lengths,
                                            size_t rank, OrtValue** value) {
    Node& node = nodeOf(context);
    if (index >= node.outputs.size()) return refused("there is no such output");
    OrtValue& output = node.outputs[index];
    output.info.lengths.assign(lengths, lengths + rank);
    for (int64_t length : output.info.lengths)
      if (length < 0) return refused("lengths must be from 0");
    const int64_t numbers = productOf(output.info.lengths);
    if (numbers < 0) return refused("there is not enough memory");
    output.data.reset(new char[static_cast<size_t>(numbers) * sizeOf(output.info.type)]);
    *value = &output;
    return nullptr;
  }
  static OrtStatus* KernelContext_ParallelFor(const OrtKernelContext*, void (*task)(void*, size_t), size_t total,
                                              size_t, void* data) {
    for (size_t i = total; i-- > 0;) task(data, i);
    return nullptr;
  }
  static OrtStatus* ShapeInferContext_GetInputTypeShape(const OrtShapeInferContext* context, size_t index,
                                                        OrtTensorTypeAndShapeInfo** info) {
    Node& node = const_cast<Node&>(nodeOf(context));
    if (index >= node.inputs.size()) return refused("there is no such input");
    *info = &node.inputs[index].declared;
    return nullptr;
  }
  static OrtStatus* ShapeInferContext_GetAttribute(const OrtShapeInferContext* context, const char* name,
                                                   const OrtOpAttr** attribute) {
    *attribute = attributeOf(nodeOf(context), name);
    return *attribute ? nullptr : refused("there is no such attribute");
  }
  static OrtStatus* ShapeInferContext_SetOutputTypeShape(const OrtShapeInferContext* context, size_t index,
                                                         const OrtTensorTypeAndShapeInfo* info) {
    Node& node = const_cast<Node&>(nodeOf(context));
    if (index >= node.inferred.size() || info->type != node.outputs[index].info.type) __builtin_trap();
    node.inferred[index] = info->lengths;
    return nullptr;
  }
  static OrtStatus* ReadOpAttr(const OrtOpAttr* attribute, int, void* data, size_t bytes, size_t* length) {
    *length = attribute->integers.size() * sizeof(int64_t);
    if (attribute->real || *length > bytes) return refused("the result is too short");
    std::memcpy(data, attribute->integers.data(), *length);
    return nullptr;
  }

  static const void* const* table(uint32_t) {
    static const auto made = [] {
      std::vector<const void*> entries(300, nullptr);
      const auto bind = [&](int place, auto* function) {
        entries[static_cast<size_t>(place)] = reinterpret_cast<const void*>(function);
      };
      bind(0, CreateStatus), bind(2, GetErrorMessage), bind(26, CreateCustomOpDomain), bind(27, CustomOpDomain_Add);
      bind(51, GetTensorMutableData), bind(55, CastTypeInfoToTensorInfo), bind(98, ReleaseTypeInfo),
          bind(234, KernelInfo_GetInputTypeInfo), bind(57, CreateTensorTypeAndShapeInfo),
          bind(58, SetTensorElementType);
      bind(59, SetDimensions), bind(61, GetDimensionsCount), bind(62, GetDimensions), bind(63, GetSymbolicDimensions);
      bind(65, GetTensorTypeAndShape), bind(85, KernelInfoGetAttribute_float), bind(86, KernelInfoGetAttribute_int64);
      bind(90, KernelContext_GetInput), bind(91, KernelContext_GetOutput), bind(93, ReleaseStatus);
      bind(99, ReleaseTensorTypeAndShapeInfo), bind(101, ReleaseCustomOpDomain);
      bind(163, KernelInfoGetAttributeArray_int64), bind(244, KernelInfo_GetNodeName);
      bind(249, KernelInfoGetConstantInput_tensor), bind(268, ShapeInferContext_GetInputTypeShape);
      bind(269, ShapeInferContext_GetAttribute), bind(270, ShapeInferContext_SetOutputTypeShape);
      bind(271, SetSymbolicDimensions), bind(272, ReadOpAttr), bind(274, KernelContext_ParallelFor);
      return entries;
    }();
    return made.data();
  }
  static const char* version() { return "drawn"; }
};

const OrtCustomOpDomain& domain() {
  static const OrtApiBase base{Runtime::table, Runtime::version};
  static const OrtFunctions functions(base);
  static const auto* operators = new Operators(functions, "", {});
  return *operators->domain();
}

/// A node in the making: most of it right, of each kind of operator.
class Draft {
 public:
  Draft(Bytes& b, const NativeOperator& op) : b_(b), op_(op) {
    node.inputs.reserve(op.inputs());
    for (size_t i = 0; i < op.outputs(); i++) {
      node.outputs.push_back({{op.outputType(i), {}}, nullptr});
      node.inferred.emplace_back();
    }
  }

  void input(std::vector<int64_t> lengths, bool isConstant) {
    const size_t index = node.inputs.size();
    if (b_.spoils() && !lengths.empty()) {
      int64_t& length = lengths[static_cast<size_t>(b_.below(static_cast<int64_t>(lengths.size())))];
      length = b_.below(2) ? b_.below(3) : length + 1;
    }
    if (b_.spoils()) lengths.push_back(1 + b_.below(2));
    if (b_.spoils() && !lengths.empty()) lengths.pop_back();
    if (productOf(lengths) < 0) lengths.assign(1, 1);
    const int type = op_.inputType(index);
    Node::Input made{{{type, lengths}, nullptr}, isConstant != b_.spoils(), !b_.spoils(), {type, lengths}};
    made.declared.names.resize(lengths.size());
    for (size_t axis = 0; axis < lengths.size(); axis++) {
      if (made.isConstant || !b_.oneIn(4)) continue;
      made.declared.lengths[axis] = -1;
      if (b_.below(2)) made.declared.names[axis] = "open";
    }
    const size_t numbers = static_cast<size_t>(productOf(lengths));
    made.value.data.reset(new char[numbers * sizeOf(type)]);
    fill(made.value, numbers);
    node.inputs.push_back(std::move(made));
  }
  /// A constant of one number, which most often is a good scale.
  void scale() {
    input({}, true);
    Node::Input& made = node.inputs.back();
    const float value = b_.spoils() ? b_.number() : 0.25f;
    if (made.value.info.lengths.empty()) std::memcpy(made.value.data.get(), &value, sizeof value);
  }
  void integers(const char* name, std::vector<int64_t> values) {
    for (int64_t& value : values) value = far(value);
    if (b_.spoils()) values.push_back(1);
    if (b_.spoils() && !values.empty()) values.pop_back();
    if (!b_.spoils()) node.attributes[name] = {std::move(values)};
  }
  void real(const char* name, float value) {
    if (!b_.spoils()) node.attributes[name] = {{}, value};
  }
  /// Attributes of a window that fits an image of that size most often.
  void window(int64_t filterHeight, int64_t filterWidth, bool isDilated) {
    const int64_t most = isDilated ? 3 : 1;  // pooling's padding is below its filter
    std::vector<int64_t> pads{b_.below(most), b_.below(most), b_.below(most), b_.below(most)};
    std::vector<int64_t> dilations{1 + b_.below(2), 1 + b_.below(2)};
    for (size_t axis = 0; isDilated && axis < 2; axis++) {
      if (!b_.oneIn(8)) continue;
      // Taps that lie far from each other, with as much padding.
      const int64_t filter = axis ? filterWidth : filterHeight, far = int64_t{1} << (6 + b_.below(17));
      dilations[axis] = far;
      pads[axis] += b_.below(filter) * far;
      pads[axis + 2] += (filter - 1) * far - pads[axis] + 2;
    }
    integers("kernel_shape", {filterHeight, filterWidth});
    integers("strides", {1 + b_.below(3), 1 + b_.below(3)});
    integers("pads", std::move(pads));
    if (isDilated) integers("dilations", std::move(dilations));
  }

  Node node;

 private:
  /// A number as it is, one that nobody means, or one of millions.
  int64_t far(int64_t value) {
    if (b_.spoils() && b_.below(2)) return value + (int64_t{1} << (16 + b_.below(9)));
    return b_.spoiled(value);
  }
  void fill(OrtValue& value, size_t numbers) {
    for (size_t i = 0; i < numbers; i++) {
      char* at = value.data.get() + i * sizeOf(value.info.type);
      if (i >= 64) {
        std::memcpy(at, at - 64 * sizeOf(value.info.type), sizeOf(value.info.type));
      } else if (value.info.type == kOrtFloat32) {
        const float number = b_.spoils() ? b_.number() : static_cast<float>(b_.byte()) / 16.f - 8.f;
        std::memcpy(at, &number, sizeof number);
      } else if (value.info.type == kOrtInt32) {
        const int32_t number = b_.spoils() ? static_cast<int32_t>(b_.byte()) << 24 : b_.byte() * 3;
        std::memcpy(at, &number, sizeof number);
      } else if (value.info.type == kOrtInt8) {
        *at = static_cast<char>(b_.spoils() ? -128 : b_.byte() % 255 - 127);
      } else {
        *at = static_cast<char>(b_.byte() % (b_.spoils() ? 256 : 2));  // codes, of two centroids too
      }
    }
  }

  Bytes& b_;
  const NativeOperator& op_;
};

void layer(Bytes& b, Draft& draft, const LayerVariant& variant) {
  const int64_t C = 1 + b.below(4), K = b.oneIn(3) ? 2 + b.below(40) : 16, M = 1 + b.below(70);
  const int64_t fh = 1 + b.below(3), fw = 1 + b.below(3), perBook = 1 + b.below(3);
  const int64_t V = variant.isConv ? perBook * fh * fw : 1 + b.below(9), batch = b.below(3);
  const int64_t height = 1 + b.below(9), width = 1 + b.below(9), D = 1 + b.below(40);
  const LayerPlaces places = placesOf(variant);
  const int64_t channels = variant.isDense ? 1 + b.below(6) : C * perBook;
  std::vector<int64_t> x{batch, variant.isDense ? D : variant.ofCodes ? C : C * V};
  if (variant.isConv) x = {batch, channels, height, width};
  else if (b.oneIn(3)) x.insert(x.begin(), 1 + b.below(3));
  if (variant.isConv) {
    draft.window(fh, fw, true);
    draft.integers("group", {variant.isDense ? 1 : C});
  }
  for (size_t place = 0; place < places.count; place++) {
    if (place == places.x) draft.input(x, false);
    else if (place == places.inputScale || place == places.resultScale) draft.scale();
    else if (place == places.inputZeroPoint || place == places.resultZeroPoint) draft.input({}, true);
    else if (place == places.centroids) draft.input({C, K, V}, true);
    else if (place == places.halfNorms) draft.input({C, K}, true);
    else if (place == places.table) draft.input({C, K, M}, true);
    else if (place == places.weights && variant.isConv) draft.input({M, channels, fh, fw}, true);
    else if (place == places.weights) draft.input({D, M}, true);
    else if (place == places.residual) {
      std::vector<int64_t> y = x;
      y[variant.isConv ? 1 : y.size() - 1] = M;  // of a window that keeps the size
      draft.input(y, false);
    } else draft.input({M}, true);
  }
}

void other(Bytes& b, Draft& draft, const NativeOperator& op) {
  const std::string& name = op.name();
  const int64_t batch = b.below(3), rows = 1 + b.below(9);
  if (name.ends_with("ToCodes")) {
    const int64_t C = 1 + b.below(4), K = b.oneIn(3) ? 2 + b.below(40) : 16, V = 1 + b.below(9);
    draft.input({batch, C * V}, false);
    if (name.starts_with("LutMatMulIntegerToCodes")) draft.scale();
    if (name.starts_with("LutMatMulInteger")) draft.input({}, true);
    draft.input({C, K, V}, true);
    if (name.starts_with("LutMatMulInteger")) draft.input({C, K}, true);
  } else if (name.starts_with("MaxPool")) {
    const int64_t filter = 1 + b.below(3);
    draft.window(filter, filter, false);
    draft.input({batch, 1 + b.below(5), filter + b.below(6), filter + b.below(6)}, false);
  } else if (name.starts_with("LayerNorm")) {
    const int64_t length = 1 + b.below(40);
    draft.real("epsilon", b.spoils() ? b.number() : 1e-5f);
    draft.input({batch, rows, length}, false);
    draft.input({length}, b.below(2));
    draft.input({length}, b.below(2));
    draft.scale();
    draft.input({}, true);
  } else {
    const int64_t heads = 1 + b.below(3), depth = heads * (1 + b.below(9)), width = heads * (1 + b.below(9));
    const int64_t positions = 1 + b.below(20);
    draft.integers("numHeads", {heads});
    draft.input({batch, rows, depth}, false);
    draft.input({batch, positions, depth}, false);
    draft.input({batch, positions, width}, false);
    if (name.starts_with("Masked")) draft.input({batch, positions}, false);
    draft.scale();
    if (name.ends_with("OfBytes")) draft.scale();
  }
}

/// True where a call was carried out; a sentence where it was not.
bool carriedOut(OrtStatus* status) {
  fuzzedCalls[status == nullptr]++;
  if (!status) return true;
  if (status->message.size() < 10) __builtin_trap();
  delete status;
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes bytes(data, size);
  const auto& all = nativeOperators();
  const size_t which = (static_cast<size_t>(bytes.byte()) << 8 | bytes.byte()) % all.size();
  const NativeOperator& op = *all[which];
  const OrtCustomOp* registered = domain().operators[which];
  Draft draft(bytes, op);
  if (which < layerVariants().size()) layer(bytes, draft, layerVariants()[which]);
  else other(bytes, draft, op);
  Node& node = draft.node;
  if (!carriedOut(registered->InferOutputShapeFn(registered, reinterpret_cast<OrtShapeInferContext*>(&node)))) return 0;
  void* kernel = nullptr;
  if (!carriedOut(registered->CreateKernelV2(registered, nullptr, reinterpret_cast<OrtKernelInfo*>(&node), &kernel)))
    return 0;
  for (int run = 0; run < 2; run++) {
    if (!carriedOut(registered->KernelComputeV2(kernel, reinterpret_cast<OrtKernelContext*>(&node)))) continue;
    for (size_t i = 0; i < node.outputs.size(); i++) {
      const std::vector<int64_t>& got = node.outputs[i].info.lengths;
      if (!node.inferred[i]) continue;
      // What was said beforehand holds.
      if (node.inferred[i]->size() != got.size()) __builtin_trap();
      for (size_t axis = 0; axis < got.size(); axis++)
        if ((*node.inferred[i])[axis] >= 0 && (*node.inferred[i])[axis] != got[axis]) __builtin_trap();
    }
  }
  registered->KernelDestroy(kernel);
  return 0;
}
