// x · Φ(x), Φ the normal distribution, in place, written once over a file's own `Simd`, whose vectors `Float` of kLanes lanes
// have load, store, add and
//   set(x)                 a float in every lane
//   subtract, multiply, fma(a, b, c)   rounded once each
//   absolute, smaller      of lanes
//   addToExponent(p, n)    p · 2^n; n is a whole number plus 1.5 · 2²³
// The operations are the same and in the same order everywhere, so every instruction set gives the same bits.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include "isa/generic/exp2.h"
#include "isa/microkernels.h"

namespace lutnn {
namespace {

template <class Simd>
struct GeluOf {
  using Float = typename Simd::Float;
  static constexpr size_t kLanes = static_cast<size_t>(Simd::kLanes);
  static constexpr int kChains = 4;  // vectors whose chains of operations run side by side

  template <class Step>
  static void each(Step step) {
    LUTNN_UNROLL(int i = 0; i < kChains; i++) step(i);
  }
  /// p = p · t + coefficient, one after the other
  template <size_t length>
  static void horner(Float (&p)[kChains], const Float (&t)[kChains], const float (&coefficients)[length]) {
    each([&](int i) { p[i] = Simd::set(coefficients[0]); });
    LUTNN_UNROLL(size_t k = 1; k < length; k++)
      each([&](int i) { p[i] = Simd::fma(p[i], t[i], Simd::set(coefficients[k])); });
  }

  /// ½ (x + |x| · e), e = erf(|x| / √2) = 1 − 2^−q(|x|), where q is a polynomial; both polynomials are fits of ours. From 6 on
  /// e is 1.
  static void vectors(float* x) {
    constexpr float kQ[] = {2.83491318e-06f, -3.93776718e-05f, 0.000186180041f, 0.000136937044f,
                            -0.00706342096f, 0.0524961799f,    0.45920819f,     1.15110517f};
    const Float magic = Simd::set(kRounding);
    Float value[kChains], size[kChains], t[kChains], p[kChains], whole[kChains];
    each([&](int i) { value[i] = Simd::load(x + static_cast<size_t>(i) * kLanes); });
    each([&](int i) { size[i] = Simd::absolute(value[i]); });
    each([&](int i) { t[i] = Simd::smaller(size[i], Simd::set(6.0f)); });
    horner(p, t, kQ);
    each([&](int i) { t[i] = Simd::subtract(Simd::set(0.0f), Simd::multiply(t[i], p[i])); });
    each([&](int i) { whole[i] = Simd::add(t[i], magic); });
    each([&](int i) { t[i] = Simd::subtract(t[i], Simd::subtract(whole[i], magic)); });
    horner(p, t, kExp2);
    each([&](int i) { p[i] = Simd::subtract(Simd::set(1.0f), Simd::addToExponent(p[i], whole[i])); });
    each([&](int i) {
      const Float sum = Simd::fma(size[i], p[i], value[i]);
      Simd::store(x + static_cast<size_t>(i) * kLanes, Simd::multiply(sum, Simd::set(0.5f)));
    });
  }

  static void gelu(float* x, size_t count) {
    constexpr size_t kStep = kChains * kLanes;
    size_t n = 0;
    for (; n + kStep <= count; n += kStep) vectors(x + n);
    if (n == count) return;
    float rest[kStep] = {};
    std::memcpy(rest, x + n, (count - n) * sizeof(float));
    vectors(rest);
    std::memcpy(x + n, rest, (count - n) * sizeof(float));
  }
};

}  // namespace
}  // namespace lutnn
