// Codes of 8-bit inputs by AVX-512, written once over a file's own `Product`: how the products of quads are added up, for
// 16 centroids of a row or for 16 positions and one centroid.
//   kOffsets                  whether scores start with the offsets, as inputs keep their 128
//   values(quads)             16 quads of inputs as `add` takes them
//   add(values, weights, scores)      scores + the sums of each quad's products; values are used for many weights
//   addRow(quad, weights, scores)     the same; weights are used for many quads
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include <cstring>

#include "isa/avx512/simd.h"

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

/// scaled(16 floats) → bytes: rounded, within smallest … largest, and `zero` more
template <class Scaled>
inline void toBytes(const float* x, size_t count, uint8_t* q, float smallest, float largest, int zero, Scaled scaled) {
  const __m512 least = _mm512_set1_ps(smallest), most = _mm512_set1_ps(largest);
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 mask = count - i < 16 ? Avx512::firstLanes(count - i) : 0xffff;
    __m512 value = scaled(_mm512_maskz_loadu_ps(mask, x + i));
    value = _mm512_min_ps(_mm512_max_ps(value, least), most);  // NaN becomes `least`
    const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(_mm512_cvtps_epi32(value), _mm512_set1_epi32(zero)));
    if (mask == 0xffff) _mm_storeu_si128(reinterpret_cast<__m128i*>(q + i), bytes);
    else _mm_mask_storeu_epi8(q + i, mask, bytes);
  }
}

void quantize(const float* x, size_t count, float inputScale, uint8_t* q) {
  const __m512 scale = _mm512_set1_ps(inputScale);
  toBytes(x, count, q, -127, 127, 128, [&](__m512 some) { return _mm512_mul_ps(some, scale); });
}

void quantizeBy(const float* x, size_t count, float scale, uint8_t zeroPoint, uint8_t* q) {
  const __m512 divisor = _mm512_set1_ps(scale);
  const float least = -static_cast<float>(zeroPoint);
  toBytes(x, count, q, least, 255 + least, zeroPoint, [&](__m512 some) { return _mm512_div_ps(some, divisor); });
}

void interleave(const uint8_t* rows, size_t stride, size_t numRows, size_t count, uint8_t* quads) {
  interleaveFour(rows, stride, numRows, count, _mm512_setzero_si512(), quads);
}

/// Where the scores of a block of centroids start.
template <class Product>
inline __m512i startOf(const CodebooksInt8& books, size_t block, float inputScale) {
  const __m512 halfNorms = _mm512_loadu_ps(books.halfNorms + block * kBlockCentroids);
  const __m512 scaled =
      _mm512_max_ps(_mm512_mul_ps(halfNorms, _mm512_set1_ps(inputScale)), _mm512_set1_ps(kLeastHalfNorm));
  const __m512i start = _mm512_cvtps_epi32(scaled);
  if (!Product::kOffsets) return start;
  return _mm512_add_epi32(start, _mm512_loadu_si512(books.offsets + block * kBlockCentroids));
}

/// encode_simd.h asks for the same of quads as of floats: both have 4 bytes, and so have weights and where scores start.
template <class Product>
struct Avx512Quads : Avx512 {
  using Float = __m512i;

  static Float load(const float* quads) { return Product::values(_mm512_loadu_si512(quads)); }
  static Float loadFirst(const float* quads, size_t n) {
    return Product::values(_mm512_maskz_loadu_epi32(firstLanes(n), quads));
  }
  static Float broadcast(const float* quad) {
    int32_t bytes;
    std::memcpy(&bytes, quad, sizeof bytes);
    return _mm512_set1_epi32(bytes);
  }
  static Float fma(Float values, Float weights, Float scores) { return Product::add(values, weights, scores); }
  /// 16 · score + tag
  static Int keys(Float scores, Int tags) { return _mm512_or_si512(_mm512_slli_epi32(scores, 4), tags); }
};

inline const float* asFloats(const void* fourBytes) { return static_cast<const float*>(fourBytes); }

/// The lengths that networks have overlap; false for any other length or K.
template <class Product>
inline bool encodePositionsOfLength(const Codebooks& book, const float* x, const ptrdiff_t* taps, size_t positions,
                                    uint8_t* codes) {
  if (book.numBlocks > 1 || positions == 0) return false;
  switch (book.subvectorLength) {
    case 1: encodePositionsOverlapped<Avx512Quads<Product>, 1>(book, 0, x, taps, positions, codes); return true;
    case 3: encodePositionsOverlapped<Avx512Quads<Product>, 3>(book, 0, x, taps, positions, codes); return true;
    case 6: encodePositionsOverlapped<Avx512Quads<Product>, 6>(book, 0, x, taps, positions, codes); return true;
    default: return false;
  }
}

template <class Product>
void encodePositions(const CodebooksInt8& books, size_t codebook, const uint8_t* quads, const ptrdiff_t* taps,
                     float inputScale, size_t positions, uint8_t* codes) {
  const size_t block = codebook * books.numBlocks;
  alignas(64) int32_t start[16 * kBlockCentroids];  // of up to 16 blocks
  for (size_t b = 0; b < books.numBlocks; b++)
    _mm512_store_si512(start + b * kBlockCentroids, startOf<Product>(books, block + b, inputScale));
  const int8_t* weights = books.weights + block * books.numQuads * kBlockCentroids * 4;
  const Codebooks book = {1, books.numBlocks, books.numQuads, asFloats(weights), asFloats(start)};
  const float* x = asFloats(quads);
  size_t n = positions / 16 * 16;
  if (!encodePositionsOfLength<Product>(book, x, taps, n, codes))
    for (n = 0; n + 16 <= positions; n += 16)
      encodePositionsStep<Avx512Quads<Product>, 1, 16, false>(book, 0, x + n, taps, 16, codes + n);
  if (n < positions)
    encodePositionsStep<Avx512Quads<Product>, 1, 16, true>(book, 0, x + n, taps, positions - n, codes + n);
}

/// The greatest keys of one block of 16 centroids for 8 sub-vectors.
template <class Product>
inline void bestOfQuads(const CodebooksInt8& books, size_t block, const uint8_t* const (&quads)[8],
                        const float (&inputScale)[8], int32_t (&best)[8]) {
  const int8_t* weights = books.weights + block * books.numQuads * kBlockCentroids * 4;
  __m512i score[8];
  LUTNN_UNROLL(size_t r = 0; r < 8; r++) score[r] = startOf<Product>(books, block, inputScale[r]);
  for (size_t i = 0; i < books.numQuads; i++) {
    const __m512i four = _mm512_loadu_si512(weights + i * kBlockCentroids * 4);
    LUTNN_UNROLL(size_t r = 0; r < 8; r++) {
      int32_t values;
      std::memcpy(&values, quads[r] + 4 * i, sizeof values);
      score[r] = Product::addRow(_mm512_set1_epi32(values), four, score[r]);
    }
  }
  LUTNN_UNROLL(size_t r = 0; r < 8; r++) score[r] = Avx512Quads<Product>::keys(score[r], Avx512::laneTags(0));
  Avx512::rowMaxima(score, best);
}

template <class Product>
void encodeRows(const CodebooksInt8& books, const uint8_t* quads, const float* inputScales, size_t rows,
                uint8_t* codes) {
  encodeRowsOfQuads<8, bestOfQuads<Product>>(books, quads, inputScales, rows, codes);
}

}  // namespace

}  // namespace lutnn
