// One lane: the reference of the other files, and what runs where no other file does.
#include <cmath>
#include <cstring>

#include "isa/generic/training.h"

namespace lutnn {
namespace {

struct Pair {
  int32_t low, high;
};

struct Scalar {
  using Float = float;
  using Int = int32_t;
  using Shorts = Pair;
  static constexpr size_t kLanes = 1;
  static constexpr int kProductRows = 4, kProductVectors = 4;
  static constexpr int kRowProductsA = 4, kRowProductsB = 3;
  static constexpr int kSoftGroup = 8, kSoftChains = 4;
  static constexpr int kLookupVectors = 8;

  static Float load(const float* x) { return *x; }
  static void store(float* x, Float value) { *x = value; }
  static Float loadFirst(const float* x, size_t) { return *x; }
  static Float loadBetween(const float* x, ptrdiff_t i, ptrdiff_t, ptrdiff_t) { return x[i]; }
  static void storeFirst(float* x, size_t, Float value) { *x = value; }
  static Float set(float x) { return x; }
  static Float broadcast(const float* x) { return *x; }
  static Float add(Float a, Float b) { return a + b; }
  static Float sub(Float a, Float b) { return a - b; }
  static Float mul(Float a, Float b) { return a * b; }
  static Float div(Float a, Float b) { return a / b; }
  static Float min(Float a, Float b) { return a < b ? a : b; }
  static Float max(Float a, Float b) { return a > b ? a : b; }
  static Float abs(Float a) { return std::fabs(a); }
  static Float fma(Float a, Float b, Float c) { return std::fmaf(a, b, c); }
  static Float fms(Float a, Float b, Float c) { return std::fmaf(a, b, -c); }
  static Float fnma(Float a, Float b, Float c) { return std::fmaf(-a, b, c); }
  static Float rsqrt(Float x) { return 1 / std::sqrt(x); }
  static Float half(Float x) { return 0.5f * x; }
  static Float round(Float x) { return std::nearbyint(x); }
  static Float addToExponent(Float x, Float n) {
    uint32_t bits, exponent;
    std::memcpy(&bits, &x, sizeof bits);
    std::memcpy(&exponent, &n, sizeof exponent);
    bits += exponent << 23;
    std::memcpy(&x, &bits, sizeof bits);
    return x;
  }
  static double sum(Float x) { return x; }
  static void transpose(Float (&)[1]) {}

  static Int toInts(Float x) { return static_cast<Int>(std::nearbyint(x)); }
  static Float toFloat(Int x) { return static_cast<Float>(x); }
  static void storeBytes(int8_t* to, Int x) { *to = static_cast<int8_t>(x); }
  static Shorts loadBytes(const int8_t* x) { return {x[0], x[1]}; }
  static Shorts loadShorts(const int16_t* x) { return {x[0], x[1]}; }
  static Shorts addShorts(Shorts a, Shorts b) { return {a.low + b.low, a.high + b.high}; }
  static void addTo(Int& low, Int& high, Shorts x) {
    low += x.low;
    high += x.high;
  }
  static Shorts noShorts() { return {0, 0}; }
  static Int noInts() { return 0; }
};

}  // namespace

const TrainingMicrokernels kTrainingScalar = trainingMicrokernels<Scalar>("scalar");

}  // namespace lutnn
