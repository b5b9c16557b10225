// Products of bytes by AVX-512, but for `add` of the products.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include <cstring>

#include "isa/avx512/quantizer.h"
#include "isa/generic/dense.h"

namespace lutnn {
namespace {

struct Avx512Dense : Avx512 {
  static constexpr bool kMakesBytes = true;
  using Quantizer = lutnn::Quantizer;

  static Int loadInts(const void* p) { return _mm512_loadu_si512(p); }
  static void storeInts(int32_t* p, Int v) { _mm512_storeu_si512(p, v); }
  static void copyQuads(const uint8_t* from, uint8_t* to) { _mm512_storeu_si512(to, _mm512_loadu_si512(from)); }
  static Int broadcast4(const void* p) {
    int32_t four;
    std::memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
  }
  static Int broadcastWeights(const int8_t* p) { return broadcast4(p); }
  static Int loadWeights(const int8_t* p) { return loadInts(p); }
  static Float toFloats(Int v) { return _mm512_cvtepi32_ps(v); }
  static Float larger(Float floor, Float y) { return _mm512_max_ps(floor, y); }
};

}  // namespace
}  // namespace lutnn
