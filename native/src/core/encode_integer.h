// The encoder of codes that are defined in integers: with the scale, the zero point and the integers of the model.
#pragma once

#include "core/encode_bytes.h"

namespace lutnn {

class IntegerEncoder : public ByteEncoder {
 public:
  IntegerEncoder(const Microkernels& kernels, const Lookup& lookup, const Window* window);

  const IntegerEncoder* asInteger() const override { return this; }
  /// The byte of 0.
  uint8_t zeroPoint() const { return zeroPoint_; }
  /// x (count) → its bytes
  void quantize(const float* x, size_t count, uint8_t* bytes) const {
    kernels_.quantizeBy(x, count, scale_, zeroPoint_, bytes);
  }
  /// encodeRows of inputs that are bytes (rows, C·V) already.
  void encodeByteRows(const uint8_t* bytes, size_t rows, uint8_t* codes, Workspace::Scratch& scratch) const;
  /// encodePositions of planes that are bytes already.
  void encodeBytes(size_t codebook, const BytePlanes& planes, uint8_t* codes, Workspace::Scratch& scratch) const {
    encodePlanes(codebook, planes, 1, codes, scratch);
  }

 protected:
  float toBytes(const float* x, size_t count, uint8_t* bytes) const override {
    quantize(x, count, bytes);
    return 1;
  }

 private:
  float scale_;
  uint8_t zeroPoint_;
};

}  // namespace lutnn
