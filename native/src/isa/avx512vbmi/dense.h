// Products of bytes by VNNI: an instruction adds up the products of a quad, of bytes as they are.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include "isa/avx512/dense.h"

namespace lutnn {
namespace {

struct Vnni : Avx512Dense {
  using Avx512::add;
  static constexpr bool kSigned = false;
  static constexpr int kRows = 6, kRowVectors = 4, kOutputs = 8, kColumnVectors = 3;

  static Int loadQuads(const uint8_t* p) { return loadInts(p); }
  static Int broadcastQuad(const uint8_t* p) { return broadcast4(p); }
  static Int add(Int values, Int weights, Int sums) { return _mm512_dpbusd_epi32(sums, values, weights); }
};

}  // namespace
}  // namespace lutnn
