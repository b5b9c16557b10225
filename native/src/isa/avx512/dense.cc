// Products of bytes by AVX-512 without VNNI, as AVX2 has them.
#include "isa/avx512/dense.h"

namespace lutnn {
namespace {

struct Product : Avx512Dense {
  using Avx512::add;
  static constexpr bool kSigned = true;
  static constexpr int kRows = 4, kRowVectors = 4, kOutputs = 8, kColumnVectors = 2;

  static Int signedBytes(Int quads) { return _mm512_xor_si512(quads, _mm512_set1_epi8(-128)); }
  static Int loadQuads(const uint8_t* p) { return signedBytes(loadInts(p)); }
  static Int broadcastQuad(const uint8_t* p) { return signedBytes(broadcast4(p)); }
  static Int add(Int values, Int weights, Int sums) {  // values may be −128, weights not
    const Int turned = _mm512_mask_sub_epi8(weights, _mm512_movepi8_mask(values), _mm512_setzero_si512(), weights);
    const Int pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(values), turned);
    return _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
  }
};

}  // namespace

constinit const MicrokernelsDense kAvx512MicrokernelsDense = DenseOf<Product>::microkernels();

}  // namespace lutnn
