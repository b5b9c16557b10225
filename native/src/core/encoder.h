// How inputs become codes. One file per encoding (encode_<name>.cc) brings an Encoder, and makeEncoder is their list.
#pragma once

#include <memory>
#include <vector>

#include "core/packing.h"
#include "core/window.h"

namespace lutnn {

/// The channels of one codebook, as they lie in an image or as copies: element i of the sub-vector at position n is
/// channels[taps[i] + n], where i counts what the encoder asked taps for.
struct EncoderPlanes {
  const float* channels;
  size_t channelFloats, numChannels;
  const ptrdiff_t* taps;
  size_t positions;
};

class IntegerEncoder;

class Encoder {
 public:
  virtual ~Encoder() = default;
  /// x float32 (rows, C·V) → codes uint8 (rows, C)
  virtual void encodeRows(const float* x, size_t rows, uint8_t* codes, Workspace::Scratch& scratch) const = 0;
  /// One codebook → codes (positions). Only by an encoder that was made for a window.
  virtual void encodePositions(size_t codebook, const EncoderPlanes& planes, uint8_t* codes,
                               Workspace::Scratch& scratch) const = 0;
  /// The offsets that EncoderPlanes brings: of the sub-vector's elements, or of what else is read at a time.
  virtual std::vector<ptrdiff_t> taps(const WindowPlanes& planes) const { return planes.taps(); }
  /// Whether all floats of the planes are read, also those that belong to no position: they must be copies then, and 0.
  virtual bool readsWholePlanes() const { return false; }
  /// Itself where the model defines its inputs' bytes, so that they may come as such; else null.
  virtual const IntegerEncoder* asInteger() const { return nullptr; }
  virtual size_t bytes() const = 0;
};

/// Of a layer on the rows of a matrix, or on a window; not of Encoding::kCodes, which has none. What it packs, it copies.
std::unique_ptr<Encoder> makeEncoder(Encoding encoding, const Microkernels& kernels, const Lookup& lookup,
                                     const Window* window = nullptr);

std::unique_ptr<Encoder> makeFloat32Encoder(const Microkernels& kernels, const Lookup& lookup);
std::unique_ptr<Encoder> makeInt8Encoder(const Microkernels& kernels, const Lookup& lookup, const Window* window);
std::unique_ptr<Encoder> makeIntegerEncoder(const Microkernels& kernels, const Lookup& lookup, const Window* window);
std::unique_ptr<Encoder> makeTreeEncoder(const Microkernels& kernels, const Lookup& lookup);

/// The encoder of a layer, and beside it the one that Encoding::kFloat32 would have; codes that are defined in integers have
/// none beside them.
class LayerEncoder {
 public:
  LayerEncoder(Encoding encoding, const Microkernels& kernels, const Lookup& lookup, const Window* window = nullptr)
      : exact_(encoding == Encoding::kInteger ? nullptr : makeEncoder(Encoding::kFloat32, kernels, lookup, window)),
        other_(encoding == Encoding::kFloat32 ? nullptr : makeEncoder(encoding, kernels, lookup, window)) {}

  const Encoder& operator*() const { return other_ ? *other_ : *exact_; }
  const Encoder* operator->() const { return &**this; }
  /// Only where hasExact().
  const Encoder& exact() const { return *exact_; }
  bool hasExact() const { return exact_ != nullptr; }
  size_t bytes() const { return (exact_ ? exact_->bytes() : 0) + (other_ ? other_->bytes() : 0); }

 private:
  std::unique_ptr<Encoder> exact_, other_;
};

}  // namespace lutnn
