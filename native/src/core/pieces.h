// Results of layers that go on to be something else: they are computed as floats, a piece at a time, and become what is wanted
// while they are cached.
#pragma once

#include <cstring>

#include "core/packing.h"

namespace lutnn {

/// A piece of an output: `rows` of them, stride apart, each of `count` neighbouring elements.
struct Piece {
  size_t rows, count;
};
/// Elements of the largest piece.
constexpr size_t kPieceElements = 64 * 256;

/// Lets compute(out) make a piece of real outputs, then what the epilogue says beyond residual and ReLU. `out` begins where
/// the piece does, and has no y where only bytes are wanted.
template <class Compute>
void computePiece(const Microkernels& kernels, const Output& out, const Epilogue& epilogue, const Piece& piece,
                  Workspace::Scratch& scratch, const Compute& compute) {
  Output floats = out;
  floats.bytes = nullptr;
  if (!out.y) {
    floats.stride = piece.count;
    floats.y = scratch.results.reserve(kPieceElements);
    for (size_t r = 0; out.residual && r < piece.rows; r++)
      std::memcpy(floats.y + r * floats.stride, out.residual + r * out.stride, piece.count * sizeof(float));
    if (out.residual) floats.residual = floats.y;
  }
  compute(floats);
  for (size_t r = 0; r < piece.rows; r++) {
    float* y = floats.y + r * floats.stride;
    if (epilogue.gelu) kernels.gelu(y, piece.count);
    if (out.bytes)
      kernels.int8->quantizeBy(y, piece.count, out.bytesScale, out.bytesZeroPoint, out.bytes + r * out.stride);
  }
}

}  // namespace lutnn
