// A row's numbers less their mean, divided by their deviation, written once over a file's own `Simd`, whose vectors have what gelu.h
// asks for. Sums are of kNormLanes lanes, lane i of the numbers i, i + kNormLanes and so on, and lanes are added by halves: the
// operations are the same and in the same order everywhere, so every instruction set gives the same bits.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include <cmath>

#include "isa/generic/compiler.h"
#include "isa/microkernels.h"

namespace lutnn {
namespace {

template <class Simd>
struct LayerNormOf {
  using Float = typename Simd::Float;
  static constexpr size_t kLanes = static_cast<size_t>(Simd::kLanes), kNormLanes = 32, kVectors = kNormLanes / kLanes;
  static_assert(kNormLanes % kLanes == 0);

  /// Σ term(x), where behind the last number of the row `filler` stands, whose term must be 0.
  template <class Term>
  static float sum(const float* x, size_t count, float filler, const Term& term) {
    Float sums[kVectors];
    for (Float& one : sums) one = Simd::set(0.0f);
    const auto addAll = [&](const float* from) {
      LUTNN_UNROLL(size_t i = 0; i < kVectors; i++) sums[i] = term(Simd::load(from + i * kLanes), sums[i]);
    };
    size_t n = 0;
    for (; n + kNormLanes <= count; n += kNormLanes) addAll(x + n);
    float lanes[kNormLanes];
    if (n < count) {
      for (float& lane : lanes) lane = filler;
      std::memcpy(lanes, x + n, (count - n) * sizeof(float));
      addAll(lanes);
    }
    LUTNN_UNROLL(size_t half = kVectors / 2; half > 0; half /= 2) {
      LUTNN_UNROLL(size_t i = 0; i < half; i++) sums[i] = Simd::add(sums[i], sums[i + half]);
    }
    Simd::store(lanes, sums[0]);
    return halved<kLanes / 2>(lanes);
  }

  /// The first 2 · kHalf lanes, added by halves.
  template <size_t kHalf>
  static float halved(float* lanes) {
    if constexpr (kHalf == 0) {
      return lanes[0];
    } else {
      LUTNN_UNROLL(size_t i = 0; i < kHalf; i++) lanes[i] += lanes[i + kHalf];
      return halved<kHalf / 2>(lanes);
    }
  }

  static void layerNorm(const LayerNormRow& row, const float* x, float* y) {
    const size_t count = row.count;
    const float length = static_cast<float>(count);
    const float mean = sum(x, count, 0.0f, [](Float value, Float to) { return Simd::add(to, value); }) / length;
    const Float middle = Simd::set(mean);
    const float variance = sum(x, count, mean,
                               [&](Float value, Float to) {
                                 const Float distance = Simd::subtract(value, middle);
                                 return Simd::fma(distance, distance, to);
                               }) /
                           length;
    const Float factor = Simd::set(1 / std::sqrt(variance + row.epsilon));
    const auto norm = [&](const float* from, const float* scale, const float* shift, float* to) {
      const Float value = Simd::multiply(Simd::subtract(Simd::load(from), middle), factor);
      Simd::store(to, Simd::fma(value, Simd::load(scale), Simd::load(shift)));
    };
    size_t n = 0;
    for (; n + kLanes <= count; n += kLanes) norm(x + n, row.scale + n, row.shift + n, y + n);
    if (n == count) return;
    float rest[4][kLanes] = {};
    const size_t bytes = (count - n) * sizeof(float);
    std::memcpy(rest[0], x + n, bytes);
    std::memcpy(rest[1], row.scale + n, bytes);
    std::memcpy(rest[2], row.shift + n, bytes);
    norm(rest[0], rest[1], rest[2], rest[3]);
    std::memcpy(y + n, rest[3], bytes);
  }
};

}  // namespace
}  // namespace lutnn
