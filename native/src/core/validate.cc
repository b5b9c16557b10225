#include "core/validate.h"

#include <algorithm>
#include <stdexcept>

namespace lutnn {

static std::string text(size_t number) { return std::to_string(number); }

void validateCounts(const std::string& where, size_t numCodebooks, size_t numCentroids, size_t subvectorLength) {
  if (numCodebooks < 1) throw std::out_of_range(where + ": numCodebooks must be at least 1 (got 0)");
  if (subvectorLength < 1) throw std::out_of_range(where + ": subvectorLength must be at least 1 (got 0)");
  if (numCentroids < 2 || numCentroids > 256)
    throw std::out_of_range(where + ": numCentroids must be 2 … 256, because a code is one byte (got " +
                            text(numCentroids) + ")");
}

void validateEncoding(const std::string& where, const Lookup& lookup, Encoding encoding) {
  if (encoding == Encoding::kInt8 && lookup.subvectorLength > kMaxLengthInt8)
    throw std::out_of_range(where + ": encoding \"int8\" takes a subvectorLength of at most " + text(kMaxLengthInt8) +
                            " (got " + text(lookup.subvectorLength) + "); use \"float32\"");
  if (encoding == Encoding::kTree && lookup.numCentroids != kBlockCentroids)
    throw std::out_of_range(where + ": encoding \"tree\" takes a numCentroids of 16, the leaves of 4 levels (got " +
                            text(lookup.numCentroids) + ")");
}

void validateTree(const std::string& where, const Lookup& lookup) {
  for (size_t i = 0; i < lookup.numCodebooks * kTreeLevels; i++) {
    const int32_t dimension = lookup.treeDimensions[i];
    if (dimension >= 0 && static_cast<size_t>(dimension) < lookup.subvectorLength) continue;
    throw std::out_of_range(where + ": dimensions of a tree must be below subvectorLength (got " +
                            std::to_string(dimension) + " and " + text(lookup.subvectorLength) + ")");
  }
}

void validateWindow(const std::string& where, const Lookup& lookup, const Window& window) {
  const size_t filter = window.filterHeight * window.filterWidth;
  if (lookup.subvectorLength % filter != 0)
    throw std::out_of_range(where + ": subvectorLength must be a multiple of filterHeight · filterWidth (got " +
                            text(lookup.subvectorLength) + " and " + text(filter) +
                            "); a codebook covers whole windows of its channels");
  if (lookup.numCodebooks * (lookup.subvectorLength / filter) != window.inputChannels)
    throw std::out_of_range(where + ": numCodebooks · subvectorLength must be inputChannels · filterHeight · " +
                            "filterWidth (got " + text(lookup.numCodebooks) + " · " + text(lookup.subvectorLength) +
                            " and " + text(window.inputChannels) + " · " + text(window.filterHeight) + " · " +
                            text(window.filterWidth) + ")");
}

static void validateAxis(const std::string& where, const char* axis, size_t input, size_t filter, size_t stride,
                         size_t dilation, size_t padBefore, size_t padAfter) {
  if (outputExtent(input, filter, stride, dilation, padBefore, padAfter) > 0) return;
  throw std::out_of_range(where + ": the filter must fit into the padded input, but its " + axis + " spans " +
                          text((filter - 1) * dilation + 1) + " and the input's with padding is " +
                          text(input + padBefore + padAfter) + "; use a larger input or more padding");
}

void validateImage(const std::string& where, const Window& w, size_t height, size_t width) {
  validateAxis(where, "height", height, w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop, w.padBottom);
  validateAxis(where, "width", width, w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft, w.padRight);
}

void validateCodes(const std::string& where, const uint8_t* codes, size_t count, size_t numCentroids) {
  uint8_t largest = 0;
  for (size_t i = 0; i < count; i++) largest = std::max(largest, codes[i]);
  if (largest >= numCentroids)
    throw std::out_of_range(where + ": codes must be below numCentroids (got " + text(largest) + " and " +
                            text(numCentroids) + "); use what encode gives for these centroids");
}

}  // namespace lutnn
