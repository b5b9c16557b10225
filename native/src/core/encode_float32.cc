#include "core/encoder.h"

namespace lutnn {
namespace {

class Float32Encoder : public Encoder {
 public:
  Float32Encoder(const Microkernels& kernels, const Lookup& lookup) : kernels_(kernels) {
    books_.pack(lookup.centroids, lookup.numCodebooks, lookup.numCentroids, lookup.subvectorLength);
  }
  void encodeRows(const float* x, size_t rows, uint8_t* codes, Workspace::Scratch&) const override {
    const Codebooks& books = books_.view();
    kernels_.encodeRows(books, x, books.numCodebooks * books.subvectorLength, rows, codes);
  }
  void encodePositions(size_t codebook, const EncoderPlanes& planes, uint8_t* codes,
                       Workspace::Scratch&) const override {
    kernels_.encodePositions(books_.view(), codebook, planes.channels, planes.taps, planes.positions, codes);
  }
  size_t bytes() const override { return books_.bytes(); }

 private:
  const Microkernels& kernels_;
  PackedCodebooks books_;
};

}  // namespace

std::unique_ptr<Encoder> makeFloat32Encoder(const Microkernels& kernels, const Lookup& lookup) {
  return std::make_unique<Float32Encoder>(kernels, lookup);
}

}  // namespace lutnn
