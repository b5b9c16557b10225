#include "core/encode_bytes.h"

namespace lutnn {
namespace {

/// With the scale, the zero point and the integers of the model.
class IntegerEncoder : public ByteEncoder {
 public:
  IntegerEncoder(const Microkernels& kernels, const Lookup& lookup, const Window* window)
      : ByteEncoder(kernels, lookup.subvectorLength, window),
        scale_(lookup.integers.inputScale),
        zeroPoint_(lookup.integers.inputZeroPoint) {
    books_.pack(lookup.integers, lookup.numCodebooks, lookup.numCentroids, lookup.subvectorLength, quads());
  }

 protected:
  float quantize(const float* x, size_t count, uint8_t* bytes) const override {
    kernels_.quantizeBy(x, count, scale_, zeroPoint_, bytes);
    return 1;
  }

 private:
  float scale_;
  uint8_t zeroPoint_;
};

}  // namespace

std::unique_ptr<Encoder> makeIntegerEncoder(const Microkernels& kernels, const Lookup& lookup, const Window* window) {
  return std::make_unique<IntegerEncoder>(kernels, lookup, window);
}

}  // namespace lutnn
