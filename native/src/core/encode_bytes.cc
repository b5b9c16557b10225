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

void ByteEncoder::spreadRow(const uint8_t* row, uint8_t* quads) const {
  const CodebooksInt8& books = books_.view();
  for (size_t c = 0; c < books.numCodebooks; c++)
    std::memcpy(quads + c * books.numQuads * 4, row + c * subvectorLength_, subvectorLength_);
}

void ByteEncoder::encodeRows(const float* x, size_t rows, uint8_t* codes, Workspace::Scratch& scratch) const {
  const CodebooksInt8& books = books_.view();
  const size_t length = rowLength(), rowBytes = books.numCodebooks * books.numQuads * 4;
  uint8_t* quads = scratch.rows.reserve(kRows * rowBytes);
  uint8_t* row = scratch.strip.reserve(length);
  float scales[kRows];
  const bool whole = isWhole();  // else the rest of a codebook's last quad stays 0
  if (!whole) std::memset(quads, 0, kRows * rowBytes);
  for (size_t n = 0; n < rows; n += kRows) {
    const size_t count = std::min(kRows, rows - n);
    for (size_t r = 0; r < count; r++) {
      scales[r] = toBytes(x + (n + r) * length, length, whole ? quads + r * rowBytes : row);
      if (!whole) spreadRow(row, quads + r * rowBytes);
    }
    kernels_.encodeRows(books, quads, scales, count, codes + n * books.numCodebooks);
  }
}

void ByteEncoder::encodePositions(size_t codebook, const EncoderPlanes& planes, uint8_t* codes,
                                  Workspace::Scratch& scratch) const {
  const size_t stride = planes.channelFloats, floats = stride * planes.numChannels;
  uint8_t* bytes = scratch.bytes.reserve(floats + kBytesBehind);
  const float inputScale = toBytes(planes.channels, floats, bytes);
  encodePlanes(codebook, {bytes, stride, planes.numChannels, planes.taps, planes.positions}, inputScale, codes,
               scratch);
}

void ByteEncoder::encodePlanes(size_t codebook, const BytePlanes& planes, float inputScale, uint8_t* codes,
                               Workspace::Scratch& scratch) const {
  const size_t stride = planes.channelElements, elements = stride * planes.numChannels;
  uint8_t* quads = scratch.quads.reserve(elements * 4);
  if (windowQuads_->byChannels) {
    for (size_t i = 0; i < planes.numChannels; i += 4)
      kernels_.interleave(planes.channels + i * stride, stride, std::min<size_t>(4, planes.numChannels - i), stride,
                          quads + i * stride);
  } else {
    kernels_.spread(planes.channels, elements, quads);
  }
  kernels_.encodePositions(books_.view(), codebook, quads, planes.taps, inputScale, planes.positions, codes);
}

}  // namespace lutnn
