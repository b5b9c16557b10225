// Codes of 8-bit inputs by AVX2. Inputs lose their 128 here; the signs of one factor go over to the other, so that pairs of
// products fit into 16 bits: 2 · 128 · 127 < 2¹⁵.
#include <cstring>

#include "isa/avx2/simd.h"

namespace lutnn {
namespace {

inline __m256i loadBytes(const void* bytes) { return _mm256_loadu_si256(static_cast<const __m256i*>(bytes)); }

float largest(const float* x, size_t count) {
  const __m256 size = _mm256_castsi256_ps(_mm256_set1_epi32(INT32_MAX));
  __m256 most[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (size_t j = 0; j < 2; j++)  // NaN leaves `most` as it is
      most[j] = _mm256_max_ps(_mm256_and_ps(_mm256_loadu_ps(x + i + 8 * j), size), most[j]);
  for (; i < count; i += 8) {
    const __m256 some = count - i < 8 ? Avx2::loadFirst(x + i, count - i) : _mm256_loadu_ps(x + i);
    most[0] = _mm256_max_ps(_mm256_and_ps(some, size), most[0]);
  }
  alignas(32) float lanes[8];
  _mm256_store_ps(lanes, _mm256_max_ps(most[0], most[1]));
  float result = lanes[0];
  for (float lane : lanes) result = lane > result ? lane : result;
  return result;
}

/// round(value), within least … most, and `zero` more.
inline __m256i rounded(__m256 value, float least, float most, int zero) {
  value = _mm256_min_ps(_mm256_max_ps(value, _mm256_set1_ps(least)), _mm256_set1_ps(most));  // NaN becomes `least`
  return _mm256_add_epi32(_mm256_cvtps_epi32(value), _mm256_set1_epi32(zero));
}

/// words(8 floats) → their bytes as 32-bit integers
template <class Words>
inline void toBytes(const float* x, size_t count, uint8_t* q, Words quantized) {
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i words[4];
    LUTNN_UNROLL(size_t j = 0; j < 4; j++) words[j] = quantized(_mm256_loadu_ps(x + i + 8 * j));
    const __m256i bytes =
        _mm256_packus_epi16(_mm256_packs_epi32(words[0], words[1]), _mm256_packs_epi32(words[2], words[3]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(q + i), _mm256_permutevar8x32_epi32(bytes, order));
  }
  for (; i < count; i += 8) {
    const size_t left = count - i < 8 ? count - i : 8;
    const __m256i words = quantized(left < 8 ? Avx2::loadFirst(x + i, left) : _mm256_loadu_ps(x + i));
    alignas(32) int32_t lanes[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), words);
    for (size_t j = 0; j < left; j++) q[i + j] = static_cast<uint8_t>(lanes[j]);
  }
}

void quantize(const float* x, size_t count, float inputScale, uint8_t* q) {
  const __m256 scale = _mm256_set1_ps(inputScale);
  toBytes(x, count, q, [&](__m256 some) { return rounded(_mm256_mul_ps(some, scale), -127, 127, 128); });
}

void quantizeBy(const float* x, size_t count, float scale, uint8_t zeroPoint, uint8_t* q) {
  const __m256 divisor = _mm256_set1_ps(scale);
  const float least = -static_cast<float>(zeroPoint);
  toBytes(x, count, q,
          [&](__m256 some) { return rounded(_mm256_div_ps(some, divisor), least, 255 + least, zeroPoint); });
}

void spread(const uint8_t* bytes, size_t count, uint8_t* quads) {
  const __m256i order = _mm256_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6,  //
                                         4, 5, 6, 7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10);
  size_t n = 0;
  for (; n + 13 <= count; n += 8) {  // 16 bytes are there, of which 11 are wanted
    const __m128i some = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + n));
    const __m256i quad = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(some), order);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(quads + 4 * n), quad);
  }
  for (; n < count; n++) std::memcpy(quads + 4 * n, bytes + n, 4);
}

void interleave(const uint8_t* rows, size_t stride, size_t numRows, size_t count, uint8_t* quads) {
  size_t n = 0;
  for (; n + 32 <= count; n += 32) {
    __m256i row[4];
    for (size_t r = 0; r < 4; r++) row[r] = r < numRows ? loadBytes(rows + r * stride + n) : _mm256_setzero_si256();
    const __m256i evenLow = _mm256_unpacklo_epi8(row[0], row[1]), evenHigh = _mm256_unpackhi_epi8(row[0], row[1]);
    const __m256i oddLow = _mm256_unpacklo_epi8(row[2], row[3]), oddHigh = _mm256_unpackhi_epi8(row[2], row[3]);
    const __m256i quarter[4] = {_mm256_unpacklo_epi16(evenLow, oddLow), _mm256_unpackhi_epi16(evenLow, oddLow),
                                _mm256_unpacklo_epi16(evenHigh, oddHigh), _mm256_unpackhi_epi16(evenHigh, oddHigh)};
    __m256i* to = reinterpret_cast<__m256i*>(quads + 4 * n);  // each quarter holds 4 quads of either 16
    _mm256_storeu_si256(to, _mm256_permute2x128_si256(quarter[0], quarter[1], 0x20));
    _mm256_storeu_si256(to + 1, _mm256_permute2x128_si256(quarter[2], quarter[3], 0x20));
    _mm256_storeu_si256(to + 2, _mm256_permute2x128_si256(quarter[0], quarter[1], 0x31));
    _mm256_storeu_si256(to + 3, _mm256_permute2x128_si256(quarter[2], quarter[3], 0x31));
  }
  for (; n < count; n++)
    for (size_t r = 0; r < 4; r++) quads[4 * n + r] = r < numRows ? rows[r * stride + n] : 0;
}

inline __m256i withoutOffset(__m256i quads) { return _mm256_xor_si256(quads, _mm256_set1_epi8(-128)); }

/// scores + the sums of each quad's products of sizes (unsigned) and factors.
inline __m256i addProducts(__m256i sizes, __m256i factors, __m256i scores) {
  const __m256i pairs = _mm256_maddubs_epi16(sizes, factors);
  return _mm256_add_epi32(scores, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/// Where the scores of 8 centroids start.
inline __m256i startOf(const float* halfNorms, float inputScale) {
  const __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(halfNorms), _mm256_set1_ps(inputScale));
  return _mm256_cvtps_epi32(_mm256_max_ps(scaled, _mm256_set1_ps(kLeastHalfNorm)));
}

/// encode_simd.h asks for the same of quads as of floats: both have 4 bytes, and so have weights and where scores start.
struct Avx2Quads : Avx2 {
  using Float = __m256i;

  static Float load(const float* quads) { return withoutOffset(loadBytes(quads)); }
  static Float loadFirst(const float* quads, size_t n) {
    return withoutOffset(_mm256_castps_si256(Avx2::loadFirst(quads, n)));
  }
  static Float broadcast(const float* quad) { return _mm256_castps_si256(_mm256_broadcast_ss(quad)); }
  static Float fma(Float values, Float weights, Float scores) {
    return addProducts(_mm256_abs_epi8(values), _mm256_sign_epi8(weights, values), scores);
  }
  /// 16 · score + tag
  static Int keys(Float scores, Int tags) { return _mm256_or_si256(_mm256_slli_epi32(scores, 4), tags); }
};

inline const float* asFloats(const void* fourBytes) { return static_cast<const float*>(fourBytes); }

void encodePositions(const CodebooksInt8& books, size_t codebook, const uint8_t* quads, const ptrdiff_t* taps,
                     float inputScale, size_t positions, uint8_t* codes) {
  const size_t block = codebook * books.numBlocks;
  alignas(32) int32_t start[16 * kBlockCentroids];  // of up to 16 blocks
  for (size_t k = 0; k < books.numBlocks * kBlockCentroids; k += 8)
    _mm256_store_si256(reinterpret_cast<__m256i*>(start + k),
                       startOf(books.halfNorms + block * kBlockCentroids + k, inputScale));
  const int8_t* weights = books.weights + block * books.numQuads * kBlockCentroids * 4;
  const Codebooks book = {1, books.numBlocks, books.numQuads, asFloats(weights), asFloats(start)};
  const float* x = asFloats(quads);
  size_t n = 0;
  for (; n + 16 <= positions; n += 16) encodePositionsStep<Avx2Quads, 2, 4, false>(book, 0, x + n, taps, 8, codes + n);
  const size_t rest = positions - n;
  if (rest > 8) encodePositionsStep<Avx2Quads, 2, 4, true>(book, 0, x + n, taps, rest - 8, codes + n);
  else if (rest > 0) encodePositionsStep<Avx2Quads, 1, 8, true>(book, 0, x + n, taps, rest, codes + n);
}

/// The greatest keys of one block of 16 centroids for 4 sub-vectors.
inline void bestOfQuads(const CodebooksInt8& books, size_t block, const uint8_t* const (&quads)[4],
                        const float (&inputScale)[4], int32_t (&best)[4]) {
  const int8_t* weights = books.weights + block * books.numQuads * kBlockCentroids * 4;
  const float* halfNorms = books.halfNorms + block * kBlockCentroids;
  __m256i score[4][2];
  LUTNN_UNROLL(int r = 0; r < 4; r++) {
    LUTNN_UNROLL(int p = 0; p < 2; p++) score[r][p] = startOf(halfNorms + 8 * p, inputScale[r]);
  }
  for (size_t i = 0; i < books.numQuads; i++, weights += kBlockCentroids * 4) {
    const __m256i four[2] = {loadBytes(weights), loadBytes(weights + 32)};
    LUTNN_UNROLL(int r = 0; r < 4; r++) {
      int32_t quad;
      std::memcpy(&quad, quads[r] + 4 * i, sizeof quad);
      const __m256i values = withoutOffset(_mm256_set1_epi32(quad));
      const __m256i sizes = _mm256_abs_epi8(values);  // values may be −128, weights not
      LUTNN_UNROLL(int p = 0; p < 2; p++)
        score[r][p] = addProducts(sizes, _mm256_sign_epi8(four[p], values), score[r][p]);
    }
  }
  __m256i keys[4];
  LUTNN_UNROLL(int r = 0; r < 4; r++)
    keys[r] =
        Avx2::max(Avx2Quads::keys(score[r][0], Avx2::laneTags(0)), Avx2Quads::keys(score[r][1], Avx2::laneTags(1)));
  Avx2::rowMaxima(keys, best);
}

}  // namespace

const MicrokernelsInt8 kAvx2MicrokernelsInt8 = {
    .largest = largest,
    .quantize = quantize,
    .quantizeBy = quantizeBy,
    .spread = spread,
    .interleave = interleave,
    .encodeRows = encodeRowsOfQuads<4, bestOfQuads>,
    .encodePositions = encodePositions,
};

}  // namespace lutnn
