// Plain loops of the definitions of MicrokernelsInt8: the reference of every other file, and what runs where no other
// file does.
#include <cmath>

#include "isa/microkernels.h"

namespace lutnn {
namespace {

float largest(const float* x, size_t count) {
  float most = 0;
  for (size_t i = 0; i < count; i++) {
    const float size = std::fabs(x[i]);
    if (size > most) most = size;
  }
  return most;
}

void quantize(const float* x, size_t count, float inputScale, uint8_t* q) {
  for (size_t i = 0; i < count; i++) {
    float value = x[i] * inputScale;
    value = value > -127 ? value : -127;  // NaN too
    value = value < 127 ? value : 127;
    q[i] = static_cast<uint8_t>(128 + static_cast<int>(std::nearbyint(value)));
  }
}

void quantizeBy(const float* x, size_t count, float scale, uint8_t zeroPoint, uint8_t* q) {
  const float least = -static_cast<float>(zeroPoint), most = 255 + least;
  for (size_t i = 0; i < count; i++) {
    float value = x[i] / scale;
    value = value > least ? value : least;  // NaN too
    value = value < most ? value : most;
    q[i] = static_cast<uint8_t>(zeroPoint + static_cast<int>(std::nearbyint(value)));
  }
}

void spread(const uint8_t* bytes, size_t count, uint8_t* quads) {
  for (size_t n = 0; n < count; n++)
    for (size_t b = 0; b < 4; b++) quads[4 * n + b] = bytes[n + b];
}

void interleave(const uint8_t* rows, size_t stride, size_t numRows, size_t count, uint8_t* quads) {
  for (size_t n = 0; n < count; n++)
    for (size_t r = 0; r < 4; r++) quads[4 * n + r] = r < numRows ? rows[r * stride + n] : 0;
}

/// Code of the sub-vector whose quads are quad(0) … quad(Q − 1).
template <class Quad>
uint8_t nearest(const CodebooksInt8& books, size_t codebook, float inputScale, Quad quad) {
  int32_t bestScore = INT32_MIN;
  size_t best = 0;
  for (size_t k = 0; k < books.numBlocks * kBlockCentroids; k++) {
    const size_t block = codebook * books.numBlocks + k / kBlockCentroids, lane = k % kBlockCentroids;
    const float halfNorm = books.halfNorms[block * kBlockCentroids + lane] * inputScale;
    int32_t score = static_cast<int32_t>(std::nearbyint(halfNorm > kLeastHalfNorm ? halfNorm : kLeastHalfNorm)) +
                    books.offsets[block * kBlockCentroids + lane];
    for (size_t i = 0; i < books.numQuads; i++) {
      const int8_t* weights = books.weights + ((block * books.numQuads + i) * kBlockCentroids + lane) * 4;
      for (size_t b = 0; b < 4; b++) score += quad(i)[b] * weights[b];
    }
    if (score > bestScore) {
      bestScore = score;
      best = k;
    }
  }
  return static_cast<uint8_t>(best);
}

void encodeRows(const CodebooksInt8& books, const uint8_t* quads, const float* inputScales, size_t rows,
                uint8_t* codes) {
  for (size_t n = 0; n < rows; n++)
    for (size_t c = 0; c < books.numCodebooks; c++) {
      const uint8_t* subvector = quads + (n * books.numCodebooks + c) * books.numQuads * 4;
      codes[n * books.numCodebooks + c] =
          nearest(books, c, inputScales[n], [&](size_t i) { return subvector + 4 * i; });
    }
}

void encodePositions(const CodebooksInt8& books, size_t codebook, const uint8_t* quads, const ptrdiff_t* taps,
                     float inputScale, size_t positions, uint8_t* codes) {
  for (size_t n = 0; n < positions; n++)
    codes[n] = nearest(books, codebook, inputScale,
                       [&](size_t i) { return quads + 4 * (taps[i] + static_cast<ptrdiff_t>(n)); });
}

}  // namespace

const MicrokernelsInt8 kScalarMicrokernelsInt8 = {
    .largest = largest,
    .quantize = quantize,
    .quantizeBy = quantizeBy,
    .spread = spread,
    .interleave = interleave,
    .encodeRows = encodeRows,
    .encodePositions = encodePositions,
};

}  // namespace lutnn
