#include <algorithm>

#include "training/sub_vectors.h"

namespace lutnn {
namespace {

constexpr size_t kBlockRows = 256;
/// Elements of neighbouring codebooks that are read together: a few cache lines of a row.
constexpr size_t kChunkElements = 256;

class RowSubVectors : public SubVectors {
 public:
  RowSubVectors(const TrainingMicrokernels& kernels, const Rows& rows)
      : kernels_(kernels), rows_(rows), length_(rows.subvectorLength), columns_(rows.numCodebooks * length_) {}

  size_t numGroups() const override { return (rows_.rows + kBlockRows - 1) / kBlockRows; }
  Range group(size_t index) const override {
    const size_t first = index * kBlockRows;
    return {first, std::min(kBlockRows, rows_.rows - first)};
  }
  size_t blockPositions() const override { return std::min(kBlockRows, rows_.rows); }
  size_t chunkCodebooks() const override { return std::max<size_t>(1, std::min<size_t>(16, kChunkElements / length_)); }

  void open(size_t, Range codebooks, bool) override { firstCodebook_ = codebooks.first; }
  void openBlock(Range block) override { block_ = block; }
  void get(size_t codebook, float* to) override {
    kernels_.transpose(rows_.x + place(codebook), columns_, block_.count, length_, to, stride());
  }
  void put(size_t codebook, const float* from) override {
    kernels_.transpose(from, stride(), length_, block_.count, rows_.dx + place(codebook), columns_);
  }
  void close() override {}

 private:
  size_t place(size_t codebook) const { return block_.first * columns_ + (firstCodebook_ + codebook) * length_; }

  const TrainingMicrokernels& kernels_;
  Rows rows_;
  size_t length_, columns_, firstCodebook_ = 0;
  Range block_{};
};

}  // namespace

std::unique_ptr<SubVectors> subVectorsOf(const TrainingMicrokernels& kernels, const Rows& rows, PlaneBuffers&) {
  return std::make_unique<RowSubVectors>(kernels, rows);
}

}  // namespace lutnn
