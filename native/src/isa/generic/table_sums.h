// The loops of table_sums.h for one instruction set. Its `Simd` has vectors Float of kLanes lanes, load, store and add;
// the last outputs, fewer than kLanes, go one by one. Included by one file per instruction set; everything here is local
// to it.
#pragma once

#include <type_traits>

#include "isa/generic/compiler.h"
#include "isa/microkernels.h"

namespace lutnn {
namespace {

/// One float as a vector.
struct OneLane {
  using Float = float;
  static constexpr int kLanes = 1;
  static Float load(const float* x) { return *x; }
  static void store(float* x, Float value) { *x = value; }
  static Float add(Float a, Float b) { return a + b; }
};

template <class Simd>
class TableSumsOf {
 public:
  static void lookupAdd(const TableSums& shape, const float* table, size_t firstRow, size_t endRow, float* sums) {
    eachPanel(shape.outputs, [&](auto simd, auto vectors, size_t m) {
      using Panel = decltype(simd);
      constexpr int kVectors = decltype(vectors)::value;
      eachBlock(0, shape.numCodebooks, shape.numCentroids * kVectors * Panel::kLanes, [&](size_t first, size_t end) {
        for (size_t n = firstRow; n < endRow; n++) {
          float* to = sums + n * shape.outputs + m;
          const uint8_t* codes = shape.codes + n * shape.numCodebooks;
          typename Panel::Float sum[kVectors];
          LUTNN_UNROLL(int i = 0; i < kVectors; i++) sum[i] = Panel::load(to + i * Panel::kLanes);
          for (size_t c = first; c < end; c++) {
            const float* entries = table + (c * shape.numCentroids + codes[c]) * shape.outputs + m;
            LUTNN_UNROLL(int i = 0; i < kVectors; i++)
              sum[i] = Panel::add(sum[i], Panel::load(entries + i * Panel::kLanes));
          }
          LUTNN_UNROLL(int i = 0; i < kVectors; i++) Panel::store(to + i * Panel::kLanes, sum[i]);
        }
      });
    });
  }

  static void scatterAdd(const TableSums& shape, const float* values, size_t firstBook, size_t endBook, float* table) {
    eachPanel(shape.outputs, [&](auto simd, auto vectors, size_t m) {
      using Panel = decltype(simd);
      constexpr int kVectors = decltype(vectors)::value;
      eachBlock(firstBook, endBook, shape.numCentroids * kVectors * Panel::kLanes, [&](size_t first, size_t end) {
        for (size_t n = 0; n < shape.rows; n++) {
          const float* from = values + n * shape.outputs + m;
          const uint8_t* codes = shape.codes + n * shape.numCodebooks;
          typename Panel::Float value[kVectors];
          LUTNN_UNROLL(int i = 0; i < kVectors; i++) value[i] = Panel::load(from + i * Panel::kLanes);
          for (size_t c = first; c < end; c++) {
            float* entries = table + (c * shape.numCentroids + codes[c]) * shape.outputs + m;
            LUTNN_UNROLL(int i = 0; i < kVectors; i++) {
              float* to = entries + i * Panel::kLanes;
              Panel::store(to, Panel::add(Panel::load(to), value[i]));
            }
          }
        }
      });
    });
  }

 private:
  template <int kCount>
  using Vectors = std::integral_constant<int, kCount>;

  /// Floats of a block's entries: they stay in the first cache while the rows pass by.
  static constexpr size_t kBlockFloats = 8192;

  /// Cuts the outputs into panels of 8, 4, 2 and 1 vectors, then single floats: visit(Simd, vectors, first output).
  template <class Visit>
  static void eachPanel(size_t outputs, Visit visit) {
    size_t m = 0;
    const auto cut = [&](auto vectors) {
      constexpr size_t kWidth = static_cast<size_t>(decltype(vectors)::value) * Simd::kLanes;
      for (; m + kWidth <= outputs; m += kWidth) visit(Simd{}, vectors, m);
    };
    cut(Vectors<8>{});
    cut(Vectors<4>{});
    cut(Vectors<2>{});
    cut(Vectors<1>{});
    for (; m < outputs; m++) visit(OneLane{}, Vectors<1>{}, m);
  }

  /// Blocks of codebooks with `floats` entries each, in rising order.
  template <class Visit>
  static void eachBlock(size_t first, size_t end, size_t floats, Visit visit) {
    const size_t books = floats < kBlockFloats ? kBlockFloats / floats : 1;
    for (; first < end; first += books) visit(first, end - first < books ? end : first + books);
  }
};

}  // namespace
}  // namespace lutnn
