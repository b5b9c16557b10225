// A layer of the C API: lookups, or dense in integers, on the rows of a matrix or on a window.
#pragma once

#include <memory>
#include <mutex>
#include <variant>

#include "core/dense_conv.h"
#include "core/dense_matmul.h"
#include "core/lut_conv.h"
#include "core/lut_matmul.h"
#include "core/rules.h"

namespace lutnn {

/// What a layer of lookups has beside.
struct CodeCounts {
  size_t numCodebooks, numCentroids;
};

}  // namespace lutnn

struct lutnn_layer {
  size_t inputs, outputs;  // of a row or a window, and of what becomes of it
  bool takesBytes, takesCodes;
  std::variant<lutnn::LutMatMul, lutnn::LutConv, lutnn::DenseMatMul, lutnn::DenseConv> op;
  mutable std::mutex planMutex;
  mutable std::shared_ptr<const lutnn::ConvPlan> lastPlan;  // of the last image size

  template <class Op, class... Arguments>
  lutnn_layer(const lutnn::Lookup& lookup, lutnn::Encoding encoding, std::in_place_type_t<Op> kind,
              const Arguments&... arguments)
      : inputs(lookup.numCodebooks * lookup.subvectorLength),
        outputs(lookup.outputs),
        takesBytes(encoding == lutnn::Encoding::kInteger),
        takesCodes(encoding == lutnn::Encoding::kCodes),
        op(kind, arguments...),
        counts_{lookup.numCodebooks, lookup.numCentroids} {}
  template <class Op, class... Arguments>
  lutnn_layer(const lutnn::Dense& dense, std::in_place_type_t<Op> kind, const Arguments&... arguments)
      : inputs(dense.inputs), outputs(dense.outputs), takesBytes(true), takesCodes(false), op(kind, arguments...) {}

  /// Null on the rows of a matrix.
  const lutnn::Window* window() const {
    if (const auto* conv = std::get_if<lutnn::LutConv>(&op)) return &conv->window();
    if (const auto* conv = std::get_if<lutnn::DenseConv>(&op)) return &conv->window();
    return nullptr;
  }
  bool isDense() const { return counts_.numCodebooks == 0; }
  /// Of a layer of lookups; throws a Refusal for any other.
  const lutnn::CodeCounts& counts() const {
    if (isDense())
      throw lutnn::Refusal{LUTNN_WRONG_KIND,
                           "a dense layer has no codes; ask a layer that lutnn_layer_create has made"};
    return counts_;
  }
  /// Throws a Refusal where inputs are codes, which are not encoded again.
  void requireEncoder() const {
    if (takesCodes)
      throw lutnn::Refusal{LUTNN_WRONG_KIND,
                           "a layer whose inputs are codes encodes none; ask lutnn_encoder_run, or the layer's run"};
  }
  /// Of a layer on a window.
  std::shared_ptr<const lutnn::ConvPlan> planFor(size_t height, size_t width) const {
    const std::lock_guard<std::mutex> lock(planMutex);
    if (lastPlan && lastPlan->height() == height && lastPlan->width() == width) return lastPlan;
    if (const auto* dense = std::get_if<lutnn::DenseConv>(&op))
      lastPlan = std::make_shared<const lutnn::ConvPlan>(dense->plan(height, width));
    else lastPlan = std::make_shared<const lutnn::ConvPlan>(std::get<lutnn::LutConv>(op).plan(height, width));
    return lastPlan;
  }

 private:
  lutnn::CodeCounts counts_ = {};
};
