// Scaled dot-product attention, written once over a file's own `Simd`, whose vectors have what gelu.h asks for, and
// storeLowBytes(p, v), of each lane's bits. The operations are the same and in the same order everywhere, so every instruction set gives the same bits.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include <algorithm>

#include "isa/generic/exp2.h"
#include "isa/microkernels.h"

namespace lutnn {
namespace {

template <class Simd>
struct AttentionOf {
  using Float = typename Simd::Float;
  static constexpr size_t kLanes = static_cast<size_t>(Simd::kLanes);
  static constexpr int kRows = static_cast<int>(kAttentionRows), kVectors = 2;
  static constexpr size_t kStep = kLanes * kVectors;
  static_assert(kAttentionColumns % kStep == 0);

  /// Σ_i rows[r][i] · at[i · n + …] of one step of columns, i rising.
  static void sumUp(const float* const (&rows)[kAttentionRows], size_t length, const float* at, size_t n,
                    float (&results)[kAttentionRows][kStep]) {
    Float sums[kRows][kVectors];
    LUTNN_UNROLL(int r = 0; r < kRows; r++) {
      LUTNN_UNROLL(int j = 0; j < kVectors; j++) sums[r][j] = Simd::set(0.0f);
    }
    for (size_t i = 0; i < length; i++, at += n) {
      Float vector[kVectors];
      LUTNN_UNROLL(int j = 0; j < kVectors; j++) vector[j] = Simd::load(at + static_cast<size_t>(j) * kLanes);
      LUTNN_UNROLL(int r = 0; r < kRows; r++) {
        const Float number = Simd::set(rows[r][i]);
        LUTNN_UNROLL(int j = 0; j < kVectors; j++) sums[r][j] = Simd::fma(number, vector[j], sums[r][j]);
      }
    }
    LUTNN_UNROLL(int r = 0; r < kRows; r++) {
      LUTNN_UNROLL(int j = 0; j < kVectors; j++) Simd::store(results[r] + static_cast<size_t>(j) * kLanes, sums[r][j]);
    }
  }

  /// The same by itself: beside what attend() keeps in its 32 registers, GCC spills the vectors of b, and each fma reads them from
  /// memory (Zen 4: 1.3 times the time). With 16 registers attend() keeps nothing in them, and a call is 3 % slower.
  LUTNN_APART static void sumUpApart(const float* const (&rows)[kAttentionRows], size_t length, const float* at,
                                     size_t n, float (&results)[kAttentionRows][kStep]) {
    sumUp(rows, length, at, n, results);
  }

  /// finish(r, column, vector) gets Σ_i rows[r][i] · b[i][column …], i rising, for all rows and for columns below n.
  template <class Finish>
  static void product(const float* const (&rows)[kAttentionRows], size_t length, const float* b, size_t n,
                      const Finish& finish) {
    alignas(64) float results[kAttentionRows][kStep];
    for (size_t column = 0; column < n; column += kStep) {
      if constexpr (kLanes == 16) sumUpApart(rows, length, b + column, n, results);
      else sumUp(rows, length, b + column, n, results);
      LUTNN_UNROLL(int r = 0; r < kRows; r++) {
        LUTNN_UNROLL(int j = 0; j < kVectors; j++)
          finish(static_cast<size_t>(r), column + static_cast<size_t>(j) * kLanes,
                 Simd::load(results[r] + static_cast<size_t>(j) * kLanes));
      }
    }
  }

  /// Scores with their sign changed become 2^((least − score) · log2 e): 1 for the best. Returns the sum of them.
  static float shares(float* scores, size_t count, float least) {
    constexpr float kLog2E = 1.44269504f, kMost = 126;
    Float sums[kAttentionColumns / kLanes];
    for (Float& sum : sums) sum = Simd::set(0.0f);
    const Float best = Simd::set(least);
    for (size_t n = 0; n < count; n += kAttentionColumns)
      LUTNN_UNROLL(size_t i = 0; i < kAttentionColumns / kLanes; i++) {
        float* place = scores + n + i * kLanes;
        const Float below = Simd::multiply(Simd::subtract(Simd::load(place), best), Simd::set(kLog2E));
        const Float share = Exp2Of<Simd>::minus(Simd::smaller(below, Simd::set(kMost)));
        Simd::store(place, share);
        sums[i] = Simd::add(sums[i], share);
      }
    float lanes[kAttentionColumns], sum = 0;
    for (size_t i = 0; i < kAttentionColumns / kLanes; i++) Simd::store(lanes + i * kLanes, sums[i]);
    for (float lane : lanes) sum += lane;
    return sum;
  }

  static uint32_t byteShares(const float* distances, size_t count, uint8_t* bytes) {
    constexpr float kLog2E = 1.44269504f, kMost = 126,
                    kWhole = 8388608.0f;  // adding 2²³ rounds to a whole number in the low bits
    Float least = Simd::load(distances), sums[kAttentionColumns / kLanes];
    for (size_t n = kLanes; n < count; n += kLanes) least = Simd::smaller(Simd::load(distances + n), least);
    float lanes[kAttentionColumns];
    Simd::store(lanes, least);
    const Float best = Simd::set(*std::min_element(lanes, lanes + kLanes));
    Float finite = Simd::set(0.0f);  // no number where a distance is none, or infinite
    for (Float& sum : sums) sum = finite;
    for (size_t n = 0; n < count; n += kAttentionColumns)
      LUTNN_UNROLL(size_t i = 0; i < kAttentionColumns / kLanes; i++) {
        const size_t at = n + i * kLanes;
        const Float distance = Simd::load(distances + at);
        finite = Simd::fma(distance, Simd::set(0.0f), finite);
        const Float below = Simd::multiply(Simd::subtract(distance, best), Simd::set(kLog2E));
        const Float share = Exp2Of<Simd>::minus(Simd::smaller(below, Simd::set(kMost)));
        const Float whole = Simd::fma(share, Simd::set(255.0f), Simd::set(kWhole));
        Simd::storeLowBytes(bytes + at, whole);
        sums[i] = Simd::add(sums[i], Simd::subtract(whole, Simd::set(kWhole)));
      }
    Simd::store(lanes, finite);
    if (std::any_of(lanes, lanes + kLanes, [](float lane) { return lane != 0; })) return 0;
    for (size_t i = 0; i < kAttentionColumns / kLanes; i++) Simd::store(lanes + i * kLanes, sums[i]);
    uint32_t sum = 0;
    for (float lane : lanes) sum += static_cast<uint32_t>(lane);
    return sum;
  }

  static void attend(const AttentionHead& head, const float* const (&queries)[kAttentionRows], float* room, float* y) {
    const Float zero = Simd::set(0.0f), scale = Simd::set(head.scale);
    Float least[kRows], finite[kRows];
    for (int r = 0; r < kRows; r++) {
      least[r] = Simd::set(3.4e38f);
      finite[r] = zero;
    }
    const size_t positions = head.paddedPositions();
    product(queries, head.depth, head.keys, positions, [&](size_t r, size_t column, Float sum) {
      const Float score = Simd::add(Simd::multiply(sum, scale), Simd::load(head.penalties + column));
      const Float turned = Simd::subtract(zero, score);
      Simd::store(room + r * positions + column, turned);
      least[r] = Simd::smaller(turned, least[r]);
      finite[r] = Simd::fma(score, zero, finite[r]);  // no number where a score is none, or infinite
    });
    const float* rows[kAttentionRows];
    float factors[kAttentionRows];
    for (size_t r = 0; r < kAttentionRows; r++) {
      float* row = room + r * positions;
      float lanes[kLanes], spoiled[kLanes];
      Simd::store(lanes, least[r]);
      Simd::store(spoiled, finite[r]);
      float smallest = lanes[0], nothing = spoiled[0];
      for (size_t i = 1; i < kLanes; i++) {
        smallest = lanes[i] < smallest ? lanes[i] : smallest;
        nothing += spoiled[i];
      }
      rows[r] = row;
      factors[r] = 1 / (shares(row, positions, smallest) + nothing);
    }
    const size_t outputs = head.paddedOutputs();
    product(rows, head.positions, head.values, outputs, [&](size_t r, size_t column, Float sum) {
      Simd::store(y + r * outputs + column, Simd::multiply(sum, Simd::set(factors[r])));
    });
  }
};

}  // namespace
}  // namespace lutnn
