// A dense layer in integers, and its weights in the order in which the microkernels read them.
#pragma once

#include <vector>

#include "core/buffer.h"
#include "core/quads.h"
#include "isa/microkernels.h"

namespace lutnn {

/// y = scale · Σ_d (x_d − inputZeroPoint) · w_dm + bias, the sum an exact int32; x is bytes, or quantised first.
struct Dense {
  size_t inputs;  // D: of a row, or of a window (channel, row, column)
  size_t outputs;
  float inputScale;
  uint8_t inputZeroPoint;
  const int8_t* weights;  // (D, M); of a window (M, D); within ±127
  const float* scale;     // (M)
  const float* bias;      // (M)
};
/// So that no sum passes 2³¹ − 1: each product is at most 255 · 127.
constexpr size_t kMaxDenseInputs = 66311;

class PackedWeights {
 public:
  enum class Of { kRows, kColumns };

  /// `quads` say which input each byte is; more of them that hold none are added up to what microkernels take.
  PackedWeights(const MicrokernelsDense& kernels, const Dense& dense, Of of, const std::vector<Quad>& quads);

  size_t numQuads() const { return numQuads_; }
  /// Those of `count` outputs from m on, a multiple of 16.
  DenseWeights part(size_t m, size_t count) const {
    return DenseWeights{.numQuads = numQuads_, .weights = weights_.data(), .starts = starts_.data()}.part(m, count);
  }
  size_t bytes() const { return weights_.bytes() + starts_.bytes(); }

 private:
  size_t numQuads_;
  Buffer<int8_t> weights_;
  Buffer<int32_t> starts_;
};

}  // namespace lutnn
