// Matrix products and transposition, written once over a file's own `Simd` (training_simd.h lists its operations).
#pragma once

#include <algorithm>
#include <utility>

#include "isa/generic/compiler.h"
#include "isa/training_microkernels.h"

namespace lutnn {
namespace {

/// Functions of 1 … kRows rows and 1 … kColumns columns, as a table: Tile<rows, columns>::run.
template <template <int, int> class Tile, int kRows, int kColumns>
class Tiles {
  using Function = decltype(&Tile<1, 1>::run);
  template <int... kIndex>
  static Function find(size_t index, std::integer_sequence<int, kIndex...>) {
    static constexpr Function kFunctions[] = {Tile<kIndex / kColumns + 1, kIndex % kColumns + 1>::run...};
    return kFunctions[index];
  }

 public:
  static Function of(size_t rows, size_t columns) {
    return find((rows - 1) * kColumns + columns - 1, std::make_integer_sequence<int, kRows * kColumns>{});
  }
};

/// What a sum of a product starts with.
enum class Start { kZero, kSum, kScaledSum };

template <class Simd>
struct ProductOf {
  using Float = typename Simd::Float;
  /// So many rows of a panel of B stay in the first-level cache while the rows of A pass by.
  static constexpr size_t kDepth = 128;

  /// kRows rows of C and kVectors vectors of columns, with all their sums in registers.
  template <int kRows, int kVectors>
  struct Tile {
    static void run(const Product& p, Start start, size_t depth, const float* a, const float* b, float* c,
                    const float* scale) {
      Float sum[kRows][kVectors];
      LUTNN_UNROLL(int j = 0; j < kVectors; j++) {
        const size_t at = j * Simd::kLanes;
        const Float factor = start == Start::kScaledSum ? Simd::load(scale + at) : Simd::set(1);
        LUTNN_UNROLL(int i = 0; i < kRows; i++)
          sum[i][j] = start == Start::kZero ? Simd::set(0) : Simd::mul(Simd::load(c + i * p.cRow + at), factor);
      }
      // Every third row has a pointer of its own; the two behind it are reached through the stride.
      constexpr int kPointers = (kRows + 2) / 3;
      const float* left[kPointers];
      LUTNN_UNROLL(int i = 0; i < kPointers; i++) left[i] = a + 3 * i * p.aRow;
      const size_t aRow = p.aRow, aColumn = p.aColumn, bRow = p.bRow;
      for (size_t k = 0; k < depth; k++, b += bRow) {
        Float right[kVectors];
        LUTNN_UNROLL(int j = 0; j < kVectors; j++) right[j] = Simd::load(b + j * Simd::kLanes);
        LUTNN_UNROLL(int i = 0; i < kRows; i++) {
          const Float value = Simd::broadcast(left[i / 3] + i % 3 * aRow);
          LUTNN_UNROLL(int j = 0; j < kVectors; j++) sum[i][j] = Simd::fma(value, right[j], sum[i][j]);
        }
        LUTNN_UNROLL(int i = 0; i < kPointers; i++) left[i] += aColumn;
      }
      LUTNN_UNROLL(int i = 0; i < kRows; i++) {
        LUTNN_UNROLL(int j = 0; j < kVectors; j++) Simd::store(c + i * p.cRow + j * Simd::kLanes, sum[i][j]);
      }
    }
  };

  static void multiply(const Product& p) {
    constexpr size_t kRows = Simd::kProductRows, kVectors = Simd::kProductVectors, kPanel = kVectors * Simd::kLanes;
    for (size_t k = 0; k < p.depth; k += kDepth) {
      const size_t depth = std::min(kDepth, p.depth - k);
      const Start first = !p.accumulate ? Start::kZero : p.scale ? Start::kScaledSum : Start::kSum;
      const Start start = k > 0 ? Start::kSum : first;
      for (size_t j = 0; j < p.columns; j += kPanel) {
        const float* b = p.b + j / kPanel * p.bPanel + k * p.bRow;
        const size_t vectors = (std::min(kPanel, p.columns - j) + Simd::kLanes - 1) / Simd::kLanes;
        for (size_t i = 0; i < p.rows; i += kRows) {
          const auto tile = Tiles<Tile, kRows, kVectors>::of(std::min(kRows, p.rows - i), vectors);
          tile(p, start, depth, p.a + i * p.aRow + k * p.aColumn, b, p.c + i * p.cRow + j,
               p.scale ? p.scale + j : nullptr);
        }
      }
    }
  }
};

template <class Simd>
struct RowProductsOf {
  using Float = typename Simd::Float;

  template <int kA, int kB>
  struct Tile {
    static void run(const RowProducts& p, const float* a, const float* b, float* sums) {
      Float sum[kA][kB];
      LUTNN_UNROLL(int i = 0; i < kA; i++) {
        LUTNN_UNROLL(int j = 0; j < kB; j++) sum[i][j] = Simd::load(sums + (i * p.sumsRow + j) * Simd::kLanes);
      }
      for (size_t n = 0; n < p.positions; n += Simd::kLanes) {
        Float left[kA];
        LUTNN_UNROLL(int i = 0; i < kA; i++) left[i] = Simd::load(a + i * p.stride + n);
        LUTNN_UNROLL(int j = 0; j < kB; j++) {
          const Float right = Simd::load(b + j * p.stride + n);
          LUTNN_UNROLL(int i = 0; i < kA; i++) sum[i][j] = Simd::fma(left[i], right, sum[i][j]);
        }
      }
      LUTNN_UNROLL(int i = 0; i < kA; i++) {
        LUTNN_UNROLL(int j = 0; j < kB; j++) Simd::store(sums + (i * p.sumsRow + j) * Simd::kLanes, sum[i][j]);
      }
    }
  };

  static void multiply(const RowProducts& p) {
    constexpr size_t kA = Simd::kRowProductsA, kB = Simd::kRowProductsB;
    for (size_t i = 0; i < p.aRows; i += kA)
      for (size_t j = 0; j < p.bRows; j += kB) {
        const auto tile = Tiles<Tile, kA, kB>::of(std::min(kA, p.aRows - i), std::min(kB, p.bRows - j));
        tile(p, p.a + i * p.stride, p.b + j * p.stride, p.sums + (i * p.sumsRow + j) * Simd::kLanes);
      }
  }
};

template <class Simd>
float dot(const float* a, const float* b, size_t count) {
  auto sum = Simd::set(0);
  size_t i = 0;
  for (; i + Simd::kLanes <= count; i += Simd::kLanes) sum = Simd::fma(Simd::load(a + i), Simd::load(b + i), sum);
  if (i < count) sum = Simd::fma(Simd::loadFirst(a + i, count - i), Simd::loadFirst(b + i, count - i), sum);
  return static_cast<float>(Simd::sum(sum));
}

template <class Simd>
void sumLanes(const float* lanes, size_t count, float* sums) {
  for (size_t i = 0; i < count; i++) sums[i] = static_cast<float>(Simd::sum(Simd::load(lanes + i * Simd::kLanes)));
}

template <class Simd>
void copy(const Pieces& pieces) {
  constexpr size_t kLanes = Simd::kLanes;
  for (size_t r = 0; r < pieces.rows; r++) {
    const float* from = pieces.from + r * pieces.fromStride;
    float* to = pieces.to + r * pieces.toStride;
    for (size_t i = 0; i < pieces.width; i += kLanes) {
      const size_t rest = pieces.width - i;
      if (rest >= kLanes) Simd::store(to + i, Simd::load(from + i));
      else Simd::storeFirst(to + i, rest, Simd::loadFirst(from + i, rest));
    }
  }
}

/// A vector of row[first], row[first + 1], …, of which those beyond 0 … width − 1 are 0.
template <class Simd>
typename Simd::Float loadWithin(const float* row, ptrdiff_t first, ptrdiff_t width) {
  constexpr ptrdiff_t kLanes = Simd::kLanes;
  if (first >= 0 && first + kLanes <= width) return Simd::load(row + first);
  if (first <= -kLanes || first >= width) return Simd::set(0);
  return Simd::loadBetween(row, first, std::max<ptrdiff_t>(-first, 0), std::min(kLanes, width - first));
}

template <class Simd>
void copyShifted(const ShiftedRows& rows) {
  const ptrdiff_t toWidth = static_cast<ptrdiff_t>(rows.toWidth);
  for (const ShiftedRow* row = rows.rows; row < rows.rows + rows.count; row++) {
    const ptrdiff_t width = static_cast<ptrdiff_t>(row->fromWidth);
    const float* from = rows.from + row->from;
    float* to = rows.to + row->to;
    for (ptrdiff_t i = 0; i < toWidth; i += Simd::kLanes)
      Simd::store(to + i, loadWithin<Simd>(from, i + row->shift, width));
  }
}

template <class Simd>
void addShifted(const ShiftedRows& rows) {
  const ptrdiff_t toWidth = static_cast<ptrdiff_t>(rows.toWidth);
  const ShiftedRow* const last = rows.rows + rows.count;
  for (const ShiftedRow *first = rows.rows, *end; first < last; first = end) {
    float* to = rows.to + first->to;
    for (end = first; end < last && end->to == first->to;) end++;
    for (ptrdiff_t i = 0; i < toWidth; i += Simd::kLanes) {
      const size_t present = static_cast<size_t>(std::min<ptrdiff_t>(Simd::kLanes, toWidth - i));
      auto total = Simd::loadFirst(to + i, present);
      for (const ShiftedRow* row = first; row < end; row++)
        total = Simd::add(
            total, loadWithin<Simd>(rows.from + row->from, i + row->shift, static_cast<ptrdiff_t>(row->fromWidth)));
      Simd::storeFirst(to + i, present, total);
    }
  }
}

template <class Simd>
void transpose(const float* from, size_t fromStride, size_t rows, size_t columns, float* to, size_t toStride) {
  constexpr size_t kLanes = Simd::kLanes;
  typename Simd::Float block[kLanes];
  for (size_t i = 0; i < rows; i += kLanes)
    for (size_t j = 0; j < columns; j += kLanes) {
      const size_t high = std::min(kLanes, rows - i), wide = std::min(kLanes, columns - j);
      const float* source = from + i * fromStride + j;
      float* target = to + j * toStride + i;
      if (high == kLanes && wide == kLanes) {
        LUTNN_UNROLL(size_t r = 0; r < kLanes; r++) block[r] = Simd::load(source + r * fromStride);
        Simd::transpose(block);
        LUTNN_UNROLL(size_t r = 0; r < kLanes; r++) Simd::store(target + r * toStride, block[r]);
      } else {
        for (size_t r = 0; r < kLanes; r++)
          block[r] = r < high ? Simd::loadFirst(source + r * fromStride, wide) : Simd::set(0);
        Simd::transpose(block);
        for (size_t r = 0; r < wide; r++) Simd::storeFirst(target + r * toStride, high, block[r]);
      }
    }
}

}  // namespace
}  // namespace lutnn
