// The table's quantisation and the sums of its rows, written once over a file's own `Simd`.
#pragma once

#include <algorithm>
#include <cmath>

#include "isa/generic/compiler.h"
#include "isa/training_microkernels.h"

namespace lutnn {
namespace {

template <class Simd>
float largest(const float* values, size_t count, float* largest) {
  auto residue = Simd::set(0);
  size_t m = 0;
  for (; m + Simd::kLanes <= count; m += Simd::kLanes) {
    const auto value = Simd::load(values + m);
    Simd::store(largest + m, Simd::max(Simd::load(largest + m), Simd::abs(value)));
    residue = Simd::fma(value, Simd::set(0), residue);
  }
  float sum = static_cast<float>(Simd::sum(residue));
  for (; m < count; m++) {
    largest[m] = std::fmax(largest[m], std::fabs(values[m]));
    sum += values[m] * 0;
  }
  return sum;
}

template <class Simd>
void quantize8(const float* values, const float* scale, size_t count, int limit, int8_t* to) {
  const float most = static_cast<float>(limit);
  size_t m = 0;
  for (; m + Simd::kLanes <= count; m += Simd::kLanes) {
    auto steps = Simd::round(Simd::div(Simd::load(values + m), Simd::load(scale + m)));
    steps = Simd::min(Simd::max(steps, Simd::set(-most)), Simd::set(most));
    Simd::storeBytes(to + m, Simd::toInts(steps));
  }
  for (; m < count; m++)
    to[m] = static_cast<int8_t>(std::fmin(std::fmax(std::nearbyintf(values[m] / scale[m]), -most), most));
}

/// 16 bits hold the sum of so many int8: 258 · 127 < 2¹⁵.
constexpr size_t kMostShortSums = 258;

/// kVectors vectors of outputs of one row, each of kLanes sums.
template <class Simd, int kVectors>
struct Sums8 {
  using Entry = int8_t;
  typename Simd::Int sums[kVectors];
  typename Simd::Shorts shorts[kVectors / 2];

  void clear() {
    LUTNN_UNROLL(auto& sum : sums) sum = Simd::noInts();
    LUTNN_UNROLL(auto& part : shorts) part = Simd::noShorts();
  }
  void add(const int8_t* row) {
    LUTNN_UNROLL(int i = 0; i < kVectors / 2; i++)
      shorts[i] = Simd::addShorts(shorts[i], Simd::loadBytes(row + i * 2 * Simd::kLanes));
  }
  /// After at most kMostShortSums rows.
  void settle() {
    LUTNN_UNROLL(int i = 0; i < kVectors / 2; i++) {
      Simd::addTo(sums[2 * i], sums[2 * i + 1], shorts[i]);
      shorts[i] = Simd::noShorts();
    }
  }
  typename Simd::Float real(int i) const { return Simd::toFloat(sums[i]); }
};

template <class Simd, int kVectors>
struct Sums16 {
  using Entry = int16_t;
  typename Simd::Int sums[kVectors];

  void clear() {
    LUTNN_UNROLL(auto& sum : sums) sum = Simd::noInts();
  }
  void add(const int16_t* row) {
    LUTNN_UNROLL(int i = 0; i < kVectors / 2; i++)
      Simd::addTo(sums[2 * i], sums[2 * i + 1], Simd::loadShorts(row + i * 2 * Simd::kLanes));
  }
  void settle() {}
  typename Simd::Float real(int i) const { return Simd::toFloat(sums[i]); }
};

template <class Simd, int kVectors>
struct SumsFloat {
  using Entry = float;
  typename Simd::Float sums[kVectors];

  void clear() {
    LUTNN_UNROLL(auto& sum : sums) sum = Simd::set(0);
  }
  void add(const float* row) {
    LUTNN_UNROLL(int i = 0; i < kVectors; i++) sums[i] = Simd::add(sums[i], Simd::load(row + i * Simd::kLanes));
  }
  void settle() {}
  typename Simd::Float real(int i) const { return sums[i]; }
};

/// Outputs m … at kPositions positions from n on, as many outputs as Sums holds; `count` of them exist.
template <class Simd, int kVectors, int kPositions, class Sums>
void lookupOutputs(const TableLookup<typename Sums::Entry>& lookup, size_t m, size_t count, size_t n) {
  const size_t books = lookup.numCodebooks, bookEntries = lookup.numCentroids * kTableOutputs;
  const auto* entries = lookup.table + m / kTableOutputs * books * bookEntries + m % kTableOutputs;
  const uint8_t* codes = lookup.codes + n;
  Sums sums[kPositions];
  for (auto& position : sums) position.clear();
  for (size_t c = 0; c < books;) {
    const size_t end = std::min(books, c + kMostShortSums);
    for (; c < end; c++, entries += bookEntries, codes += lookup.codeStride) {
      LUTNN_UNROLL(int i = 0; i < kPositions; i++) sums[i].add(entries + codes[i] * kTableOutputs);
    }
    LUTNN_UNROLL(int i = 0; i < kPositions; i++) sums[i].settle();
  }
  LUTNN_UNROLL(int i = 0; i < kPositions; i++) {
    float* y = lookup.y + (n + i) * lookup.outputs + m;
    LUTNN_UNROLL(int j = 0; j < kVectors; j++) {
      const size_t first = static_cast<size_t>(j) * Simd::kLanes;
      const auto real = Simd::mul(sums[i].real(j), Simd::load(lookup.scale + m + first));
      if (first + Simd::kLanes <= count) Simd::store(y + first, real);
      else if (first < count) Simd::storeFirst(y + first, count - first, real);
    }
  }
}

template <class Simd, int kVectors, class Sums>
void lookupPositions(const TableLookup<typename Sums::Entry>& lookup, size_t m, size_t count) {
  size_t n = 0;
  for (; n + 4 <= lookup.positions; n += 4) lookupOutputs<Simd, kVectors, 4, Sums>(lookup, m, count, n);
  for (; n < lookup.positions; n++) lookupOutputs<Simd, kVectors, 1, Sums>(lookup, m, count, n);
}

/// As many outputs at a time as registers hold, but no more than there are.
template <class Simd, template <class, int> class Sums>
void lookupRows(const TableLookup<typename Sums<Simd, 2>::Entry>& lookup) {
  constexpr int kVectors = Simd::kLookupVectors;
  constexpr size_t kWide = kVectors * Simd::kLanes, kNarrow = 2 * Simd::kLanes;
  for (size_t m = 0; m < lookup.outputs;) {
    const size_t count = lookup.outputs - m;
    if (count > kNarrow) lookupPositions<Simd, kVectors, Sums<Simd, kVectors>>(lookup, m, count), m += kWide;
    else lookupPositions<Simd, 2, Sums<Simd, 2>>(lookup, m, count), m += kNarrow;
  }
}

}  // namespace
}  // namespace lutnn
