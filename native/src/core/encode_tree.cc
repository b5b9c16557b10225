#include "core/encoder.h"

namespace lutnn {
namespace {

class TreeEncoder : public Encoder {
 public:
  TreeEncoder(const Microkernels& kernels, const Lookup& lookup) : kernels_(kernels) { trees_.pack(lookup); }
  void encodeRows(const float* x, size_t rows, uint8_t* codes, Workspace::Scratch&) const override {
    const Trees trees = trees_.view();
    kernels_.encodeRowsTree(trees, x, trees.numCodebooks * trees.subvectorLength, rows, codes);
  }
  void encodePositions(size_t codebook, const EncoderPlanes& planes, uint8_t* codes,
                       Workspace::Scratch&) const override {
    kernels_.encodePositionsTree(trees_.view(), codebook, planes.channels, planes.taps, planes.positions, codes);
  }
  size_t bytes() const override { return trees_.bytes(); }

 private:
  const Microkernels& kernels_;
  PackedTrees trees_;
};

}  // namespace

std::unique_ptr<Encoder> makeTreeEncoder(const Microkernels& kernels, const Lookup& lookup) {
  return std::make_unique<TreeEncoder>(kernels, lookup);
}

}  // namespace lutnn
