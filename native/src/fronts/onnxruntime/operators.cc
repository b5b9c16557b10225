#include "fronts/onnxruntime/operators.h"

#include <limits>

#include "fronts/onnxruntime/attention_operator.h"
#include "fronts/onnxruntime/codes_operator.h"
#include "fronts/onnxruntime/layer_norm_operator.h"
#include "fronts/onnxruntime/layer_operator.h"
#include "fronts/onnxruntime/max_pool_operator.h"

namespace lutnn {

const std::vector<std::unique_ptr<const NativeOperator>>& nativeOperators() {
  static const auto* all = [] {
    auto* made = new std::vector<std::unique_ptr<const NativeOperator>>;
    for (const LayerVariant& variant : layerVariants()) made->push_back(std::make_unique<LayerOperator>(variant));
    using Of = CodesOperator::Of;
    for (const Of of : {Of::kFloats, Of::kIntegers, Of::kBytes}) made->push_back(std::make_unique<CodesOperator>(of));
    made->push_back(std::make_unique<MaxPoolOperator>());
    for (const bool isMasked : {false, true})
      for (const bool ofBytes : {false, true}) made->push_back(std::make_unique<AttentionOperator>(isMasked, ofBytes));
    for (const bool withFloats : {false, true}) made->push_back(std::make_unique<LayerNormOperator>(withFloats));
    return made;
  }();
  return *all;
}

/// ONNX Runtime calls back with the structure that it begins with.
struct Operators::Registered : OrtCustomOp {
  Operators* owner;
  const NativeOperator* op;
};

/// What ONNX Runtime calls. No exception leaves them.
struct Operators::Callbacks {
  static const Registered& registered(const OrtCustomOp* op) { return *static_cast<const Registered*>(op); }
  static const NativeOperator& of(const OrtCustomOp* op) { return *registered(op).op; }
  static const char* LUTNN_ORT_CALL name(const OrtCustomOp* op) { return of(op).name().c_str(); }
  static const char* LUTNN_ORT_CALL provider(const OrtCustomOp*) { return "CPUExecutionProvider"; }
  static size_t LUTNN_ORT_CALL inputs(const OrtCustomOp* op) { return of(op).inputs(); }
  static size_t LUTNN_ORT_CALL outputs(const OrtCustomOp* op) { return of(op).outputs(); }
  static int LUTNN_ORT_CALL inputType(const OrtCustomOp* op, size_t index) { return of(op).inputType(index); }
  static int LUTNN_ORT_CALL outputType(const OrtCustomOp* op, size_t index) { return of(op).outputType(index); }
  static int LUTNN_ORT_CALL zeroOf(const OrtCustomOp*, size_t) { return 0; }  // required; memory of the processor
  static int LUTNN_ORT_CALL one(const OrtCustomOp*) { return 1; }
  static int LUTNN_ORT_CALL lastVersion(const OrtCustomOp*) { return std::numeric_limits<int>::max(); }

  static OrtStatus* LUTNN_ORT_CALL create(const OrtCustomOp* given, const void*, const OrtKernelInfo* info,
                                          void** kernel) noexcept {
    Operators& owner = *registered(given).owner;
    const NativeOperator& op = of(given);
    std::string title;  // made below, where it may fail
    return reportFailures(owner.ort_, title, [&] {
      title = NodeKernel::titleOf(op.name(), NodeReader(owner.ort_, info).name());
      std::unique_ptr<NodeKernel> made = op.make(owner.ort_, owner.contexts_, info);
      if (owner.made_) owner.made_({made->nodeName(), op.name().c_str()});
      *kernel = made.release();
    });
  }
  static OrtStatus* LUTNN_ORT_CALL compute(void* given, OrtKernelContext* context) noexcept {
    const auto& kernel = *static_cast<const NodeKernel*>(given);
    return reportFailures(kernel.ort(), kernel.name(), [&] { kernel.compute(context); });
  }
  static void LUTNN_ORT_CALL destroy(void* kernel) { delete static_cast<NodeKernel*>(kernel); }
  static OrtStatus* LUTNN_ORT_CALL inferShape(const OrtCustomOp* given, OrtShapeInferContext* context) noexcept {
    const OrtFunctions& ort = registered(given).owner->ort_;
    return reportFailures(ort, of(given).name(), [&] { of(given).inferShape(ort, context); });
  }
  /// ONNX Runtime does not say which operator it asks for.
  template <int place>
  static size_t LUTNN_ORT_CALL mayInplace(int** input, int** output) {
    static int from = place, result = 0;
    *input = &from;
    *output = &result;
    return 1;
  }
  static auto mayInplaceAt(size_t place) {
    switch (place) {
      case 4: return mayInplace<4>;
      case 5: return mayInplace<5>;
      case 6: return mayInplace<6>;
      case 7: return mayInplace<7>;
      case 8: return mayInplace<8>;
      default: return static_cast<decltype(&mayInplace<5>)>(nullptr);
    }
  }
  static void LUTNN_ORT_CALL releaseMayInplace(int*, int*) {}
};

Operators::Operators(const OrtFunctions& ort, std::string isa, Made made)
    : ort_(ort),
      contexts_(std::move(isa)),
      isa_(contexts_.isa()),
      made_(std::move(made)),
      domain_(ort.ReleaseCustomOpDomain) {
  ort.check(ort.CreateCustomOpDomain(kOperatorDomain, domain_.out()));
  for (const std::unique_ptr<const NativeOperator>& native : nativeOperators()) {
    auto op = std::make_unique<Registered>();
    static_cast<OrtCustomOp&>(*op) = {.version = kOrtVersion,
                                      .GetName = Callbacks::name,
                                      .GetExecutionProviderType = Callbacks::provider,
                                      .GetInputType = Callbacks::inputType,
                                      .GetInputTypeCount = Callbacks::inputs,
                                      .GetOutputType = Callbacks::outputType,
                                      .GetOutputTypeCount = Callbacks::outputs,
                                      .KernelDestroy = Callbacks::destroy,
                                      .GetInputCharacteristic = Callbacks::zeroOf,
                                      .GetOutputCharacteristic = Callbacks::zeroOf,
                                      .GetInputMemoryType = Callbacks::zeroOf,
                                      .GetVariadicInputMinArity = Callbacks::one,
                                      .GetVariadicInputHomogeneity = Callbacks::one,
                                      .GetVariadicOutputMinArity = Callbacks::one,
                                      .GetVariadicOutputHomogeneity = Callbacks::one,
                                      .CreateKernelV2 = Callbacks::create,
                                      .KernelComputeV2 = Callbacks::compute,
                                      .InferOutputShapeFn = Callbacks::inferShape,
                                      .GetStartVersion = Callbacks::one,
                                      .GetEndVersion = Callbacks::lastVersion};
    if (const auto mayInplace = Callbacks::mayInplaceAt(native->inPlace())) {
      op->GetMayInplace = mayInplace;
      op->ReleaseMayInplace = Callbacks::releaseMayInplace;
    }
    op->owner = this;
    op->op = native.get();
    ort.check(ort.CustomOpDomain_Add(domain_.get(), op.get()));
    operators_.push_back(std::move(op));
  }
}

Operators::~Operators() = default;

}  // namespace lutnn
