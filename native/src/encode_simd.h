// Encode, written once over a file's own `Simd`: a struct of a few vector operations with
//   Float, Int, kLanes        vectors of 32-bit lanes
//   load, loadFirst(x, n)     all lanes; the first n, the others 0
//   broadcast, fma(a, b, c)   a · b + c, rounded once
//   keys(scores, index)       key() of every lane with `index`, which is 15 − k, in its low 4 bits
//   index(i), laneIndex(i)    the same i in every lane; 15 − (i · kLanes + lane)
//   max                       of signed lanes
//   better(best, bestBlock, keys, b)   best = keys and bestBlock = b where keys are greater without their index
//   storeCodes(codes, best, bestBlock)  bestBlock · 16 + k to kLanes bytes
//   rowMaxima(keys, maxima)   the largest lane of each of several vectors
// Included by one file per instruction set; everything here is local to it.
#pragma once

#include "microkernels.h"
#include "unroll.h"

namespace lutnn {
namespace {

/// The greatest keys of one block of 16 centroids at kVectors · kLanes positions, kCentroids centroids at a time with
/// all their sums in registers. The last vector holds `last` positions (kPartial) or all of them.
template <class Simd, int kVectors, int kCentroids, bool kPartial>
inline void bestOfBlock(const Codebooks& books, size_t block, const float* x, const ptrdiff_t* taps, size_t last,
                        typename Simd::Int (&best)[kVectors]) {
  using Float = typename Simd::Float;
  const size_t length = books.subvectorLength;
  const float* centroids = books.centroids + block * length * kBlockCentroids;
  const float* halfNorms = books.halfNorms + block * kBlockCentroids;
  LUTNN_UNROLL for (int i = 0; i < kVectors; i++) best[i] = Simd::index(INT32_MIN);
  for (int first = 0; first < 16; first += kCentroids) {
    Float score[kCentroids][kVectors];
    LUTNN_UNROLL for (int k = 0; k < kCentroids; k++) {
      LUTNN_UNROLL for (int i = 0; i < kVectors; i++) score[k][i] = Simd::broadcast(halfNorms + first + k);
    }
    for (size_t v = 0; v < length; v++) {
      const float* tap = x + taps[v];
      Float value[kVectors];
      LUTNN_UNROLL for (int i = 0; i < kVectors; i++) {
        const bool partial = kPartial && i == kVectors - 1;
        value[i] = partial ? Simd::loadFirst(tap + i * Simd::kLanes, last) : Simd::load(tap + i * Simd::kLanes);
      }
      LUTNN_UNROLL for (int k = 0; k < kCentroids; k++) {
        const Float centroid = Simd::broadcast(centroids + v * kBlockCentroids + first + k);
        LUTNN_UNROLL for (int i = 0; i < kVectors; i++) score[k][i] = Simd::fma(value[i], centroid, score[k][i]);
      }
    }
    LUTNN_UNROLL for (int i = 0; i < kVectors; i++) {
      LUTNN_UNROLL for (int k = 0; k < kCentroids; k++)
        best[i] = Simd::max(best[i], Simd::keys(score[k][i], Simd::index(15 - first - k)));
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
  LUTNN_UNROLL for (int i = 0; i < kVectors; i++) bestBlock[i] = Simd::index(0);
  for (size_t b = 1; b < books.numBlocks; b++) {
    bestOfBlock<Simd, kVectors, kCentroids, kPartial>(books, block + b, x, taps, last, keys);
    LUTNN_UNROLL for (int i = 0; i < kVectors; i++)
      Simd::better(best[i], bestBlock[i], keys[i], static_cast<int>(b));
  }
  LUTNN_UNROLL for (int i = 0; i < kVectors; i++) {
    if (kPartial && i == kVectors - 1) {
      uint8_t lanes[Simd::kLanes];
      Simd::storeCodes(lanes, best[i], bestBlock[i]);
      for (size_t n = 0; n < last; n++) codes[i * Simd::kLanes + n] = lanes[n];
    } else {
      Simd::storeCodes(codes + i * Simd::kLanes, best[i], bestBlock[i]);
    }
  }
}

/// The greatest keys of one block of 16 centroids, in lanes, for kRows sub-vectors with all their sums in registers.
template <class Simd, int kRows>
inline void bestOfRows(const Codebooks& books, size_t block, const float* const (&x)[kRows],
                       int32_t (&best)[kRows]) {
  using Float = typename Simd::Float;
  constexpr int kParts = 16 / Simd::kLanes;
  const size_t length = books.subvectorLength;
  const float* centroids = books.centroids + block * length * kBlockCentroids;
  Float score[kRows][kParts];
  LUTNN_UNROLL for (int p = 0; p < kParts; p++) {
    const Float halfNorm = Simd::load(books.halfNorms + block * kBlockCentroids + p * Simd::kLanes);
    LUTNN_UNROLL for (int r = 0; r < kRows; r++) score[r][p] = halfNorm;
  }
  for (size_t v = 0; v < length; v++) {
    Float centroid[kParts];
    LUTNN_UNROLL for (int p = 0; p < kParts; p++)
      centroid[p] = Simd::load(centroids + v * kBlockCentroids + p * Simd::kLanes);
    LUTNN_UNROLL for (int r = 0; r < kRows; r++) {
      const Float value = Simd::broadcast(x[r] + v);
      LUTNN_UNROLL for (int p = 0; p < kParts; p++) score[r][p] = Simd::fma(value, centroid[p], score[r][p]);
    }
  }
  typename Simd::Int keys[kRows];
  LUTNN_UNROLL for (int r = 0; r < kRows; r++) {
    keys[r] = Simd::keys(score[r][0], Simd::laneIndex(0));
    LUTNN_UNROLL for (int p = 1; p < kParts; p++)
      keys[r] = Simd::max(keys[r], Simd::keys(score[r][p], Simd::laneIndex(p)));
  }
  Simd::rowMaxima(keys, best);
}

/// Centroids in lanes; rows kRows at a time, at the end with the last row repeated.
template <class Simd, int kRows>
inline void encodeRowsBy(const Codebooks& books, const float* x, size_t rowStride, size_t rows, uint8_t* codes) {
  for (size_t n = 0; n < rows; n += kRows) {
    size_t row[kRows];
    for (size_t r = 0; r < kRows; r++) row[r] = n + r < rows ? n + r : rows - 1;
    for (size_t c = 0; c < books.numCodebooks; c++) {
      const float* subvector[kRows];
      for (int r = 0; r < kRows; r++) subvector[r] = x + row[r] * rowStride + c * books.subvectorLength;
      int32_t best[kRows], keys[kRows];
      size_t bestBlock[kRows] = {};
      bestOfRows<Simd, kRows>(books, c * books.numBlocks, subvector, best);
      for (size_t b = 1; b < books.numBlocks; b++) {
        bestOfRows<Simd, kRows>(books, c * books.numBlocks + b, subvector, keys);
        for (int r = 0; r < kRows; r++) {
          if ((keys[r] & ~15) <= (best[r] & ~15)) continue;
          best[r] = keys[r];
          bestBlock[r] = b;
        }
      }
      for (int r = 0; r < kRows; r++)
        codes[row[r] * books.numCodebooks + c] =
            static_cast<uint8_t>(bestBlock[r] * kBlockCentroids + static_cast<size_t>(15 - (best[r] & 15)));
    }
  }
}

}  // namespace
}  // namespace lutnn
