// Products of bytes by AVX2. Inputs lose their 128; the signs of one factor go over to the other, so that pairs of products
// fit into 16 bits: 2 · 128 · 127 < 2¹⁵.
#include "isa/generic/dense.h"
#include "isa/avx2/simd.h"

namespace lutnn {
namespace {

struct Product : Avx2 {
  using Avx2::add;
  static constexpr bool kSigned = true, kMakesBytes = false;
  static constexpr int kRows = 4, kRowVectors = 2, kOutputs = 4, kColumnVectors = 2;

  static Int loadInts(const void* p) { return _mm256_loadu_si256(static_cast<const Int*>(p)); }
  static void storeInts(int32_t* p, Int v) { _mm256_storeu_si256(reinterpret_cast<Int*>(p), v); }
  static void copyQuads(const uint8_t* from, uint8_t* to) {
    _mm256_storeu_si256(reinterpret_cast<Int*>(to), loadInts(from));
  }
  static Int broadcastWeights(const int8_t* p) {
    return _mm256_castps_si256(_mm256_broadcast_ss(reinterpret_cast<const float*>(p)));
  }
  static Int signedBytes(Int quads) { return _mm256_xor_si256(quads, _mm256_set1_epi8(-128)); }
  static Int loadQuads(const uint8_t* p) { return signedBytes(loadInts(p)); }
  static Int loadWeights(const int8_t* p) { return loadInts(p); }
  static Int broadcastQuad(const uint8_t* p) {
    return signedBytes(broadcastWeights(reinterpret_cast<const int8_t*>(p)));
  }
  static Int add(Int values, Int weights, Int sums) {  // values may be −128, weights not
    const Int pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(values), _mm256_sign_epi8(weights, values));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static Float toFloats(Int v) { return _mm256_cvtepi32_ps(v); }
  static Float larger(Float floor, Float y) { return _mm256_max_ps(floor, y); }
};

}  // namespace

constinit const MicrokernelsDense kAvx2MicrokernelsDense = DenseOf<Product>::microkernels();

}  // namespace lutnn
