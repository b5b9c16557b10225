// Encode, written once over a file's own `Simd`: a struct of a few vector operations with
//   Float, Int, kLanes        vectors of 32-bit lanes
//   load, loadFirst(x, n)     all lanes; the first n, the others anything
//   broadcast, fma(a, b, c)   a · b + c, rounded once
//   same(i), loadSame(i)      an integer, or one in memory, in every lane
//   laneTags(part)            15 − (part · kLanes + lane)
//   keys(scores, tags)        key() of every lane, with a tag of 4 bits in its low bits
//   max                       of signed lanes
//   better(best, bestBlock, keys, b)    best = keys and bestBlock = b where keys are greater without their tags
//   storeCodes(codes, best, bestBlock)  16 · bestBlock + 15 − tag to kLanes bytes
//   rowMaxima(keys, maxima)   the largest lane of each of several vectors
// The tag of centroid k is 15 − k: of equal keys the lower k is the greater with its tag.
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include "isa/generic/compiler.h"
#include "isa/microkernels.h"

namespace lutnn {
namespace {

alignas(64) constexpr int32_t kTags[16] = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};

/// The greatest keys of one block of 16 centroids at kVectors · kLanes positions, kCentroids centroids at a time with
/// all their sums in registers. The last vector holds `last` positions (kPartial) or all of them.
template <class Simd, int kVectors, int kCentroids, bool kPartial>
inline void bestOfBlock(const Codebooks& books, size_t block, const float* x, const ptrdiff_t* taps, size_t last,
                        typename Simd::Int (&best)[kVectors]) {
  using Float = typename Simd::Float;
  const size_t length = books.subvectorLength;
  const float* centroids = books.centroids + block * length * kBlockCentroids;
  const float* halfNorms = books.halfNorms + block * kBlockCentroids;
  LUTNN_UNROLL(int i = 0; i < kVectors; i++) best[i] = Simd::same(INT32_MIN);
  for (int first = 0; first < 16; first += kCentroids) {
    Float score[kCentroids][kVectors];
    LUTNN_UNROLL(int k = 0; k < kCentroids; k++) {
      LUTNN_UNROLL(int i = 0; i < kVectors; i++) score[k][i] = Simd::broadcast(halfNorms + first + k);
    }
    for (size_t v = 0; v < length; v++) {
      const float* tap = x + taps[v];
      Float value[kVectors];
      LUTNN_UNROLL(int i = 0; i < kVectors; i++) {
        const bool partial = kPartial && i == kVectors - 1;
        value[i] = partial ? Simd::loadFirst(tap + i * Simd::kLanes, last) : Simd::load(tap + i * Simd::kLanes);
      }
      LUTNN_UNROLL(int k = 0; k < kCentroids; k++) {
        const Float centroid = Simd::broadcast(centroids + v * kBlockCentroids + first + k);
        LUTNN_UNROLL(int i = 0; i < kVectors; i++) score[k][i] = Simd::fma(value[i], centroid, score[k][i]);
      }
    }
    LUTNN_UNROLL(int i = 0; i < kVectors; i++) {
      LUTNN_UNROLL(int k = 0; k < kCentroids; k++)
        best[i] = Simd::max(best[i], Simd::keys(score[k][i], Simd::loadSame(kTags + first + k)));
    }
  }
}

/// Positions in lanes.
template <class Simd, int kVectors, int kCentroids, bool kPartial>
inline void encodePositionsStep(const Codebooks& books, size_t codebook, const float* x, const ptrdiff_t* taps,
                                size_t last, uint8_t* codes) {
  using Int = typename Simd::Int;
  const size_t block = codebook * books.numBlocks;
  Int best[kVectors], bestBlock[kVectors], keys[kVectors];
  bestOfBlock<Simd, kVectors, kCentroids, kPartial>(books, block, x, taps, last, best);
  LUTNN_UNROLL(int i = 0; i < kVectors; i++) bestBlock[i] = Simd::same(0);
  for (size_t b = 1; b < books.numBlocks; b++) {
    bestOfBlock<Simd, kVectors, kCentroids, kPartial>(books, block + b, x, taps, last, keys);
    LUTNN_UNROLL(int i = 0; i < kVectors; i++) Simd::better(best[i], bestBlock[i], keys[i], static_cast<int>(b));
  }
  LUTNN_UNROLL(int i = 0; i < kVectors; i++) {
    if (kPartial && i == kVectors - 1) {
      uint8_t lanes[Simd::kLanes];
      Simd::storeCodes(lanes, best[i], bestBlock[i]);
      for (size_t n = 0; n < last; n++) codes[i * Simd::kLanes + n] = lanes[n];
    } else {
      Simd::storeCodes(codes + i * Simd::kLanes, best[i], bestBlock[i]);
    }
  }
}

/// Positions in lanes, for K ≤ 16 and a fixed V = kLength. While the sums of one half of the centroids grow, the keys of
/// the half before are compared: the multipliers and the other units are busy at the same time. Whole vectors only.
template <class Simd, int kLength>
inline void encodePositionsOverlapped(const Codebooks& books, size_t codebook, const float* x, const ptrdiff_t* taps,
                                      size_t positions, uint8_t* codes) {
  using Float = typename Simd::Float;
  constexpr int kHalf = 8;
  const float* centroids = books.centroids + codebook * kLength * kBlockCentroids;
  const float* halfNorms = books.halfNorms + codebook * kBlockCentroids;
  typename Simd::Int best = Simd::same(INT32_MIN);
  Float before[kHalf];
  LUTNN_UNROLL(int k = 0; k < kHalf; k++) before[k] = Simd::broadcast(halfNorms);
  for (size_t n = 0; n < positions; n += Simd::kLanes) {
    LUTNN_FORGET(centroids);
    LUTNN_FORGET(halfNorms);
    LUTNN_UNROLL(int first = 0; first < 16; first += kHalf) {
      Float score[kHalf];
      LUTNN_UNROLL(int k = 0; k < kHalf; k++) score[k] = Simd::broadcast(halfNorms + first + k);
      LUTNN_UNROLL(int v = 0; v < kLength; v++) {
        const Float value = Simd::load(x + taps[v] + n);
        LUTNN_UNROLL(int k = 0; k < kHalf; k++)
          score[k] = Simd::fma(value, Simd::broadcast(centroids + v * kBlockCentroids + first + k), score[k]);
        LUTNN_UNROLL(int k = v * kHalf / kLength; k < (v + 1) * kHalf / kLength; k++)
          best = Simd::max(best, Simd::keys(before[k], Simd::loadSame(kTags + (kHalf - first) + k)));
      }
      LUTNN_UNROLL(int k = 0; k < kHalf; k++) before[k] = score[k];
      if (first > 0) continue;
      if (n > 0) Simd::storeCodes(codes + n - Simd::kLanes, best, Simd::same(0));
      best = Simd::same(INT32_MIN);
    }
  }
  LUTNN_UNROLL(int k = 0; k < kHalf; k++)
    best = Simd::max(best, Simd::keys(before[k], Simd::loadSame(kTags + kHalf + k)));
  Simd::storeCodes(codes + positions - Simd::kLanes, best, Simd::same(0));
}

/// The above for the lengths that networks have; false for any other length or K.
template <class Simd>
inline bool encodePositionsFast(const Codebooks& books, size_t codebook, const float* x, const ptrdiff_t* taps,
                                size_t positions, uint8_t* codes) {
  if (books.numBlocks > 1 || positions == 0) return false;
  switch (books.subvectorLength) {
    case 4: encodePositionsOverlapped<Simd, 4>(books, codebook, x, taps, positions, codes); return true;
    case 8: encodePositionsOverlapped<Simd, 8>(books, codebook, x, taps, positions, codes); return true;
    case 9: encodePositionsOverlapped<Simd, 9>(books, codebook, x, taps, positions, codes); return true;
    case 16: encodePositionsOverlapped<Simd, 16>(books, codebook, x, taps, positions, codes); return true;
    case 18: encodePositionsOverlapped<Simd, 18>(books, codebook, x, taps, positions, codes); return true;
    case 32: encodePositionsOverlapped<Simd, 32>(books, codebook, x, taps, positions, codes); return true;
    default: return false;
  }
}

/// The greatest keys of one block of 16 centroids, in lanes, for kRows sub-vectors with all their sums in registers.
/// kLength is V where it is fixed, else 0.
template <class Simd, int kRows, int kLength>
inline void bestOfRows(const Codebooks& books, size_t block, const float* const (&x)[kRows], int32_t (&best)[kRows]) {
  using Float = typename Simd::Float;
  constexpr int kParts = 16 / Simd::kLanes;
  const size_t length = kLength ? kLength : books.subvectorLength;
  const float* centroids = books.centroids + block * length * kBlockCentroids;
  Float score[kRows][kParts];
  LUTNN_UNROLL(int p = 0; p < kParts; p++) {
    const Float halfNorm = Simd::load(books.halfNorms + block * kBlockCentroids + p * Simd::kLanes);
    LUTNN_UNROLL(int r = 0; r < kRows; r++) score[r][p] = halfNorm;
  }
  for (size_t v = 0; v < length; v++) {
    Float centroid[kParts];
    LUTNN_UNROLL(int p = 0; p < kParts; p++)
      centroid[p] = Simd::load(centroids + v * kBlockCentroids + p * Simd::kLanes);
    LUTNN_UNROLL(int r = 0; r < kRows; r++) {
      const Float value = Simd::broadcast(x[r] + v);
      LUTNN_UNROLL(int p = 0; p < kParts; p++) score[r][p] = Simd::fma(value, centroid[p], score[r][p]);
    }
  }
  typename Simd::Int keys[kRows];
  LUTNN_UNROLL(int r = 0; r < kRows; r++) {
    keys[r] = Simd::keys(score[r][0], Simd::laneTags(0));
    LUTNN_UNROLL(int p = 1; p < kParts; p++) keys[r] = Simd::max(keys[r], Simd::keys(score[r][p], Simd::laneTags(p)));
  }
  Simd::rowMaxima(keys, best);
}

/// What keys of block b better, in best and bestBlock.
template <int kRows>
inline void mergeBlocks(int32_t (&best)[kRows], size_t (&bestBlock)[kRows], const int32_t (&keys)[kRows], size_t b) {
  for (int r = 0; r < kRows; r++) {
    if ((keys[r] & ~15) <= (best[r] & ~15)) continue;
    best[r] = keys[r];
    bestBlock[r] = b;
  }
}

inline uint8_t codeOf(int32_t key, size_t block) {
  return static_cast<uint8_t>(block * kBlockCentroids + static_cast<size_t>(15 - (key & 15)));
}

/// Centroids in lanes; rows kRows at a time, at the end with the last row repeated.
template <class Simd, int kRows, int kLength>
inline void encodeRowsOfLength(const Codebooks& books, const float* x, size_t rowStride, size_t rows, uint8_t* codes) {
  for (size_t n = 0; n < rows; n += kRows) {
    size_t row[kRows];
    for (size_t r = 0; r < kRows; r++) row[r] = n + r < rows ? n + r : rows - 1;
    for (size_t c = 0; c < books.numCodebooks; c++) {
      const float* subvector[kRows];
      for (int r = 0; r < kRows; r++) subvector[r] = x + row[r] * rowStride + c * books.subvectorLength;
      int32_t best[kRows], keys[kRows];
      size_t bestBlock[kRows] = {};
      bestOfRows<Simd, kRows, kLength>(books, c * books.numBlocks, subvector, best);
      for (size_t b = 1; b < books.numBlocks; b++) {
        bestOfRows<Simd, kRows, kLength>(books, c * books.numBlocks + b, subvector, keys);
        mergeBlocks(best, bestBlock, keys, b);
      }
      for (int r = 0; r < kRows; r++) codes[row[r] * books.numCodebooks + c] = codeOf(best[r], bestBlock[r]);
    }
  }
}

/// The same for 8-bit inputs; kBestOfQuads finds the greatest keys of one block for kRows sub-vectors of quads.
template <int kRows, auto kBestOfQuads>
inline void encodeRowsOfQuads(const CodebooksInt8& books, const uint8_t* quads, const float* inputScales, size_t rows,
                              uint8_t* codes) {
  const size_t bookBytes = books.numQuads * 4;
  for (size_t n = 0; n < rows; n += kRows) {
    size_t row[kRows];
    float scale[kRows];
    for (size_t r = 0; r < kRows; r++) {
      row[r] = n + r < rows ? n + r : rows - 1;
      scale[r] = inputScales[row[r]];
    }
    for (size_t c = 0; c < books.numCodebooks; c++) {
      const uint8_t* subvector[kRows];
      for (size_t r = 0; r < kRows; r++) subvector[r] = quads + (row[r] * books.numCodebooks + c) * bookBytes;
      int32_t best[kRows], keys[kRows];
      size_t bestBlock[kRows] = {};
      kBestOfQuads(books, c * books.numBlocks, subvector, scale, best);
      for (size_t b = 1; b < books.numBlocks; b++) {
        kBestOfQuads(books, c * books.numBlocks + b, subvector, scale, keys);
        mergeBlocks(best, bestBlock, keys, b);
      }
      for (size_t r = 0; r < kRows; r++) codes[row[r] * books.numCodebooks + c] = codeOf(best[r], bestBlock[r]);
    }
  }
}

template <class Simd, int kRows>
inline void encodeRowsBy(const Codebooks& books, const float* x, size_t rowStride, size_t rows, uint8_t* codes) {
  switch (books.subvectorLength) {
    case 4: return encodeRowsOfLength<Simd, kRows, 4>(books, x, rowStride, rows, codes);
    case 8: return encodeRowsOfLength<Simd, kRows, 8>(books, x, rowStride, rows, codes);
    case 9: return encodeRowsOfLength<Simd, kRows, 9>(books, x, rowStride, rows, codes);
    case 16: return encodeRowsOfLength<Simd, kRows, 16>(books, x, rowStride, rows, codes);
    case 18: return encodeRowsOfLength<Simd, kRows, 18>(books, x, rowStride, rows, codes);
    case 32: return encodeRowsOfLength<Simd, kRows, 32>(books, x, rowStride, rows, codes);
    default: return encodeRowsOfLength<Simd, kRows, 0>(books, x, rowStride, rows, codes);
  }
}

}  // namespace
}  // namespace lutnn
