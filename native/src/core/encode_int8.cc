#include <algorithm>
#include <cstring>
#include <optional>

#include "core/encoder.h"
#include "core/quads.h"

namespace lutnn {
namespace {

/// Rows whose quads lie in memory at a time.
constexpr size_t kRows = 32;

class Int8Encoder : public Encoder {
 public:
  Int8Encoder(const Microkernels& kernels, const Lookup& lookup, const Window* window)
      : kernels_(*kernels.int8), subvectorLength_(lookup.subvectorLength) {
    if (window) windowQuads_.emplace(*window, lookup.subvectorLength / (window->filterHeight * window->filterWidth));
    books_.pack(lookup.centroids, lookup.numCodebooks, lookup.numCentroids, lookup.subvectorLength,
                windowQuads_ ? windowQuads_->quads : rowQuads(lookup.subvectorLength));
  }

  void encodeRows(const float* x, size_t rows, uint8_t* codes, Workspace::Scratch& scratch) const override {
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
        const float* from = x + (n + r) * length;
        scales[r] = books_.inputScale(kernels_.largest(from, length));
        kernels_.quantize(from, length, scales[r], whole ? quads + r * rowBytes : row);
        for (size_t c = 0; !whole && c < books.numCodebooks; c++)
          std::memcpy(quads + r * rowBytes + c * bookBytes, row + c * V, V);
      }
      kernels_.encodeRows(books, quads, scales, count, codes + n * books.numCodebooks);
    }
  }

  void encodePositions(size_t codebook, const EncoderPlanes& planes, uint8_t* codes,
                       Workspace::Scratch& scratch) const override {
    const size_t stride = planes.channelFloats, floats = stride * planes.numChannels;
    uint8_t* bytes = scratch.bytes.reserve(floats + 3);
    uint8_t* quads = scratch.quads.reserve(floats * 4);
    const float inputScale = books_.inputScale(kernels_.largest(planes.channels, floats));
    kernels_.quantize(planes.channels, floats, inputScale, bytes);
    if (windowQuads_->byChannels) {
      for (size_t i = 0; i < planes.numChannels; i += 4)
        kernels_.interleave(bytes + i * stride, stride, std::min<size_t>(4, planes.numChannels - i), stride,
                            quads + i * stride);
    } else {
      kernels_.spread(bytes, floats, quads);
    }
    kernels_.encodePositions(books_.view(), codebook, quads, planes.taps, inputScale, planes.positions, codes);
  }

  std::vector<ptrdiff_t> taps(const WindowPlanes& planes) const override { return windowQuads_->taps(planes); }
  /// For their scale.
  bool readsWholePlanes() const override { return true; }
  size_t bytes() const override { return books_.bytes(); }

 private:
  const MicrokernelsInt8& kernels_;
  size_t subvectorLength_;
  std::optional<WindowQuads> windowQuads_;
  PackedCodebooksInt8 books_;
};

}  // namespace

std::unique_ptr<Encoder> makeInt8Encoder(const Microkernels& kernels, const Lookup& lookup, const Window* window) {
  return std::make_unique<Int8Encoder>(kernels, lookup, window);
}

}  // namespace lutnn
