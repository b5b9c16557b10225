// Encoders whose inputs become bytes: in what way is the encoder's own; the rest is the same.
#pragma once

#include <optional>

#include "core/encoder.h"
#include "core/quads.h"

namespace lutnn {

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
  virtual float quantize(const float* x, size_t count, uint8_t* bytes) const = 0;
  std::vector<Quad> quads() const { return windowQuads_ ? windowQuads_->quads : rowQuads(subvectorLength_); }

  const MicrokernelsInt8& kernels_;
  PackedCodebooksInt8 books_;  // the deriving class packs them

 private:
  size_t subvectorLength_;
  std::optional<WindowQuads> windowQuads_;
};

}  // namespace lutnn
