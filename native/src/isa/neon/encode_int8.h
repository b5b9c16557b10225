// Codes of 8-bit inputs by NEON, written once over a file's own `Product`:
//   dot(scores, values, weights)      scores + the sums of the products of 4 quads of signed bytes, of values −128 … 127
//                                     and weights within ±127 where the other one is not 0
// Inputs lose their 128 here, and scores start without what it adds.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include "isa/neon/simd.h"

namespace lutnn {
namespace {

float largest(const float* x, size_t count) {
  float32x4_t most = vdupq_n_f32(0);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const float32x4_t size = vabsq_f32(vld1q_f32(x + i));
    most = vbslq_f32(vcgtq_f32(size, most), size, most);  // NaN leaves `most` as it is
  }
  float result = vmaxvq_f32(most);
  for (; i < count; i++) {
    const float size = x[i] < 0 ? -x[i] : x[i];
    if (size > result) result = size;
  }
  return result;
}

/// scaled(4 floats) → bytes: rounded, within smallest … largest, and `zero` more
template <class Scaled>
inline void toBytes(const float* x, size_t count, uint8_t* q, float smallest, float largest, int zero, Scaled scaled) {
  const float32x4_t least = vdupq_n_f32(smallest), most = vdupq_n_f32(largest);
  for (size_t i = 0; i < count; i += 4) {
    const size_t left = count - i < 4 ? count - i : 4;
    float32x4_t value = scaled(left == 4 ? vld1q_f32(x + i) : Neon::loadFirst(x + i, left));
    value = vbslq_f32(vcgtq_f32(value, least), value, least);  // NaN becomes `least`
    value = vbslq_f32(vcltq_f32(value, most), value, most);
    const int32x4_t four = vaddq_s32(vcvtnq_s32_f32(value), vdupq_n_s32(zero));
    const uint16x4_t words = vqmovun_s32(four);
    const uint8x8_t bytes = vqmovn_u16(vcombine_u16(words, words));
    uint8_t lanes[8];
    vst1_u8(lanes, bytes);
    std::memcpy(q + i, lanes, left);
  }
}

void quantize(const float* x, size_t count, float inputScale, uint8_t* q) {
  toBytes(x, count, q, -127, 127, 128, [&](float32x4_t some) { return vmulq_n_f32(some, inputScale); });
}

void quantizeBy(const float* x, size_t count, float scale, uint8_t zeroPoint, uint8_t* q) {
  const float least = -static_cast<float>(zeroPoint);
  toBytes(x, count, q, least, 255 + least, zeroPoint,
          [&](float32x4_t some) { return vdivq_f32(some, vdupq_n_f32(scale)); });
}

/// The bytes n … n + 3 of 4 neighbouring n.
void spread(const uint8_t* bytes, size_t count, uint8_t* quads) {
  static const uint8_t order[16] = {0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6};
  const uint8x16_t index = vld1q_u8(order);
  size_t n = 0;
  for (; n + 13 <= count; n += 4) vst1q_u8(quads + 4 * n, vqtbl1q_u8(vld1q_u8(bytes + n), index));
  for (; n < count; n++) std::memcpy(quads + 4 * n, bytes + n, 4);
}

void interleave(const uint8_t* rows, size_t stride, size_t numRows, size_t count, uint8_t* quads) {
  size_t n = 0;
  for (; n + 16 <= count; n += 16) {
    uint8x16x4_t four;
    for (size_t r = 0; r < 4; r++) four.val[r] = r < numRows ? vld1q_u8(rows + r * stride + n) : vdupq_n_u8(0);
    vst4q_u8(quads + 4 * n, four);
  }
  for (; n < count; n++)
    for (size_t r = 0; r < 4; r++) quads[4 * n + r] = r < numRows ? rows[r * stride + n] : 0;
}

/// Where the scores of 4 centroids start.
inline int32x4_t startOf(const float* halfNorms, float inputScale) {
  const float32x4_t scaled = vmulq_n_f32(vld1q_f32(halfNorms), inputScale), least = vdupq_n_f32(kLeastHalfNorm);
  return vcvtnq_s32_f32(vbslq_f32(vcgtq_f32(scaled, least), scaled, least));
}

inline int8x16_t signedBytes(uint8x16_t quads) { return vreinterpretq_s8_u8(veorq_u8(quads, vdupq_n_u8(128))); }

/// encode_simd.h asks for the same of quads as of floats: both have 4 bytes, and so have weights and where scores start.
template <class Product>
struct NeonQuads : Neon {
  using Float = int32x4_t;

  static Float load(const float* quads) {
    return vreinterpretq_s32_s8(signedBytes(vld1q_u8(reinterpret_cast<const uint8_t*>(quads))));
  }
  static Float loadFirst(const float* quads, size_t n) {
    uint8_t lanes[16] = {};
    std::memcpy(lanes, quads, 4 * n);
    return vreinterpretq_s32_s8(signedBytes(vld1q_u8(lanes)));
  }
  static Float broadcast(const float* quad) { return vld1q_dup_s32(reinterpret_cast<const int32_t*>(quad)); }
  static Float fma(Float values, Float weights, Float scores) {
    return Product::dot(scores, vreinterpretq_s8_s32(values), vreinterpretq_s8_s32(weights));
  }
  /// 16 · score + tag
  static Int keys(Float scores, Int tags) { return vorrq_s32(vshlq_n_s32(scores, 4), tags); }
};

inline const float* asFloats(const void* fourBytes) { return static_cast<const float*>(fourBytes); }

template <class Product>
void encodePositions(const CodebooksInt8& books, size_t codebook, const uint8_t* quads, const ptrdiff_t* taps,
                     float inputScale, size_t positions, uint8_t* codes) {
  const size_t block = codebook * books.numBlocks;
  int32_t start[16 * kBlockCentroids];  // of up to 16 blocks
  for (size_t k = 0; k < books.numBlocks * kBlockCentroids; k += 4)
    vst1q_s32(start + k, startOf(books.halfNorms + block * kBlockCentroids + k, inputScale));
  const int8_t* weights = books.weights + block * books.numQuads * kBlockCentroids * 4;
  const Codebooks book = {1, books.numBlocks, books.numQuads, asFloats(weights), asFloats(start)};
  const float* x = asFloats(quads);
  using Simd = NeonQuads<Product>;
  size_t n = 0;
  for (; n + 16 <= positions; n += 16) encodePositionsStep<Simd, 4, 4, false>(book, 0, x + n, taps, 4, codes + n);
  for (; n + 4 <= positions; n += 4) encodePositionsStep<Simd, 1, 8, false>(book, 0, x + n, taps, 4, codes + n);
  if (n < positions) encodePositionsStep<Simd, 1, 8, true>(book, 0, x + n, taps, positions - n, codes + n);
}

/// The greatest keys of one block of 16 centroids for 4 sub-vectors.
template <class Product>
inline void bestOfQuads(const CodebooksInt8& books, size_t block, const uint8_t* const (&quads)[4],
                        const float (&inputScale)[4], int32_t (&best)[4]) {
  const int8_t* weights = books.weights + block * books.numQuads * kBlockCentroids * 4;
  const float* halfNorms = books.halfNorms + block * kBlockCentroids;
  int32x4_t score[4][4];
  LUTNN_UNROLL(int r = 0; r < 4; r++) {
    LUTNN_UNROLL(int p = 0; p < 4; p++) score[r][p] = startOf(halfNorms + 4 * p, inputScale[r]);
  }
  for (size_t i = 0; i < books.numQuads; i++, weights += kBlockCentroids * 4) {
    LUTNN_UNROLL(int r = 0; r < 4; r++) {
      uint32_t quad;
      std::memcpy(&quad, quads[r] + 4 * i, sizeof quad);
      const int8x16_t values = signedBytes(vreinterpretq_u8_u32(vdupq_n_u32(quad)));
      LUTNN_UNROLL(int p = 0; p < 4; p++) score[r][p] = Product::dot(score[r][p], values, vld1q_s8(weights + 16 * p));
    }
  }
  int32x4_t keys[4];
  LUTNN_UNROLL(int r = 0; r < 4; r++) {
    keys[r] = NeonQuads<Product>::keys(score[r][0], Neon::laneTags(0));
    LUTNN_UNROLL(int p = 1; p < 4; p++)
      keys[r] = vmaxq_s32(keys[r], NeonQuads<Product>::keys(score[r][p], Neon::laneTags(p)));
  }
  Neon::rowMaxima(keys, best);
}

template <class Product>
constexpr MicrokernelsInt8 microkernels() {
  return {
      .largest = largest,
      .quantize = quantize,
      .quantizeBy = quantizeBy,
      .spread = spread,
      .interleave = interleave,
      .encodeRows = encodeRowsOfQuads<4, bestOfQuads<Product>>,
      .encodePositions = encodePositions<Product>,
  };
}

}  // namespace
}  // namespace lutnn
