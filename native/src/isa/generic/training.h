// Everything that an instruction set's file needs. Its `Simd` has vectors of kLanes 32-bit lanes, Float and Int, vectors
// of 2 · kLanes 16-bit lanes, Shorts, and
//   load, store, loadFirst(x, n), storeFirst(x, n, value)   all lanes; the first n, the others read as 0
//   loadBetween(x, i, from, to)             x[i + lane] in lanes from … to − 1, 0 in the others
//   set, broadcast(x)                       the same in every lane; from memory
//   add, sub, mul, div, min, max, abs       of floats
//   fma, fms, fnma(a, b, c)                 a · b + c, a · b − c and c − a · b, rounded once
//   rsqrt                                   1/√x, relative error below 2⁻¹¹
//   round                                   half to even
//   addToExponent(x, n)                     x · 2ⁿ with n in the low bits of a float
//   sum                                     of the lanes, in double
//   transpose(rows)                         of kLanes vectors, in place
//   toInts, toFloat, storeBytes             floats to integers and back; integers as bytes
//   loadBytes, loadShorts, addShorts, addTo(low, high, shorts), noShorts, noInts   sums of table entries
//   kProductRows, kProductVectors           of a tile of a matrix product
//   kRowProductsA, kRowProductsB            rows of A and B, all of whose products are summed in registers
//   kSoftGroup                              centroids whose scores fit into registers, a divisor of 16
//   kLookupVectors                          vectors of outputs whose sums fit into registers; kLanes of them divide 64
#pragma once

#include "isa/generic/training_product.h"
#include "isa/generic/training_soft.h"
#include "isa/generic/training_table.h"

namespace lutnn {
namespace {

template <class Simd>
constexpr TrainingMicrokernels trainingMicrokernels(const char* isa) {
  return {
      .isa = isa,
      .lanes = Simd::kLanes,
      .panel = Simd::kProductVectors * Simd::kLanes,
      .transpose = transpose<Simd>,
      .copy = copy<Simd>,
      .copyShifted = copyShifted<Simd>,
      .addShifted = addShifted<Simd>,
      .multiply = ProductOf<Simd>::multiply,
      .multiplyRows = RowProductsOf<Simd>::multiply,
      .dot = dot<Simd>,
      .sumLanes = sumLanes<Simd>,
      .softBackward = SoftOf<Simd>::backward,
      .largest = largest<Simd>,
      .quantize8 = quantize8<Simd>,
      .lookup8 = lookupRows<Simd, Sums8>,
      .lookup16 = lookupRows<Simd, Sums16>,
      .lookupFloat = lookupRows<Simd, SumsFloat>,
  };
}

}  // namespace
}  // namespace lutnn
