// The soft assignment's backward pass, written once over a file's own `Simd` (training_simd.h lists its operations).
#pragma once

#include <algorithm>

#include "isa/generic/compiler.h"
#include "isa/training_microkernels.h"

namespace lutnn {
namespace {

template <class Simd>
struct SoftOf {
  using Float = typename Simd::Float;
  static constexpr size_t kLanes = Simd::kLanes, kMost = 256;  // of centroids
  /// Centroids whose scores are summed side by side, and those whose chains of operations run side by side.
  static constexpr int kGroup = Simd::kSoftGroup, kChains = Simd::kSoftChains;
  static_assert(16 % kGroup == 0 && kGroup % kChains == 0, "groups must not cross blocks of 16 centroids");

  template <class Step>
  static void each(Step step) {
    LUTNN_UNROLL(int i = 0; i < kChains; i++) step(i);
  }

  /// 2^x for x ≤ 0, relative error 3e-6: a polynomial of degree 4 on [−½, ½] of smallest relative error (own fit). Adding
  /// 1.5 · 2²³ rounds x to a whole number, which then lies in the low bits.
  static void exp2(Float* x) {
    const Float magic = Simd::set(12582912.0f), least = Simd::set(-80);
    Float whole[kChains], p[kChains];
    each([&](int i) { whole[i] = Simd::add(Simd::max(x[i], least), magic); });
    each([&](int i) { x[i] = Simd::sub(x[i], Simd::sub(whole[i], magic)); });
    each([&](int i) { p[i] = Simd::fma(Simd::set(9.57010221e-3f), x[i], Simd::set(5.59178591e-2f)); });
    each([&](int i) { p[i] = Simd::fma(p[i], x[i], Simd::set(2.40247443e-1f)); });
    each([&](int i) { p[i] = Simd::fma(p[i], x[i], Simd::set(6.93121791e-1f)); });
    each([&](int i) { p[i] = Simd::fma(p[i], x[i], Simd::set(9.99999285e-1f)); });
    each([&](int i) { x[i] = Simd::addToExponent(p[i], whole[i]); });
  }

  /// d, and 1/d unless squared, from doubled scores and ‖x‖² (+ the floor unless squared).
  template <bool kSquared>
  static void distances(Float norm, const Float* score, Float* d, Float* inverse) {
    const Float floor = Simd::set(kSquared ? 0 : kDistanceFloor);
    each([&](int i) { d[i] = Simd::max(Simd::sub(norm, score[i]), floor); });
    if (kSquared) return;
    Float error[kChains];
    each([&](int i) { inverse[i] = Simd::rsqrt(d[i]); });
    each([&](int i) { d[i] = Simd::mul(d[i], inverse[i]); });
    each([&](int i) { error[i] = Simd::fnma(d[i], Simd::half(inverse[i]), Simd::set(0.5f)); });
    each([&](int i) { d[i] = Simd::fma(d[i], error[i], d[i]); });
    each([&](int i) { inverse[i] = Simd::fma(inverse[i], error[i], inverse[i]); });
  }

  static Float sumOf(const Float* values) {
    Float sum = values[0];
    for (int i = 1; i < kChains; i++) sum = Simd::add(sum, values[i]);
    return sum;
  }

  /// 2 x · P_k − ‖P_k‖² of kGroup centroids from k on.
  static void scores(const SoftBlock& block, size_t k, const float* x, Float (&score)[kGroup]) {
    const size_t length = block.subvectorLength;
    LUTNN_UNROLL(int i = 0; i < kGroup; i++) {
      const Float half = Simd::broadcast(block.halfNorms + k + i);
      score[i] = Simd::add(half, half);
    }
    const float* centroids = block.centroids + k / 16 * length * 16 + k % 16;
    for (size_t v = 0; v < length; v++, centroids += 16, x += block.stride) {
      const Float value = Simd::load(x), twice = Simd::add(value, value);
      LUTNN_UNROLL(int i = 0; i < kGroup; i++) score[i] = Simd::fma(twice, Simd::broadcast(centroids + i), score[i]);
    }
  }

  /// L positions; adds −Σ_k q_k d_k, times slopeOf, to dm. With kOneGroup, K is kGroup and stays in registers.
  template <bool kSquared, bool kOneGroup>
  static void tile(const SoftBlock& block, size_t n, Float (&dm)[kChains]) {
    constexpr size_t kHeld = kOneGroup ? kGroup : kMost;
    alignas(64) float held[3][kHeld * kLanes];  // d, 1/d and, of several groups, scores and then exponentials
    const size_t used = kOneGroup ? kGroup : block.numCentroids, stride = block.stride;
    const float* x = block.x + n;
    float *a = block.a + n, *s = block.s + n;

    Float norm = Simd::set(kSquared ? 0 : kDistanceFloor), best = Simd::set(-3e38f), score[kGroup];
    for (size_t v = 0; v < block.subvectorLength; v++) {
      const Float value = Simd::load(x + v * stride);
      norm = Simd::fma(value, value, norm);
    }
    for (size_t k = 0; k < used; k += kGroup) {
      scores(block, k, x, score);
      if (!kOneGroup) {
        LUTNN_UNROLL(int i = 0; i < kGroup; i++) {
          Simd::store(held[2] + (k + i) * kLanes, score[i]);
          if (k + i >= used) score[i] = Simd::set(-3e38f);
        }
      }
      Float largest[kGroup];
      LUTNN_UNROLL(int i = 0; i < kGroup; i++) largest[i] = score[i];
      LUTNN_UNROLL(int half = kGroup / 2; half > 0; half /= 2)
        LUTNN_UNROLL(int i = 0; i < half; i++) largest[i] = Simd::max(largest[i], largest[i + half]);
      best = Simd::max(best, largest[0]);
    }

    Float d[kChains], inverse[kChains], sum[kChains], mean[kChains];
    const Float slope = Simd::set(-block.inverseTemperature * 1.44269504f);  // · log₂ e
    each([&](int i) {
      d[i] = best;
      sum[i] = mean[i] = Simd::set(0);
    });
    distances<kSquared>(norm, d, d, inverse);
    const Float most = Simd::mul(d[0], slope);
    for (size_t k = 0; k < used; k += kGroup) {
      LUTNN_UNROLL(int part = 0; part < kGroup; part += kChains) {
        const size_t first = k + part;
        Float* e = score + part;
        if (!kOneGroup) each([&](int i) { e[i] = Simd::load(held[2] + (first + i) * kLanes); });
        distances<kSquared>(norm, e, e, inverse);
        each([&](int i) {
          Simd::store(held[0] + (first + i) * kLanes, e[i]);
          if (!kSquared) Simd::store(held[1] + (first + i) * kLanes, inverse[i]);
        });
      }
      LUTNN_UNROLL(int part = 0; part < kGroup; part += kChains) {
        const size_t first = k + part;
        Float* e = score + part;
        each([&](int i) { e[i] = Simd::fms(e[i], slope, most); });
        exp2(e);
        each([&](int i) {
          if (!kOneGroup && first + i >= used) return;
          sum[i] = Simd::add(sum[i], e[i]);
          mean[i] = Simd::fma(e[i], Simd::load(a + (first + i) * stride), mean[i]);
          if (!kOneGroup) Simd::store(held[2] + (first + i) * kLanes, e[i]);
        });
      }
    }

    const Float inverseSum = Simd::div(Simd::set(1), sumOf(sum)), factor = Simd::set(slopeOf(block));
    const Float shift = Simd::mul(Simd::mul(sumOf(mean), inverseSum), factor);
    Float minusSumS = Simd::set(0), q[kChains];
    for (size_t k = 0; k < used; k += kGroup) {
      LUTNN_UNROLL(int part = 0; part < kGroup; part += kChains) {
        const size_t first = k + part;
        Float* e = score + part;
        const auto absent = [&](int i) { return !kOneGroup && first + i >= used; };
        if (!kOneGroup) each([&](int i) { e[i] = Simd::load(held[2] + (first + i) * kLanes); });
        each([&](int i) { e[i] = Simd::mul(e[i], inverseSum); });
        each([&](int i) {
          q[i] = absent(i) ? Simd::set(0) : Simd::fms(Simd::load(a + (first + i) * stride), factor, shift);
        });
        each([&](int i) { q[i] = Simd::mul(q[i], e[i]); });
        each([&](int i) { dm[i] = Simd::fnma(q[i], Simd::load(held[0] + (first + i) * kLanes), dm[i]); });
        each([&](int i) {
          if (absent(i)) return;
          if (!kSquared) q[i] = Simd::mul(q[i], Simd::load(held[1] + (first + i) * kLanes));
          minusSumS = Simd::sub(minusSumS, q[i]);
          Simd::store(a + (first + i) * stride, e[i]);
          Simd::store(s + (first + i) * stride, q[i]);
        });
      }
    }
    Simd::store(block.minusSumS + n, minusSumS);
  }

  /// What q is multiplied by on its way to s, but for 1/d.
  static float slopeOf(const SoftBlock& block) { return block.inverseTemperature * (block.squared ? 2 : 1); }

  template <bool kSquared, bool kOneGroup>
  static void tiles(const SoftBlock& block) {
    Float dm[kChains];
    each([&](int i) { dm[i] = Simd::set(0); });
    for (size_t n = 0; n < block.positions; n += kLanes) tile<kSquared, kOneGroup>(block, n, dm);
    *block.dInverseTemperature += Simd::sum(sumOf(dm)) / slopeOf(block);
  }

  static void backward(const SoftBlock& block) {
    const bool oneGroup = block.numCentroids == kGroup;
    if (block.squared) return oneGroup ? tiles<true, true>(block) : tiles<true, false>(block);
    return oneGroup ? tiles<false, true>(block) : tiles<false, false>(block);
  }
};

}  // namespace
}  // namespace lutnn
