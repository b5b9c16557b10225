// Codes of 8-bit inputs by AVX-512 with VNNI: an instruction adds up the products of a quad, for 16 centroids of a row
// or for 16 positions and one centroid.
#include <cstring>

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

/// encode_simd.h asks for the same of quads as of floats: both have 4 bytes, and so have weights and where scores start.
struct Avx512Quads : Avx512 {
  using Float = __m512i;

  static Float load(const float* quads) { return _mm512_loadu_si512(quads); }
  static Float loadFirst(const float* quads, size_t n) { return _mm512_maskz_loadu_epi32(firstLanes(n), quads); }
  static Float broadcast(const float* quad) {
    int32_t bytes;
    std::memcpy(&bytes, quad, sizeof bytes);
    return _mm512_set1_epi32(bytes);
  }
  static Float fma(Float values, Float weights, Float scores) { return _mm512_dpbusd_epi32(scores, values, weights); }
  /// 16 · score + tag
  static Int keys(Float scores, Int tags) { return _mm512_or_si512(_mm512_slli_epi32(scores, 4), tags); }
};

const float* asFloats(const void* fourBytes) { return static_cast<const float*>(fourBytes); }

/// The lengths that networks have overlap; false for any other length or K.
bool encodePositionsFast(const Codebooks& book, const float* x, const ptrdiff_t* taps, size_t positions,
                         uint8_t* codes) {
  if (book.numBlocks > 1 || positions == 0) return false;
  switch (book.subvectorLength) {
    case 1: encodePositionsOverlapped<Avx512Quads, 1>(book, 0, x, taps, positions, codes); return true;
    case 3: encodePositionsOverlapped<Avx512Quads, 3>(book, 0, x, taps, positions, codes); return true;
    case 6: encodePositionsOverlapped<Avx512Quads, 6>(book, 0, x, taps, positions, codes); return true;
    default: return false;
  }
}

void encodePositions(const CodebooksInt8& books, size_t codebook, const uint8_t* quads, const ptrdiff_t* taps,
                     float inputScale, size_t positions, uint8_t* codes) {
  const size_t block = codebook * books.numBlocks;
  alignas(64) int32_t start[16 * kBlockCentroids];  // of up to 16 blocks
  for (size_t b = 0; b < books.numBlocks; b++)
    _mm512_store_si512(start + b * kBlockCentroids, startOf(books, block + b, inputScale));
  const int8_t* weights = books.weights + block * books.numQuads * kBlockCentroids * 4;
  const Codebooks book = {1, books.numBlocks, books.numQuads, asFloats(weights), asFloats(start)};
  const float* x = asFloats(quads);
  size_t n = positions / 16 * 16;
  if (!encodePositionsFast(book, x, taps, n, codes))
    for (n = 0; n + 16 <= positions; n += 16)
      encodePositionsStep<Avx512Quads, 1, 16, false>(book, 0, x + n, taps, 16, codes + n);
  if (n < positions)
    encodePositionsStep<Avx512Quads, 1, 16, true>(book, 0, x + n, taps, positions - n, codes + n);
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
  LUTNN_UNROLL for (size_t r = 0; r < 8; r++) score[r] = Avx512Quads::keys(score[r], Avx512::laneTags(0));
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
