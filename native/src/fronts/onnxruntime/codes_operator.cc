#include "fronts/onnxruntime/codes_operator.h"

#include "fronts/onnxruntime/shape_reader.h"

namespace lutnn {

namespace {

using Of = CodesOperator::Of;

/// Where the centroids stand; half norms come behind them, scale and zero point before.
size_t centroidsAt(Of of) { return of == Of::kFloats ? 1 : of == Of::kIntegers ? 3 : 2; }

class CodesKernel : public NodeKernel {
 public:
  CodesKernel(const OrtFunctions& ort, const std::string& operatorName, Of of, ContextPool& contexts,
              const OrtKernelInfo* info)
      : NodeKernel(ort, operatorName, info), contexts_(contexts), ofBytes_(of == Of::kBytes) {
    const NodeReader node(ort, info);
    const size_t at = centroidsAt(of);
    const Constant centroids = of == Of::kFloats ? node.finite(at, "centroids", 3) : node.constant(at, "centroids", 3);
    lutnn_codebooks books{.num_codebooks = centroids.shape[0],
                          .num_centroids = centroids.shape[1],
                          .subvector_length = centroids.shape[2]};
    lutnn_integer_codes integers;
    if (of == Of::kFloats) books.centroids = centroids.view<lutnn_floats>();
    else {
      const Constant halfNorms = node.constant(at + 1, "halfNorms", 2);
      integers = {.input_scale = ofBytes_ ? 1 : node.number<float>(1, "inputScale"),
                  .input_zero_point = node.number<uint8_t>(at - 1, "inputZeroPoint"),
                  .centroids = centroids.view<lutnn_int8s>(),
                  .half_norms = halfNorms.view<lutnn_ints>()};
      books.integers = &integers;
    }
    lutnn_encoder* made = nullptr;
    lutnn_error error;
    require(lutnn_encoder_create(contexts_.any(), &books, &made, &error), error);
    encoder_.reset(made);
    codebooks_ = books.num_codebooks;
    inputs_ = books.num_codebooks * books.subvector_length;
    if (const std::optional<OrtShape> x = node.declared(0)) requireRows(*x);
  }

  void compute(OrtKernelContext* context) const override {
    const OrtValue* x = input(context, 0);
    const OrtShape shape = shapeOf(ort_, x);
    requireRows(shape);
    OrtShape result = shape;
    result.back() = codebooks_;
    const int64_t elements = elementsOf(shape);
    const lutnn_bytes bytes{static_cast<const uint8_t*>(ofBytes_ ? dataOf(x) : nullptr), elements};
    lutnn_inputs inputs{.count = elements / inputs_};
    if (ofBytes_) inputs.quantized = &bytes;
    else inputs.x = {static_cast<const float*>(dataOf(x)), elements};
    const lutnn_bytes_out codes{static_cast<uint8_t*>(output(context, 0, result)), elementsOf(result)};
    SessionThreads threads(ort_, context);
    const lutnn_executor executor = threads.executor();
    const ContextPool::Lease lease(contexts_);
    lutnn_error error;
    require(lutnn_encoder_run(encoder_.get(), &inputs, codes, &executor, lease.get(), &error), error);
    threads.check();
  }

 private:
  void requireRows(const OrtShape& x) const {
    if (!x.empty() && mayBeSame(x.back(), inputs_)) return;
    refuse("x must end in an axis of " + std::to_string(inputs_) + ", codebooks times sub-vector length (got " +
           textOf(x) + ")");
  }
  struct FreeEncoder {
    void operator()(lutnn_encoder* encoder) const { lutnn_encoder_free(encoder); }
  };

  ContextPool& contexts_;
  const bool ofBytes_;
  int64_t codebooks_ = 0, inputs_ = 0;
  std::unique_ptr<lutnn_encoder, FreeEncoder> encoder_;
};

const char* nameOf(Of of) {
  switch (of) {
    case Of::kFloats: return "LutMatMulToCodes";
    case Of::kIntegers: return "LutMatMulIntegerToCodes";
    case Of::kBytes: break;
  }
  return "LutMatMulIntegerOfBytesToCodes";
}

}  // namespace

CodesOperator::CodesOperator(Of of) : of_(of), name_(nameOf(of)) {}

size_t CodesOperator::inputs() const { return centroidsAt(of_) + (of_ == Of::kFloats ? 1 : 2); }

int CodesOperator::inputType(size_t index) const {
  if (of_ == Of::kFloats) return kOrtFloat32;
  const size_t at = centroidsAt(of_);
  if (index == at) return kOrtInt8;
  if (index == at + 1) return kOrtInt32;
  return index == at - 1 || (index == 0 && of_ == Of::kBytes) ? kOrtUint8 : kOrtFloat32;
}

std::unique_ptr<NodeKernel> CodesOperator::make(const OrtFunctions& ort, ContextPool& contexts,
                                                const OrtKernelInfo* info) const {
  return std::make_unique<CodesKernel>(ort, name_, of_, contexts, info);
}

void CodesOperator::inferShape(const OrtFunctions& ort, const OrtShapeInferContext* context) const {
  const ShapeReader reader(ort, context);
  OpenShape codes = reader.input(0);
  const OpenShape centroids = reader.input(centroidsAt(of_));
  if (codes.lengths.empty() || centroids.lengths.size() != 3 || centroids.lengths[0] < 0) return;
  codes.set(codes.lengths.size() - 1, centroids.lengths[0]);
  reader.output(0, kOrtUint8, codes);
}

}  // namespace lutnn
