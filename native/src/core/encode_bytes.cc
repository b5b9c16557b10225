#include "core/encode_bytes.h"

#include <algorithm>
#include <cstring>

namespace lutnn {

/// Rows whose quads lie in memory at a time.
constexpr size_t kRows = 32;

ByteEncoder::ByteEncoder(const Microkernels& kernels, size_t subvectorLength, const Window* window)
    : kernels_(*kernels.int8), subvectorLength_(subvectorLength) {
  if (window) windowQuads_.emplace(*window, subvectorLength / (window->filterHeight * window->filterWidth));
}

void ByteEncoder::encodeRows(const float* x, size_t rows, uint8_t* codes, Workspace::Scratch& scratch) const {
  const CodebooksInt8& books = books_.view();
  const size_t V = subvectorLength_, length = books.numCodebooks * V;
  const size_t bookBytes = books.numQuads * 4, rowBytes = books.numCodebooks * bookBytes;
  uint8_t* quads = scratch.rows.reserve(kRows * rowBytes);
  uint8_t* row = scratch.strip.reserve(length);
  float scales[kRows];
  const bool whole = V == bookBytes;  // else the rest of a codebook's last quad stays 0
  if (!whole) std::memset(quads, 0, kRows * rowBytes);
  for (size_t n = 0; n < rows; n += kRows) {
    const size_t count = std::min(kRows, rows - n);
    for (size_t r = 0; r < count; r++) {
      scales[r] = quantize(x + (n + r) * length, length, whole ? quads + r * rowBytes : row);
      for (size_t c = 0; !whole && c < books.numCodebooks; c++)
        std::memcpy(quads + r * rowBytes + c * bookBytes, row + c * V, V);
    }
    kernels_.encodeRows(books, quads, scales, count, codes + n * books.numCodebooks);
  }
}

void ByteEncoder::encodePositions(size_t codebook, const EncoderPlanes& planes, uint8_t* codes,
                                  Workspace::Scratch& scratch) const {
  const size_t stride = planes.channelFloats, floats = stride * planes.numChannels;
  uint8_t* bytes = scratch.bytes.reserve(floats + 3);
  uint8_t* quads = scratch.quads.reserve(floats * 4);
  const float inputScale = quantize(planes.channels, floats, bytes);
  if (windowQuads_->byChannels) {
    for (size_t i = 0; i < planes.numChannels; i += 4)
      kernels_.interleave(bytes + i * stride, stride, std::min<size_t>(4, planes.numChannels - i), stride,
                          quads + i * stride);
  } else {
    kernels_.spread(bytes, floats, quads);
  }
  kernels_.encodePositions(books_.view(), codebook, quads, planes.taps, inputScale, planes.positions, codes);
}

}  // namespace lutnn
