#include <algorithm>
#include <cstring>

#include "sub_vectors.h"

namespace lutnn {

size_t Images::outputHeight() const {
  return outputExtent(height, window.filterHeight, window.strideHeight, window.dilationHeight, window.padTop,
                      window.padBottom);
}
size_t Images::outputWidth() const {
  return outputExtent(width, window.filterWidth, window.strideWidth, window.dilationWidth, window.padLeft,
                      window.padRight);
}

namespace {

constexpr size_t kBlockPositions = 256;
/// Channels that are read together: a cache line's worth.
constexpr size_t kChunkChannels = 16;

/// A channel of a group's images is copied into a plane with its padding, the columns of each stride phase side by side,
/// so that a filter tap reads and writes neighbouring floats at neighbouring output columns.
class ImageSubVectors : public SubVectors {
 public:
  ImageSubVectors(const TrainingMicrokernels& kernels, const Images& images, PlaneBuffers& planes)
      : kernels_(kernels),
        planes_(planes.values),
        gradients_(planes.gradients),
        images_(images),
        window_(images.window),
        outputHeight_(images.outputHeight()),
        outputWidth_(images.outputWidth()),
        channelsPerCodebook_(images.subvectorLength / (window_.filterHeight * window_.filterWidth)) {
    const size_t imagePositions = outputHeight_ * outputWidth_;
    groupImages_ = std::clamp<size_t>(kBlockPositions / imagePositions, 1, images.batch);
    const size_t rows = outputHeight_ * groupImages_;
    const size_t blocks = std::max<size_t>(1, rows * outputWidth_ / kBlockPositions);
    blockRows_ = (rows + blocks - 1) / blocks;
    planeRows_ = (outputHeight_ - 1) * window_.strideHeight + (window_.filterHeight - 1) * window_.dilationHeight + 1;
    planeColumns_ = (outputWidth_ - 1) * window_.strideWidth + (window_.filterWidth - 1) * window_.dilationWidth + 1;
    phaseColumns_ = (planeColumns_ + window_.strideWidth - 1) / window_.strideWidth;
    pitch_ = phaseColumns_ * window_.strideWidth;
    imageFloats_ = planeRows_ * pitch_;
    // Planes whose distance is no multiple of a cache's size do not push each other out.
    planeFloats_ = roundUp(groupImages_ * imageFloats_, 16) + 16;
  }

  /// Pixels behind the last window are in no plane.
  bool coversImages() const override {
    return planeRows_ >= window_.padTop + images_.height && planeColumns_ >= window_.padLeft + images_.width;
  }

  size_t numGroups() const override { return (images_.batch + groupImages_ - 1) / groupImages_; }
  Range group(size_t index) const override {
    const size_t first = index * groupImages_, positions = outputHeight_ * outputWidth_;
    return {first * positions, std::min(groupImages_, images_.batch - first) * positions};
  }
  size_t blockPositions() const override { return blockRows_ * outputWidth_; }
  size_t chunkCodebooks() const override { return std::max<size_t>(1, kChunkChannels / channelsPerCodebook_); }

  void open(size_t group, Range codebooks, bool withGradients) override {
    firstImage_ = group * groupImages_;
    openImages_ = std::min(groupImages_, images_.batch - firstImage_);
    firstChannel_ = codebooks.first * channelsPerCodebook_;
    openChannels_ = codebooks.count * channelsPerCodebook_;
    const size_t floats = openChannels_ * planeFloats_;
    if (floats > cleared_) {
      std::memset(planes_.reserve(floats), 0, floats * sizeof(float));
      cleared_ = floats;
    }
    eachStrip([&](const Strip& strip) {
      kernels_.transpose(images_.x + strip.pixel, window_.strideWidth * window_.inputChannels, strip.columns,
                         openChannels_, planes_.data() + strip.place, planeFloats_);
    });
    if (withGradients) std::memset(gradients_.reserve(floats), 0, floats * sizeof(float));
  }

  void get(Range block, size_t codebook, float* to, size_t stride) override {
    eachTap(block, codebook, [&](size_t place, size_t tap, size_t rows, size_t column) {
      kernels_.copy({planes_.data() + place, window_.strideHeight * pitch_, to + tap * stride + column, outputWidth_,
                     rows, outputWidth_});
    });
  }

  void put(Range block, size_t codebook, const float* from, size_t stride) override {
    eachTap(block, codebook, [&](size_t place, size_t tap, size_t rows, size_t column) {
      kernels_.add({from + tap * stride + column, outputWidth_, gradients_.data() + place,
                    window_.strideHeight * pitch_, rows, outputWidth_});
    });
  }

  void close() override {
    eachStrip([&](const Strip& strip) {
      kernels_.transpose(gradients_.data() + strip.place, planeFloats_, openChannels_, strip.columns,
                         images_.dx + strip.pixel, window_.strideWidth * window_.inputChannels);
    });
  }

 private:
  /// Neighbouring columns of one phase of one image row.
  struct Strip {
    size_t pixel;  // of the image, the chunk's first channel
    size_t place;  // in the plane of the first channel
    size_t columns;
  };

  template <class Visit>
  void eachStrip(Visit visit) const {
    const size_t step = window_.strideWidth;
    for (size_t image = 0; image < openImages_; image++)
      for (size_t row = window_.padTop; row < std::min(planeRows_, window_.padTop + images_.height); row++)
        for (size_t phase = 0; phase < step; phase++) {
          // the first and last column of the plane that the image covers, in this phase
          const size_t first = window_.padLeft + (phase + step - window_.padLeft % step) % step;
          const size_t end = std::min(planeColumns_, window_.padLeft + images_.width);
          if (first >= end) continue;
          const size_t line = ((firstImage_ + image) * images_.height + row - window_.padTop) * images_.width;
          visit({(line + first - window_.padLeft) * window_.inputChannels + firstChannel_,
                 image * imageFloats_ + row * pitch_ + phase * phaseColumns_ + first / step,
                 (end - first + step - 1) / step});
        }
  }

  /// For every tap of a codebook's window and every run of output rows of a block that lies in one image.
  template <class Visit>
  void eachTap(Range block, size_t codebook, Visit visit) const {
    const size_t firstRow = block.first / outputWidth_ - firstImage_ * outputHeight_;
    const size_t endRow = firstRow + block.count / outputWidth_;
    size_t tap = 0;
    for (size_t channel = 0; channel < channelsPerCodebook_; channel++)
      for (size_t i = 0; i < window_.filterHeight; i++)
        for (size_t j = 0; j < window_.filterWidth; j++, tap++) {
          const size_t column = j * window_.dilationWidth;
          const size_t start = (codebook * channelsPerCodebook_ + channel) * planeFloats_ +
                               i * window_.dilationHeight * pitch_ +
                               column % window_.strideWidth * phaseColumns_ + column / window_.strideWidth;
          for (size_t row = firstRow; row < endRow;) {
            const size_t image = row / outputHeight_, within = row % outputHeight_;
            const size_t rows = std::min(endRow - row, outputHeight_ - within);
            visit(start + image * imageFloats_ + within * window_.strideHeight * pitch_, tap, rows,
                  (row - firstRow) * outputWidth_);
            row += rows;
          }
        }
  }

  const TrainingMicrokernels& kernels_;
  Buffer<float>&planes_, &gradients_;
  Images images_;
  Window window_;
  size_t outputHeight_, outputWidth_, channelsPerCodebook_;
  size_t groupImages_, blockRows_;
  size_t planeRows_, planeColumns_, phaseColumns_, pitch_, imageFloats_, planeFloats_;
  size_t firstImage_ = 0, openImages_ = 0, firstChannel_ = 0, openChannels_ = 0;
  size_t cleared_ = 0;  // floats of the planes, whose padding stays zero
};

}  // namespace

std::unique_ptr<SubVectors> subVectorsOf(const TrainingMicrokernels& kernels, const Images& images,
                                         PlaneBuffers& planes) {
  return std::make_unique<ImageSubVectors>(kernels, images, planes);
}

std::unique_ptr<SubVectors> subVectorsOf(const TrainingMicrokernels& kernels, const Source& source,
                                         PlaneBuffers& planes) {
  return std::visit([&](const auto& from) { return subVectorsOf(kernels, from, planes); }, source);
}

}  // namespace lutnn
