// Codes of inputs rounded to bfloat16 by AVX-512 with BF16: an instruction adds up the products of a pair, the second
// before the first, each rounded to float32 once. The numbers are such that no sum is subnormal (bf16.h).
#include "bf16.h"
#include "simd_avx512.h"

namespace lutnn {
namespace {

void round(const float* x, size_t count, uint16_t* y) {
  const __m512 largest = _mm512_set1_ps(kLargestBf16), least = _mm512_set1_ps(kLeastBf16);
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 mask = count - i < 16 ? Avx512::firstLanes(count - i) : 0xffff;
    const __m512 some = _mm512_maskz_loadu_ps(mask, x + i);
    const __mmask16 kept = _mm512_cmp_ps_mask(_mm512_abs_ps(some), least, _CMP_GE_OQ);  // no NaN
    const __m512 value = _mm512_maskz_min_ps(kept, _mm512_max_ps(some, _mm512_sub_ps(_mm512_setzero_ps(), largest)), largest);
    const __m256i halves = (__m256i)_mm512_cvtneps_pbh(value);
    if (mask == 0xffff) _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), halves);
    else _mm256_mask_storeu_epi16(y + i, mask, halves);
  }
}

void join(const uint16_t* first, const uint16_t* second, size_t count, uint32_t* pairs) {
  for (size_t n = 0; n < count; n++) pairs[n] = first[n] | (second ? static_cast<uint32_t>(second[n]) << 16 : 0);
}

/// encode_simd.h asks for the same of pairs as of floats: both have 4 bytes.
struct Avx512Pairs : Avx512 {
  static Float fma(Float values, Float weights, Float scores) {
    return _mm512_dpbf16_ps(scores, (__m512bh)values, (__m512bh)weights);
  }
};

void encodeRows(const Codebooks& books, const float* pairs, size_t rowStride, size_t rows, uint8_t* codes) {
  encodeRowsBy<Avx512Pairs, 8>(books, pairs, rowStride, rows, codes);
}

/// The lengths that networks have overlap; false for any other length or K.
bool encodePositionsOfLength(const Codebooks& books, size_t codebook, const float* pairs, const ptrdiff_t* taps,
                             size_t positions, uint8_t* codes) {
  if (books.numBlocks > 1 || positions == 0) return false;
  switch (books.subvectorLength) {
    case 2: encodePositionsOverlapped<Avx512Pairs, 2>(books, codebook, pairs, taps, positions, codes); return true;
    case 6: encodePositionsOverlapped<Avx512Pairs, 6>(books, codebook, pairs, taps, positions, codes); return true;
    default: return encodePositionsFast<Avx512Pairs>(books, codebook, pairs, taps, positions, codes);
  }
}

void encodePositions(const Codebooks& books, size_t codebook, const float* pairs, const ptrdiff_t* taps,
                     size_t positions, uint8_t* codes) {
  size_t n = positions / 16 * 16;
  if (!encodePositionsOfLength(books, codebook, pairs, taps, n, codes))
    for (n = 0; n + 16 <= positions; n += 16)
      encodePositionsStep<Avx512Pairs, 1, 16, false>(books, codebook, pairs + n, taps, 16, codes + n);
  if (n < positions)
    encodePositionsStep<Avx512Pairs, 1, 16, true>(books, codebook, pairs + n, taps, positions - n, codes + n);
}

}  // namespace

const MicrokernelsBf16 kAvx512MicrokernelsBf16 = {round, join, encodeRows, encodePositions};

}  // namespace lutnn
