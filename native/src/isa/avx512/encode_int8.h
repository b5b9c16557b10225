// Codes of 8-bit inputs by AVX-512, written once over a file's own `Product`: how the products of quads are added up, for
// 16 centroids of a row or for 16 positions and one centroid.
//   kOffsets                  whether scores start with the offsets, as inputs keep their 128
//   values(quads)             16 quads of inputs as `add` takes them
//   add(values, weights, scores)      scores + the sums of each quad's products; values are used for many weights
//   addRow(quad, weights, scores)     the same; weights are used for many quads
//   keys(scores, tags), kTagShift     16 · score + tag, for tags that were shifted to the left so far
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include <cstring>

#include "isa/avx512/quantizer.h"

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

/// The first lanes of `count` that are left.
inline __mmask16 leftLanes(size_t count) { return count < 16 ? Avx512::firstLanes(count) : static_cast<__mmask16>(~0); }

inline void storeBytes(uint8_t* q, __mmask16 mask, __m512i values) {
  const __m128i bytes = _mm512_cvtepi32_epi8(values);
  if (mask == 0xffff) _mm_storeu_si128(reinterpret_cast<__m128i*>(q), bytes);
  else _mm_mask_storeu_epi8(q, mask, bytes);
}

void quantize(const float* x, size_t count, float inputScale, uint8_t* q) {
  const __m512 scale = _mm512_set1_ps(inputScale), least = _mm512_set1_ps(-127), most = _mm512_set1_ps(127);
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 mask = leftLanes(count - i);
    __m512 value = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), scale);
    value = _mm512_min_ps(_mm512_max_ps(value, least), most);  // NaN becomes `least`
    storeBytes(q + i, mask, _mm512_add_epi32(_mm512_cvtps_epi32(value), _mm512_set1_epi32(128)));
  }
}

void quantizeBy(const float* x, size_t count, float scale, uint8_t zeroPoint, uint8_t* q) {
  const Quantizer quantizer(scale, zeroPoint);
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 mask = leftLanes(count - i);
    storeBytes(q + i, mask, quantizer.bytesOf(_mm512_maskz_loadu_ps(mask, x + i)));
  }
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
  static Int loadSame(const int32_t* tag) {
    return same(static_cast<int32_t>(static_cast<uint32_t>(*tag) << Product::kTagShift));
  }
  static Int laneTags(int part) { return _mm512_slli_epi32(Avx512::laneTags(part), Product::kTagShift); }
  static Int keys(Float scores, Int tags) { return Product::keys(scores, tags); }
};

inline const float* asFloats(const void* fourBytes) { return static_cast<const float*>(fourBytes); }

/// Codes at 32 positions a turn, whose weights are loaded once for both halves, for K ≤ 16 and kQuads quads: 4 centroids at
/// a time with all their sums in registers. Returns the first position that is left.
template <class Product, int kQuads>
inline size_t encodePairs(const Codebooks& book, const float* x, const ptrdiff_t* taps, size_t positions,
                          uint8_t* codes) {
  using Simd = Avx512Quads<Product>;
  constexpr int kVectors = 2, kCentroids = 4;
  const float* weights = book.centroids;
  size_t n = 0;
  for (; n + 16 * kVectors <= positions; n += 16 * kVectors) {
    __m512i best[kVectors], values[kQuads][kVectors];
    LUTNN_UNROLL(int i = 0; i < kVectors; i++) {
      best[i] = Simd::same(INT32_MIN);
      LUTNN_UNROLL(int v = 0; v < kQuads; v++) values[v][i] = Simd::load(x + taps[v] + n + 16 * i);
    }
    LUTNN_UNROLL(int first = 0; first < 16; first += kCentroids) {
      LUTNN_FORGET(weights);
      __m512i score[kCentroids][kVectors];
      LUTNN_UNROLL(int k = 0; k < kCentroids; k++) {
        LUTNN_UNROLL(int i = 0; i < kVectors; i++) score[k][i] = Simd::broadcast(book.halfNorms + first + k);
      }
      LUTNN_UNROLL(int v = 0; v < kQuads; v++) {
        LUTNN_UNROLL(int k = 0; k < kCentroids; k++) {
          const __m512i weight = Simd::broadcast(weights + v * kBlockCentroids + first + k);
          LUTNN_UNROLL(int i = 0; i < kVectors; i++) score[k][i] = Simd::fma(values[v][i], weight, score[k][i]);
        }
      }
      LUTNN_UNROLL(int k = 0; k < kCentroids; k++) {
        LUTNN_UNROLL(int i = 0; i < kVectors; i++)
          best[i] = Simd::max(best[i], Simd::keys(score[k][i], Simd::loadSame(kTags + first + k)));
      }
    }
    LUTNN_UNROLL(int i = 0; i < kVectors; i++) Simd::storeCodes(codes + n + 16 * i, best[i], Simd::same(0));
  }
  return n;
}

/// The above for the lengths that networks have.
template <class Product>
inline size_t encodePairsOfLength(const Codebooks& book, const float* x, const ptrdiff_t* taps, size_t positions,
                                  uint8_t* codes) {
  switch (book.numBlocks > 1 ? 0 : book.subvectorLength) {
    case 1: return encodePairs<Product, 1>(book, x, taps, positions, codes);
    case 3: return encodePairs<Product, 3>(book, x, taps, positions, codes);
    case 6: return encodePairs<Product, 6>(book, x, taps, positions, codes);
    case 9: return encodePairs<Product, 9>(book, x, taps, positions, codes);
    default: return 0;
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
  size_t n = encodePairsOfLength<Product>(book, x, taps, positions, codes);
  for (; n + 16 <= positions; n += 16)
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
  LUTNN_UNROLL(size_t r = 0; r < 8; r++)
    score[r] = Avx512Quads<Product>::keys(score[r], Avx512Quads<Product>::laneTags(0));
  Avx512::rowMaxima(score, best);
}

template <class Product>
void encodeRows(const CodebooksInt8& books, const uint8_t* quads, const float* inputScales, size_t rows,
                uint8_t* codes) {
  encodeRowsOfQuads<8, bestOfQuads<Product>>(books, quads, inputScales, rows, codes);
}

}  // namespace

}  // namespace lutnn
