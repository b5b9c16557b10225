#include <algorithm>
#include <cstring>
#include <deque>
#include <vector>

#include "training/sub_vectors.h"

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

/// Each channel of a group's images becomes a plane, (image, row, column), the columns of one phase of the stride side by
/// side. So a filter tap reads and writes neighbouring floats at neighbouring output columns.
class ImageSubVectors : public SubVectors {
 public:
  ImageSubVectors(const TrainingMicrokernels& kernels, const Images& images, PlaneBuffers& planes)
      : kernels_(kernels),
        values_(planes.values),
        gradients_(planes.gradients),
        images_(images),
        window_(images.window),
        rowTaps_(window_.filterHeight, window_.strideHeight, window_.dilationHeight, window_.padTop),
        columnTaps_(window_.filterWidth, window_.strideWidth, window_.dilationWidth, window_.padLeft),
        outputHeight_(images.outputHeight()),
        outputWidth_(images.outputWidth()),
        channelsPerCodebook_(images.subvectorLength / (window_.filterHeight * window_.filterWidth)) {
    groupImages_ = std::clamp<size_t>(kBlockPositions / (outputHeight_ * outputWidth_), 1, images.batch);
    const size_t rows = outputHeight_ * groupImages_;
    const size_t blocks = std::max<size_t>(1, rows * outputWidth_ / kBlockPositions);
    blockRows_ = (rows + blocks - 1) / blocks;
    phaseColumns_ = (images.width + window_.strideWidth - 1) / window_.strideWidth;
    pitch_ = phaseColumns_ * std::min(window_.strideWidth, images.width);  // no further phase has a column
    // With a cache line to spare for vectors that reach behind the end, and no multiple of a cache's size.
    planeFloats_ = rowStride(groupImages_ * images.height * pitch_);
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
    float* values = values_.reserve(openChannels_ * planeFloats_);
    eachStrip([&](size_t pixel, size_t place, size_t count) {
      kernels_.transpose(images_.x + pixel, window_.strideWidth * window_.inputChannels, count, openChannels_,
                         values + place, planeFloats_);
    });
    if (!withGradients) return;
    float* gradients = gradients_.reserve(openChannels_ * planeFloats_);
    std::memset(gradients, 0, openChannels_ * planeFloats_ * sizeof(float));
  }

  void openBlock(Range block) override {
    const Range rows{block.first / outputWidth_ - firstImage_ * outputHeight_, block.count / outputWidth_};
    for (const Plan& plan : plans_)
      if (rows.first == plan.rows.first && rows.count == plan.rows.count) {
        plan_ = &plan;
        return;
      }
    plans_.push_back(planOf(rows));
    plan_ = &plans_.back();
  }

  void get(size_t codebook, float* to) override {
    const float* plane = values_.data() + codebook * channelsPerCodebook_ * planeFloats_;
    for (size_t channel = 0; channel < channelsPerCodebook_; channel++, plane += planeFloats_, to += channelFloats())
      kernels_.copyShifted(
          {.rows = plan_->seen.data(), .count = plan_->seen.size(), .from = plane, .to = to, .toWidth = outputWidth_});
  }

  void put(size_t codebook, const float* from) override {
    float* plane = gradients_.data() + codebook * channelsPerCodebook_ * planeFloats_;
    for (size_t channel = 0; channel < channelsPerCodebook_; channel++, plane += planeFloats_, from += channelFloats())
      kernels_.addShifted({.rows = plan_->received.data(),
                           .count = plan_->received.size(),
                           .from = from,
                           .to = plane,
                           .toWidth = phaseColumns_});
  }

  void close() override {
    eachStrip([&](size_t pixel, size_t place, size_t count) {
      kernels_.transpose(gradients_.data() + place, planeFloats_, openChannels_, count, images_.dx + pixel,
                         window_.strideWidth * window_.inputChannels);
    });
  }

 private:
  /// Of a channel's elements of the sub-vectors of a block.
  size_t channelFloats() const { return window_.filterHeight * window_.filterWidth * stride(); }

  /// Pixels of the open images that lie side by side in a plane: visit(float of the first one in x, its place, count).
  template <class Visit>
  void eachStrip(Visit visit) const {
    const size_t step = window_.strideWidth, channels = window_.inputChannels;
    const size_t firstPixel = firstImage_ * images_.height * images_.width;
    if (step == 1)
      return visit(firstPixel * channels + firstChannel_, size_t{0}, openImages_ * images_.height * images_.width);
    for (size_t row = 0; row < openImages_ * images_.height; row++)
      for (size_t phase = 0; phase < std::min(step, images_.width); phase++)
        visit((firstPixel + row * images_.width + phase) * channels + firstChannel_,
              row * pitch_ + phase * phaseColumns_, phaseLength(phase));
  }

  size_t phaseLength(size_t phase) const {
    return phase < images_.width ? (images_.width - phase + window_.strideWidth - 1) / window_.strideWidth : 0;
  }

  /// Which rows of a plane a block's output rows see through the filter's taps, and what they receive in turn.
  struct Plan {
    Range rows;  // counted through the group's images
    std::vector<ShiftedRow> seen, received;
  };

  Plan planOf(Range rows) const {
    Plan plan{rows, {}, {}};
    for (size_t i = 0; i < window_.filterHeight; i++)
      for (size_t j = 0; j < window_.filterWidth; j++)
        for (size_t r = 0; r < rows.count; r++) {
          const size_t row = rows.first + r, y = inputRow(row % outputHeight_, i), phase = columnTaps_.phase[j];
          const size_t position = (i * window_.filterWidth + j) * stride() + r * outputWidth_;
          const size_t place = (row / outputHeight_ * images_.height + y) * pitch_ + phase * phaseColumns_;
          if (y >= images_.height || phase >= images_.width) {
            plan.seen.push_back({.to = position, .from = 0, .fromWidth = 0, .shift = 0});
            continue;
          }
          plan.seen.push_back(
              {.to = position, .from = place, .fromWidth = phaseLength(phase), .shift = columnTaps_.shift[j]});
          plan.received.push_back(
              {.to = place, .from = position, .fromWidth = outputWidth_, .shift = -columnTaps_.shift[j]});
        }
    std::stable_sort(plan.received.begin(), plan.received.end(),
                     [](const ShiftedRow& a, const ShiftedRow& b) { return a.to < b.to; });
    return plan;
  }

  /// The image row that an output row sees through filter row i; beyond the image's height where it sees none.
  size_t inputRow(size_t outputRow, size_t i) const {
    const ptrdiff_t step = static_cast<ptrdiff_t>(window_.strideHeight);
    const ptrdiff_t row = (static_cast<ptrdiff_t>(outputRow) + rowTaps_.shift[i]) * step;
    return static_cast<size_t>(row + static_cast<ptrdiff_t>(rowTaps_.phase[i]));
  }

  const TrainingMicrokernels& kernels_;
  Buffer<float>&values_, &gradients_;
  Images images_;
  Window window_;
  AxisTaps rowTaps_, columnTaps_;
  size_t outputHeight_, outputWidth_, channelsPerCodebook_;
  size_t groupImages_, blockRows_;
  size_t phaseColumns_, pitch_, planeFloats_;
  size_t firstImage_ = 0, openImages_ = 0, firstChannel_ = 0, openChannels_ = 0;
  std::deque<Plan> plans_;  // of the blocks that there have been
  const Plan* plan_ = nullptr;
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
