// Products of bytes with a dense layer's weights, written once over a file's own `Product`, whose vectors are `Int` of kLanes
// 32-bit lanes:
//   kSigned                           whether inputs lose 128
//   kMakesBytes, Quantizer            whether results become bytes: Quantizer(scale, zeroPoint).store(bytes, floats), of a vector
//   kRows, kRowVectors                rows and vectors of outputs whose sums are in registers at a time; the vectors hold 16 or 64 outputs
//   kOutputs, kColumnVectors          the same of outputs, which divide 16, and vectors of positions
//   loadQuads, loadWeights(p), broadcastQuad(p), broadcastWeights(p)      quads of either factor
//   add(values, weights, sums)        sums + the sums of each quad's products
//   copyQuads(from, to)               a vector of them, anywhere
//   same(i), loadInts(p), storeInts(p, v), toFloats(v)
//   multiply, add, set, load, store, larger(floor, y)     of floats; y where it is no number
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include <cstring>

#include "isa/generic/compiler.h"
#include "isa/microkernels.h"

namespace lutnn {
namespace {

template <class Product>
struct DenseOf {
  using Int = typename Product::Int;
  using Float = typename Product::Float;
  static constexpr size_t kLanes = static_cast<size_t>(Product::kLanes);
  static constexpr int kRows = Product::kRows, kRowVectors = Product::kRowVectors;
  static constexpr int kOutputs = Product::kOutputs, kColumnVectors = Product::kColumnVectors;
  static_assert(kDenseOutputs % kOutputs == 0);

  struct NoQuantizer {
    NoQuantizer(float, uint8_t) {}
  };
  template <class P, bool kMakesBytes>
  struct QuantizerOf {
    using Type = NoQuantizer;
  };
  template <class P>
  struct QuantizerOf<P, true> {
    using Type = typename P::Quantizer;
  };
  /// An output, ready for vectors.
  struct Target : Output {
    explicit Target(const Output& out) : Output(out), quantizer(out.bytesScale, out.bytesZeroPoint) {}
    typename QuantizerOf<Product, Product::kMakesBytes>::Type quantizer;
  };

  /// One vector on its way out: neighbouring positions of output m, or outputs from m on; the first `count`.
  template <bool kPositions>
  static void finishVector(const Target& out, size_t at, size_t m, Int sums, size_t count) {
    const bool isWhole = count >= kLanes;
    if (out.sums) {
      int32_t lanes[kLanes];
      Product::storeInts(lanes, sums);
      std::memcpy(out.sums + at, lanes, (isWhole ? kLanes : count) * sizeof(int32_t));
      return;
    }
    const Float scale = kPositions ? Product::set(out.scale[m]) : Product::load(out.scale + m);
    const Float bias = kPositions ? Product::set(out.bias[m]) : Product::load(out.bias + m);
    Float y = Product::add(Product::multiply(Product::toFloats(sums), scale), bias);
    if (out.residual)
      y = Product::add(y, isWhole ? Product::load(out.residual + at) : Product::loadFirst(out.residual + at, count));
    y = Product::larger(Product::set(out.floor), y);
    if (isWhole) {
      if (out.y) Product::store(out.y + at, y);
      if constexpr (Product::kMakesBytes)
        if (out.bytes) out.quantizer.store(out.bytes + at, y);
      return;
    }
    if (out.y) {
      float lanes[kLanes];
      Product::store(lanes, y);
      std::memcpy(out.y + at, lanes, count * sizeof(float));
    }
    if constexpr (Product::kMakesBytes)
      if (out.bytes) {
        uint8_t lanes[kLanes];
        out.quantizer.store(lanes, y);
        std::memcpy(out.bytes + at, lanes, count);
      }
  }

  /// kR rows from n on, and kV vectors of outputs from m on.
  template <int kR, int kV>
  static void rowBlock(const DenseWeights& w, size_t m, const uint8_t* x, size_t rowStride, size_t n,
                       const Target& out) {
    const int8_t* weights[kV];
    Int sums[kR][kV];
    LUTNN_UNROLL(int v = 0; v < kV; v++) {
      const size_t first = m + static_cast<size_t>(v) * kLanes;
      weights[v] = w.weights + first / kDenseOutputs * w.numQuads * kDenseOutputs * 4 + first % kDenseOutputs * 4;
      LUTNN_UNROLL(int r = 0; r < kR; r++) sums[r][v] = Product::loadInts(w.starts + first);
    }
    const uint8_t* rows = x + n * rowStride;
    for (size_t q = 0; q < w.numQuads; q++) {
      Int four[kV];
      LUTNN_UNROLL(int v = 0; v < kV; v++) four[v] = Product::loadWeights(weights[v] + q * kDenseOutputs * 4);
      LUTNN_UNROLL(int r = 0; r < kR; r++) {
        const Int values = Product::broadcastQuad(rows + static_cast<size_t>(r) * rowStride + 4 * q);
        LUTNN_UNROLL(int v = 0; v < kV; v++) sums[r][v] = Product::add(values, four[v], sums[r][v]);
      }
    }
    alignas(64) int32_t done[kR][kV][kLanes];
    LUTNN_UNROLL(int r = 0; r < kR; r++) {
      LUTNN_UNROLL(int v = 0; v < kV; v++) Product::storeInts(done[r][v], sums[r][v]);
    }
    LUTNN_ROLL(size_t r = 0; r < kR; r++)
      for (size_t v = 0, first = m; v < kV && first < w.outputs; v++, first += kLanes)
        finishVector<false>(out, (n + r) * out.stride + first, first, Product::loadInts(done[r][v]), w.outputs - first);
  }

  /// The rows that are left, fewer than kR + 1.
  template <int kR, int kV>
  static void lastRows(const DenseWeights& w, size_t m, const uint8_t* x, size_t rowStride, size_t n, size_t rows,
                       const Target& out) {
    if constexpr (kR > 0) {
      if (rows - n == kR) rowBlock<kR, kV>(w, m, x, rowStride, n, out);
      else lastRows<kR - 1, kV>(w, m, x, rowStride, n, rows, out);
    }
  }

  template <int kV>
  static void rowPanel(const DenseWeights& w, size_t m, const uint8_t* x, size_t rowStride, size_t rows,
                       const Target& out) {
    size_t n = 0;
    for (; n + kRows <= rows; n += kRows) rowBlock<kRows, kV>(w, m, x, rowStride, n, out);
    lastRows<kRows - 1, kV>(w, m, x, rowStride, n, rows, out);
  }

  static void multiplyRows(const DenseWeights& w, const uint8_t* x, size_t rowStride, size_t rows, const Output& to) {
    const Target target(to);
    const Target* place = &target;
    LUTNN_FORGET(place);  // its vectors stay in memory: sums have the registers
    const Target& out = *place;
    constexpr size_t kWide = kRowVectors * kLanes;
    constexpr int kNarrow = static_cast<int>(kDenseOutputs / kLanes);
    size_t m = 0;
    for (; m + kWide < w.outputs + kDenseOutputs; m += kWide) rowPanel<kRowVectors>(w, m, x, rowStride, rows, out);
    for (; m < w.outputs; m += kDenseOutputs) rowPanel<kNarrow>(w, m, x, rowStride, rows, out);
  }

  /// kOutputs outputs from m on, and kV vectors of positions from n on.
  template <int kV>
  static void columnBlock(const DenseWeights& w, size_t m, const uint8_t* quads, size_t stride, size_t n,
                          size_t positions, const Target& out) {
    Int sums[kOutputs][kV];
    LUTNN_UNROLL(int o = 0; o < kOutputs; o++) {
      LUTNN_UNROLL(int v = 0; v < kV; v++) sums[o][v] = Product::same(w.starts[m + static_cast<size_t>(o)]);
    }
    const int8_t* weights = w.weights + m / kDenseOutputs * w.numQuads * kDenseOutputs * 4 + m % kDenseOutputs * 4;
    const uint8_t* x = quads + 4 * n;
    for (size_t q = 0; q < w.numQuads; q++, x += 4 * stride, weights += kDenseOutputs * 4) {
      Int values[kV];
      LUTNN_UNROLL(int v = 0; v < kV; v++) values[v] = Product::loadQuads(x + static_cast<size_t>(v) * kLanes * 4);
      LUTNN_UNROLL(int o = 0; o < kOutputs; o++) {
        const Int four = Product::broadcastWeights(weights + 4 * o);
        LUTNN_UNROLL(int v = 0; v < kV; v++) sums[o][v] = Product::add(values[v], four, sums[o][v]);
      }
    }
    alignas(64) int32_t done[kOutputs][kV][kLanes];
    LUTNN_UNROLL(int o = 0; o < kOutputs; o++) {
      LUTNN_UNROLL(int v = 0; v < kV; v++) Product::storeInts(done[o][v], sums[o][v]);
    }
    const size_t outputs = w.outputs - m < kOutputs ? w.outputs - m : kOutputs;
    for (size_t o = 0; o < outputs; o++)
      for (size_t v = 0, first = n; v < kV && first < positions; v++, first += kLanes)
        finishVector<true>(out, (m + o) * out.stride + first, m + o, Product::loadInts(done[o][v]), positions - first);
  }

  template <int kV>
  static void columnStrip(const DenseWeights& w, const uint8_t* quads, size_t stride, size_t n, size_t positions,
                          const Target& out) {
    for (size_t m = 0; m < w.outputs; m += kOutputs) columnBlock<kV>(w, m, quads, stride, n, positions, out);
  }

  static void multiplyColumns(const DenseWeights& w, const uint8_t* quads, size_t stride, size_t positions,
                              const Output& to) {
    const Target target(to);
    const Target* place = &target;
    LUTNN_FORGET(place);  // its vectors stay in memory: sums have the registers
    const Target& out = *place;
    constexpr size_t kWide = kColumnVectors * kLanes;
    constexpr int kNarrow = static_cast<int>(kDensePositions / kLanes);
    size_t n = 0;
    for (; n + kWide < positions + kDensePositions; n += kWide)
      columnStrip<kColumnVectors>(w, quads, stride, n, positions, out);
    for (; n < positions; n += kDensePositions) columnStrip<kNarrow>(w, quads, stride, n, positions, out);
  }

  static void gatherColumns(const ColumnBlock& block) {
    uint8_t* row = block.columns;
    for (size_t q = 0; q < block.numQuads; q++, row += block.stride * 4) {
      const uint8_t* tap = block.quads + block.taps[q] * 4;
      uint8_t* to = row;
      for (size_t r = 0; r < block.numRuns; r++) {
        const size_t bytes = block.runs[r].count * 4;
        const uint8_t* from = tap + block.runs[r].from * 4;
        for (size_t i = 0; i < bytes; i += kCopiedQuads * 4)
          LUTNN_UNROLL(size_t lane = 0; lane < kCopiedQuads; lane += kLanes)
            Product::copyQuads(from + i + lane * 4, to + i + lane * 4);
        to += bytes;
      }
    }
  }

  static constexpr MicrokernelsDense microkernels() {
    return {.isSigned = Product::kSigned,
            .makesBytes = Product::kMakesBytes,
            .rowQuads = 1,
            .columnQuads = 1,
            .multiplyRows = multiplyRows,
            .gatherColumns = gatherColumns,
            .multiplyColumns = multiplyColumns};
  }
};

}  // namespace
}  // namespace lutnn
