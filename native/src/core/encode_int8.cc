#include "core/encode_bytes.h"

namespace lutnn {
namespace {

/// With a scale that follows each row, or each codebook's channels.
class Int8Encoder : public ByteEncoder {
 public:
  Int8Encoder(const Microkernels& kernels, const Lookup& lookup, const Window* window)
      : ByteEncoder(kernels, lookup.subvectorLength, window) {
    books_.pack(lookup.centroids, lookup.numCodebooks, lookup.numCentroids, lookup.subvectorLength, quads());
  }

 protected:
  float toBytes(const float* x, size_t count, uint8_t* bytes) const override {
    const float scale = books_.inputScale(kernels_.largest(x, count));
    kernels_.quantize(x, count, scale, bytes);
    return scale;
  }
};

}  // namespace

std::unique_ptr<Encoder> makeInt8Encoder(const Microkernels& kernels, const Lookup& lookup, const Window* window) {
  return std::make_unique<Int8Encoder>(kernels, lookup, window);
}

}  // namespace lutnn
