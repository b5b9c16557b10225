// 2^−t, written once over a file's own `Simd`; see gelu.h.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include <cstddef>

#include "isa/generic/compiler.h"

namespace lutnn {
namespace {

/// 2^f for f within ±½, a fit of ours, highest power first.
constexpr float kExp2[] = {
    0.000153457833f, 0.00133999425f, 0.00961848907f, 0.0555032864f, 0.240226462f, 0.693147182f, 1.0f};
/// Adding 1.5 · 2²³ rounds to a whole number, which then lies in the low bits.
constexpr float kRounding = 12582912.0f;

template <class Simd>
struct Exp2Of {
  using Float = typename Simd::Float;

  /// 2^−t, for t from 0 to 126
  static Float minus(Float t) {
    const Float magic = Simd::set(kRounding), down = Simd::subtract(Simd::set(0.0f), t);
    const Float whole = Simd::add(down, magic), rest = Simd::subtract(down, Simd::subtract(whole, magic));
    Float p = Simd::set(kExp2[0]);
    LUTNN_UNROLL(size_t k = 1; k < sizeof kExp2 / sizeof kExp2[0]; k++) p = Simd::fma(p, rest, Simd::set(kExp2[k]));
    return Simd::addToExponent(p, whole);
  }
};

}  // namespace
}  // namespace lutnn
