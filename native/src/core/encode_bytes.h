// Encoders whose inputs become bytes: in what way is the encoder's own; the rest is the same.
#pragma once

#include <optional>

#include "core/encoder.h"
#include "core/quads.h"

namespace lutnn {

/// EncoderPlanes of bytes: channels, channelElements apart, and 3 more bytes behind the last that may be read.
struct BytePlanes {
  const uint8_t* channels;
  size_t channelElements, numChannels;
  const ptrdiff_t* taps;
  size_t positions;
};
/// Bytes behind the last channel of BytePlanes.
constexpr size_t kBytesBehind = 3;

class ByteEncoder : public Encoder {
 public:
  ByteEncoder(const Microkernels& kernels, size_t subvectorLength, const Window* window);

  void encodeRows(const float* x, size_t rows, uint8_t* codes, Workspace::Scratch& scratch) const override;
  void encodePositions(size_t codebook, const EncoderPlanes& planes, uint8_t* codes,
                       Workspace::Scratch& scratch) const override;
  std::vector<ptrdiff_t> taps(const WindowPlanes& planes) const override { return windowQuads_->taps(planes); }
  /// All of them become bytes.
  bool readsWholePlanes() const override { return true; }
  size_t bytes() const override { return books_.bytes(); }

 protected:
  /// x (count) → bytes; returns the scale that half norms are multiplied by.
  virtual float toBytes(const float* x, size_t count, uint8_t* bytes) const = 0;
  std::vector<Quad> quads() const { return windowQuads_ ? windowQuads_->quads : rowQuads(subvectorLength_); }
  size_t rowLength() const { return books_.view().numCodebooks * subvectorLength_; }
  /// Whether the bytes of a row are its quads.
  bool isWhole() const { return subvectorLength_ == books_.view().numQuads * 4; }
  /// The bytes of a row → its quads, which begin as zeros. Not where isWhole().
  void spreadRow(const uint8_t* row, uint8_t* quads) const;
  void encodePlanes(size_t codebook, const BytePlanes& planes, float inputScale, uint8_t* codes,
                    Workspace::Scratch& scratch) const;

  const MicrokernelsInt8& kernels_;
  PackedCodebooksInt8 books_;  // the deriving class packs them

 private:
  size_t subvectorLength_;
  std::optional<WindowQuads> windowQuads_;
};

}  // namespace lutnn
