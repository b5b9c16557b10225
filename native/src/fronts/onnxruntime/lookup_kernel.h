// A lookup node of one session: its layer, made from the node's constants and attributes, and how it runs.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/lutnn.h"
#include "fronts/onnxruntime/lookup_variants.h"
#include "fronts/onnxruntime/ort_functions.h"

namespace lutnn {

/// Contexts of one instruction set, one for each run at a time.
class ContextPool {
 public:
  struct Free {
    void operator()(lutnn_context* context) const { lutnn_context_free(context); }
  };
  using Context = std::unique_ptr<lutnn_context, Free>;

  /// `isa` names the instruction set; empty for LUTNN_FORCE_ISA's, else the fastest. Throws OrtFailure.
  explicit ContextPool(std::string isa);
  const char* isa() const { return lutnn_context_isa(free_.front().get()); }
  /// The context that a layer is made with.
  const lutnn_context* any() const { return first_; }

  /// A context while it lives.
  class Lease {
   public:
    explicit Lease(ContextPool& pool) : pool_(pool), context_(pool.take()) {}
    Lease(const Lease&) = delete;
    ~Lease() { pool_.giveBack(std::move(context_)); }
    lutnn_context* get() const { return context_.get(); }

   private:
    ContextPool& pool_;
    Context context_;
  };

 private:
  Context make() const;
  Context take();
  void giveBack(Context context) noexcept;

  std::string isa_;
  std::mutex mutex_;
  std::vector<Context> free_;
  const lutnn_context* first_;
};

class LookupKernel {
 public:
  /// Reads constants and attributes. Throws OrtFailure on what breaks a rule.
  LookupKernel(const OrtFunctions& ort, const LookupVariant& variant, ContextPool& contexts, const OrtKernelInfo* info);

  const OrtFunctions& ort() const { return ort_; }
  /// Operator and node, for messages.
  const std::string& name() const { return name_; }
  const std::string& nodeName() const { return nodeName_; }
  /// Throws OrtFailure.
  void compute(OrtKernelContext* context) const;

 private:
  struct FreeLayer {
    void operator()(lutnn_layer* layer) const { lutnn_layer_free(layer); }
  };
  const OrtValue* input(const OrtKernelContext* context, size_t index) const;
  /// The memory of an output.
  void* output(OrtKernelContext* context, size_t index, const OrtShape& shape) const;
  void* dataOf(const OrtValue* tensor) const;
  /// The shape of the result; throws OrtFailure where x does not fit.
  OrtShape outputShape(const OrtShape& x) const;

  const OrtFunctions& ort_;
  const LookupVariant& variant_;
  const LookupPlaces places_;
  ContextPool& contexts_;
  std::string nodeName_, name_;
  int64_t inputs_ = 0, outputs_ = 0, channels_ = 0;  // C·V, M, and channels of images
  float resultScale_ = 1;                            // of the results' bytes
  int64_t resultZeroPoint_ = 0;
  std::unique_ptr<lutnn_layer, FreeLayer> layer_;
};

}  // namespace lutnn
