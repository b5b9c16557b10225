// Codes of 8-bit inputs by AVX-512 with VNNI: an instruction adds up the products of a quad, for 16 centroids of a row
// or for 16 positions and one centroid.
#include "simd_avx512.h"

namespace lutnn {
namespace {

float largest(const float* x, size_t count) {
  __m512 most = _mm512_setzero_ps();
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 mask = count - i < 16 ? Avx512::firstLanes(count - i) : 0xffff;
    most = _mm512_max_ps(_mm512_abs_ps(_mm512_maskz_loadu_ps(mask, x + i)), most);  // NaN leaves `most` as it is
  }
  return _mm512_reduce_max_ps(most);
}

void quantize(const float* x, size_t count, float inputScale, uint8_t* q) {
  const __m512 scale = _mm512_set1_ps(inputScale), least = _mm512_set1_ps(-127), most = _mm512_set1_ps(127);
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 mask = count - i < 16 ? Avx512::firstLanes(count - i) : 0xffff;
    __m512 value = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), scale);
    value = _mm512_min_ps(_mm512_max_ps(value, least), most);  // NaN becomes `least`
    const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(_mm512_cvtps_epi32(value), _mm512_set1_epi32(128)));
    if (mask == 0xffff) _mm_storeu_si128(reinterpret_cast<__m128i*>(q + i), bytes);
    else _mm_mask_storeu_epi8(q + i, mask, bytes);
  }
}

void spread(const uint8_t* bytes, size_t count, uint8_t* quads) {
  alignas(64) uint8_t order[64];
  for (size_t n = 0; n < 16; n++)
    for (size_t b = 0; b < 4; b++) order[4 * n + b] = static_cast<uint8_t>(n + b);
  const __m512i index = _mm512_load_si512(order);
  for (size_t n = 0; n < count; n += 16) {
    const size_t left = count - n < 16 ? count - n : 16;
    const __m256i some = _mm256_maskz_loadu_epi8((1u << (left + 3)) - 1, bytes + n);
    const __m512i quad = _mm512_permutexvar_epi8(index, _mm512_castsi256_si512(some));
    if (left == 16) _mm512_storeu_si512(quads + 4 * n, quad);
    else _mm512_mask_storeu_epi32(quads + 4 * n, Avx512::firstLanes(left), quad);
  }
}

void interleave(const uint8_t* rows, size_t stride, size_t numRows, size_t count, uint8_t* quads) {
  interleaveFour(rows, stride, numRows, count, _mm512_setzero_si512(), quads);
}

/// Where the scores of a block of centroids start.
inline __m512i startOf(const CodebooksInt8& books, size_t block, float inputScale) {
  const __m512 halfNorms = _mm512_loadu_ps(books.halfNorms + block * kBlockCentroids);
  const __m512 scaled =
      _mm512_max_ps(_mm512_mul_ps(halfNorms, _mm512_set1_ps(inputScale)), _mm512_set1_ps(kLeastHalfNorm));
  return _mm512_add_epi32(_mm512_cvtps_epi32(scaled), _mm512_loadu_si512(books.offsets + block * kBlockCentroids));
}

/// 16 · score + tag. `tags` come in the high 4 bits.
inline __m512i keys(__m512i scores, __m512i tags) { return _mm512_shldi_epi32(scores, tags, 4); }

inline __m512i highTag(size_t k) { return _mm512_set1_epi32(static_cast<int>(static_cast<uint32_t>(15 - k) << 28)); }

/// The greatest keys of one block of 16 centroids at up to 16 positions.
inline __m512i bestOfBlock(const CodebooksInt8& books, size_t block, const uint8_t* quads, const ptrdiff_t* taps,
                           float inputScale, __mmask16 mask) {
  alignas(64) int32_t start[16];
  _mm512_store_si512(start, startOf(books, block, inputScale));
  const int8_t* weights = books.weights + block * books.numQuads * kBlockCentroids * 4;
  __m512i score[16];
  LUTNN_UNROLL for (size_t k = 0; k < 16; k++) score[k] = _mm512_set1_epi32(start[k]);
  for (size_t i = 0; i < books.numQuads; i++, weights += kBlockCentroids * 4) {
    const __m512i values = _mm512_maskz_loadu_epi32(mask, quads + 4 * taps[i]);
    LUTNN_UNROLL for (size_t k = 0; k < 16; k++) {
      int32_t four;
      std::memcpy(&four, weights + 4 * k, sizeof four);
      score[k] = _mm512_dpbusd_epi32(score[k], values, _mm512_set1_epi32(four));
    }
  }
  LUTNN_UNROLL for (size_t k = 0; k < 16; k++) score[k] = keys(score[k], highTag(k));
  LUTNN_UNROLL for (size_t half = 8; half > 0; half /= 2) {
    LUTNN_UNROLL for (size_t k = 0; k < half; k++) score[k] = _mm512_max_epi32(score[k], score[k + half]);
  }
  return score[0];
}

void encodePositions(const CodebooksInt8& books, size_t codebook, const uint8_t* quads, const ptrdiff_t* taps,
                     float inputScale, size_t positions, uint8_t* codes) {
  for (size_t n = 0; n < positions; n += 16) {
    const size_t left = positions - n < 16 ? positions - n : 16, block = codebook * books.numBlocks;
    const __mmask16 mask = Avx512::firstLanes(left);
    __m512i best = bestOfBlock(books, block, quads + 4 * n, taps, inputScale, mask), bestBlock = _mm512_setzero_si512();
    for (size_t b = 1; b < books.numBlocks; b++)
      Avx512::better(best, bestBlock, bestOfBlock(books, block + b, quads + 4 * n, taps, inputScale, mask),
                     static_cast<int>(b));
    uint8_t lanes[16];
    Avx512::storeCodes(left < 16 ? lanes : codes + n, best, bestBlock);
    if (left < 16) std::memcpy(codes + n, lanes, left);
  }
}

/// The greatest keys of one block of 16 centroids for 8 sub-vectors.
inline void bestOfRows(const CodebooksInt8& books, size_t block, const uint8_t* const (&quads)[8],
                       const float (&inputScale)[8], int32_t (&best)[8]) {
  const int8_t* weights = books.weights + block * books.numQuads * kBlockCentroids * 4;
  __m512i score[8];
  LUTNN_UNROLL for (size_t r = 0; r < 8; r++) score[r] = startOf(books, block, inputScale[r]);
  for (size_t i = 0; i < books.numQuads; i++) {
    const __m512i four = _mm512_loadu_si512(weights + i * kBlockCentroids * 4);
    LUTNN_UNROLL for (size_t r = 0; r < 8; r++) {
      int32_t values;
      std::memcpy(&values, quads[r] + 4 * i, sizeof values);
      score[r] = _mm512_dpbusd_epi32(score[r], _mm512_set1_epi32(values), four);
    }
  }
  const __m512i tags = _mm512_slli_epi32(Avx512::laneTags(0), 28);
  LUTNN_UNROLL for (size_t r = 0; r < 8; r++) score[r] = keys(score[r], tags);
  Avx512::rowMaxima(score, best);
}

void encodeRows(const CodebooksInt8& books, const uint8_t* quads, const float* inputScales, size_t rows,
                uint8_t* codes) {
  const size_t bookBytes = books.numQuads * 4;
  for (size_t n = 0; n < rows; n += 8) {
    size_t row[8];
    float scale[8];
    for (size_t r = 0; r < 8; r++) {
      row[r] = n + r < rows ? n + r : rows - 1;
      scale[r] = inputScales[row[r]];
    }
    for (size_t c = 0; c < books.numCodebooks; c++) {
      const uint8_t* subvector[8];
      for (size_t r = 0; r < 8; r++) subvector[r] = quads + (row[r] * books.numCodebooks + c) * bookBytes;
      int32_t best[8], more[8];
      size_t bestBlock[8] = {};
      bestOfRows(books, c * books.numBlocks, subvector, scale, best);
      for (size_t b = 1; b < books.numBlocks; b++) {
        bestOfRows(books, c * books.numBlocks + b, subvector, scale, more);
        mergeBlocks(best, bestBlock, more, b);
      }
      for (size_t r = 0; r < 8; r++) codes[row[r] * books.numCodebooks + c] = codeOf(best[r], bestBlock[r]);
    }
  }
}

}  // namespace

const MicrokernelsInt8 kAvx512VbmiMicrokernelsInt8 = {
    largest, quantize, spread, interleave, encodeRows, encodePositions,
};

}  // namespace lutnn
