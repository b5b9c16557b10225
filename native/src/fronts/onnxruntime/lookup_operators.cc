#include "fronts/onnxruntime/lookup_operators.h"

#include <limits>

#include "fronts/onnxruntime/output_shape.h"

namespace lutnn {

/// ONNX Runtime calls back with the structure that it begins with.
struct LookupOperators::Operator : OrtCustomOp {
  LookupOperators* owner;
  const LookupVariant* variant;
};

/// What ONNX Runtime calls. No exception leaves them.
struct LookupOperators::Callbacks {
  static const Operator& of(const OrtCustomOp* op) { return *static_cast<const Operator*>(op); }
  static const char* LUTNN_ORT_CALL name(const OrtCustomOp* op) { return of(op).variant->name.c_str(); }
  static const char* LUTNN_ORT_CALL provider(const OrtCustomOp*) { return "CPUExecutionProvider"; }
  static size_t LUTNN_ORT_CALL inputs(const OrtCustomOp* op) { return placesOf(*of(op).variant).count; }
  static size_t LUTNN_ORT_CALL outputs(const OrtCustomOp* op) { return of(op).variant->outputs(); }
  static int LUTNN_ORT_CALL inputType(const OrtCustomOp* op, size_t index) {
    return inputTypeOf(*of(op).variant, index);
  }
  static int LUTNN_ORT_CALL outputType(const OrtCustomOp* op, size_t index) {
    return outputTypeOf(*of(op).variant, index);
  }
  static int LUTNN_ORT_CALL zeroOf(const OrtCustomOp*, size_t) { return 0; }  // required; memory of the processor
  static int LUTNN_ORT_CALL one(const OrtCustomOp*) { return 1; }
  static int LUTNN_ORT_CALL lastVersion(const OrtCustomOp*) { return std::numeric_limits<int>::max(); }

  static OrtStatus* LUTNN_ORT_CALL create(const OrtCustomOp* given, const void*, const OrtKernelInfo* info,
                                          void** kernel) noexcept {
    const Operator& op = of(given);
    const OrtFunctions& ort = op.owner->ort_;
    return reportFailures(ort, op.variant->name.c_str(), [&] {
      auto made = std::make_unique<LookupKernel>(ort, *op.variant, op.owner->contexts_, info);
      if (op.owner->made_) op.owner->made_({made->nodeName(), op.variant->name.c_str()});
      *kernel = made.release();
    });
  }
  static OrtStatus* LUTNN_ORT_CALL compute(void* given, OrtKernelContext* context) noexcept {
    const auto& kernel = *static_cast<const LookupKernel*>(given);
    return reportFailures(kernel.ort(), kernel.name().c_str(), [&] { kernel.compute(context); });
  }
  static void LUTNN_ORT_CALL destroy(void* kernel) { delete static_cast<LookupKernel*>(kernel); }
  static OrtStatus* LUTNN_ORT_CALL inferShape(const OrtCustomOp* given, OrtShapeInferContext* context) noexcept {
    const Operator& op = of(given);
    return reportFailures(op.owner->ort_, op.variant->name.c_str(),
                          [&] { inferOutputShape(op.owner->ort_, *op.variant, context); });
  }
  /// The residual's memory may become the result's. ONNX Runtime does not say which operator it asks for.
  template <int place>
  static size_t LUTNN_ORT_CALL mayInplace(int** input, int** output) {
    static int residual = place, result = 0;
    *input = &residual;
    *output = &result;
    return 1;
  }
  static auto mayInplaceAt(size_t residual) {
    switch (residual) {
      case 5: return mayInplace<5>;
      case 7: return mayInplace<7>;
      case 8: return mayInplace<8>;
      default: return static_cast<decltype(&mayInplace<5>)>(nullptr);
    }
  }
  static void LUTNN_ORT_CALL releaseMayInplace(int*, int*) {}
};

LookupOperators::LookupOperators(const OrtFunctions& ort, std::string isa, Made made)
    : ort_(ort),
      contexts_(std::move(isa)),
      isa_(contexts_.isa()),
      made_(std::move(made)),
      domain_(ort.ReleaseCustomOpDomain) {
  ort.check(ort.CreateCustomOpDomain(kLookupDomain, domain_.out()));
  for (const LookupVariant& variant : lookupVariants()) {
    auto op = std::make_unique<Operator>();
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
    if (variant.add && variant.results != LookupResults::kBytes) {
      op->GetMayInplace = Callbacks::mayInplaceAt(placesOf(variant).residual);
      op->ReleaseMayInplace = Callbacks::releaseMayInplace;
    }
    op->owner = this;
    op->variant = &variant;
    ort.check(ort.CustomOpDomain_Add(domain_.get(), op.get()));
    operators_.push_back(std::move(op));
  }
}

LookupOperators::~LookupOperators() = default;

}  // namespace lutnn
