// Where sub-vectors lie: in the rows of a matrix, or in the windows of channels-last images. A few codebooks' sub-vectors
// of a block of positions are brought into rows of positions, and their gradients back to where they came from, so that
// no array of windows ever exists.
#pragma once

#include <memory>
#include <variant>

#include "core/buffer.h"
#include "core/window.h"
#include "isa/training_microkernels.h"

namespace lutnn {

/// Neighbouring positions, or codebooks.
struct Range {
  size_t first, count;
};

/// Floats from one row of positions to the next: a cache line to spare, and an odd number of lines, so that rows do not
/// push each other out of the cache.
constexpr size_t rowStride(size_t positions) { return ((roundUp(positions, 16) / 16 + 1) | 1) * 16; }

/// One for each thread, because it holds what a thread is working on.
class SubVectors {
 public:
  virtual ~SubVectors() = default;

  /// Groups of positions that must be read together; nothing of one group's gradients reaches another's.
  virtual size_t numGroups() const = 0;
  virtual Range group(size_t index) const = 0;
  /// Positions are taken at most so many at a time, from a group's first on.
  virtual size_t blockPositions() const = 0;
  /// Floats from one row of a block's positions to the next.
  size_t stride() const { return rowStride(blockPositions()); }
  /// Codebooks that are best read together.
  virtual size_t chunkCodebooks() const = 0;

  /// Goes to a group; `withGradients` for put().
  virtual void open(size_t group, Range codebooks, bool withGradients) = 0;
  /// Goes to a block of it.
  virtual void openBlock(Range block) = 0;
  /// Sub-vectors of the open codebook `codebook` (counted from the chunk's first) at the positions of the block
  /// → (V, positions); what lies behind the positions in a row may be overwritten.
  virtual void get(size_t codebook, float* to) = 0;
  /// Their gradients back; each block once.
  virtual void put(size_t codebook, const float* from) = 0;
  /// Writes the gradients of the group and codebooks that are open.
  virtual void close() = 0;
};

/// x (N, C·V); dx the same, or null.
struct Rows {
  const float* x;
  float* dx;
  size_t rows, numCodebooks, subvectorLength;

  size_t positions() const { return rows; }
};

/// x (batch, height, width, channels), of which `window` makes positions (batch, output row, output column); dx the same
/// as x, or null.
struct Images {
  const float* x;
  float* dx;
  size_t batch, height, width;
  Window window;
  size_t subvectorLength;

  size_t outputHeight() const;
  size_t outputWidth() const;
  size_t positions() const { return batch * outputHeight() * outputWidth(); }
};

/// Memory that lives longer than a SubVectors, so that the next one finds it.
struct PlaneBuffers {
  Buffer<float> values, gradients;
};

using Source = std::variant<Rows, Images>;
std::unique_ptr<SubVectors> subVectorsOf(const TrainingMicrokernels& kernels, const Rows& rows, PlaneBuffers& planes);
std::unique_ptr<SubVectors> subVectorsOf(const TrainingMicrokernels& kernels, const Images& images,
                                         PlaneBuffers& planes);
std::unique_ptr<SubVectors> subVectorsOf(const TrainingMicrokernels& kernels, const Source& source,
                                         PlaneBuffers& planes);

}  // namespace lutnn
