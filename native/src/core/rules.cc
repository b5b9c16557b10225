#include "core/rules.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace lutnn {

static std::string text(size_t number) { return std::to_string(number); }

void refuseRange(const std::string& message) { throw Refusal{LUTNN_OUT_OF_RANGE, message}; }

size_t count(const char* name, int64_t value, int64_t least, int64_t most) {
  if (value < least || value > most)
    refuseRange(std::string(name) + " must be an integer from " + std::to_string(least) + " to " +
                std::to_string(most) + " (got " + std::to_string(value) + ")");
  return static_cast<size_t>(value);
}

void requireArray(const char* name, const void* data, int64_t length, size_t alignment, const char* rule,
                  std::initializer_list<size_t> sizes) {
  double wanted = 1;
  for (size_t size : sizes) wanted *= static_cast<double>(size);
  if (static_cast<double>(length) != wanted) {
    std::string factors;
    for (size_t size : sizes) factors += (factors.empty() ? "" : " · ") + text(size);
    std::string product = std::to_string(wanted);  // may be more than any integer holds
    product.erase(product.find('.'));
    refuseRange(std::string(name) + " must have " + rule + " = " + factors + (sizes.size() > 1 ? " = " + product : "") +
                " elements (got " + std::to_string(length) + ")");
  }
  if (length > 0 && !data) refuseRange(std::string(name) + " must lie in memory (got a null pointer)");
  if (reinterpret_cast<uintptr_t>(data) % alignment != 0)
    refuseRange(std::string(name) + " must lie at a multiple of " + text(alignment) + " bytes; pass a copy");
}

void requireApart(const char* inName, const void* in, size_t inBytes, const char* outName, const void* out,
                  size_t outBytes) {
  const auto inAt = reinterpret_cast<uintptr_t>(in), outAt = reinterpret_cast<uintptr_t>(out);
  if (inBytes == 0 || outBytes == 0 || inAt + inBytes <= outAt || outAt + outBytes <= inAt) return;
  refuseRange(std::string(outName) + " must not overlap " + inName +
              ", which is still read while it is written; use separate memory");
}

lutnn_code failed(lutnn_error* error, lutnn_code code, const char* message) noexcept {
  size_t length = std::min(std::strlen(message), sizeof error->message - 1);
  while (length > 0 && (message[length] & 0xc0) == 0x80) length--;  // no half of a character
  std::memcpy(error->message, message, length);
  error->message[length] = 0;
  return code;
}

void requireCounts(size_t numCodebooks, size_t numCentroids, size_t subvectorLength) {
  if (numCodebooks < 1) refuseRange("numCodebooks must be at least 1 (got 0)");
  if (subvectorLength < 1) refuseRange("subvectorLength must be at least 1 (got 0)");
  if (numCentroids < 2 || numCentroids > 256)
    refuseRange("numCentroids must be 2 … 256, because a code is one byte (got " + text(numCentroids) + ")");
}

void requireEncoding(const Lookup& lookup, Encoding encoding) {
  if (encoding == Encoding::kInt8 && lookup.subvectorLength > kMaxLengthInt8)
    refuseRange("encoding \"int8\" takes a subvectorLength of at most " + text(kMaxLengthInt8) + " (got " +
                text(lookup.subvectorLength) + "); use \"float32\"");
  if (encoding == Encoding::kInteger && lookup.subvectorLength > kMaxLengthInteger)
    refuseRange("encoding \"integer\" takes a subvectorLength of at most " + text(kMaxLengthInteger) + " (got " +
                text(lookup.subvectorLength) + "); use \"float32\"");
  if (encoding == Encoding::kTree && lookup.numCentroids != kBlockCentroids)
    refuseRange("encoding \"tree\" takes a numCentroids of 16, the leaves of 4 levels (got " +
                text(lookup.numCentroids) + ")");
}

float scaleOf(const char* name, float scale) {
  if (scale > 0 && std::isfinite(scale)) return scale;
  refuseRange(std::string(name) + " must be a float32 above 0 (got " + std::to_string(scale) + ")");
}

float epsilonOf(float epsilon) {
  if (epsilon >= 0 && std::isfinite(epsilon)) return epsilon;
  refuseRange("epsilon must be a float32 from 0 (got " + std::to_string(epsilon) + ")");
}

void requireFinite(const char* name, const float* values, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!std::isfinite(values[i]))
      refuseRange(std::string(name) + " must be finite (got " + std::to_string(values[i]) + " at index " + text(i) +
                  ")");
}

IntegerCodes integersOf(const lutnn_integer_codes* given, size_t numCodebooks, size_t numCentroids,
                        size_t subvectorLength) {
  if (!given) throw Refusal{LUTNN_WRONG_KIND, "encoding \"integer\" takes integers (got none)"};
  const float scale = scaleOf("inputScale", given->input_scale);
  const size_t zeroPoint = count("inputZeroPoint", given->input_zero_point, 0, 255);
  const int8_t* centroids =
      array("centroids of integers", given->centroids, "numCodebooks · numCentroids · subvectorLength",
            {numCodebooks, numCentroids, subvectorLength});
  const int32_t* halfNorms =
      array("halfNorms", given->half_norms, "numCodebooks · numCentroids", {numCodebooks, numCentroids});
  for (size_t i = 0; i < numCodebooks * numCentroids * subvectorLength; i++)
    if (centroids[i] == -128)
      refuseRange("centroids of integers must be within ±127 (got -128 at index " + text(i) + ")");
  for (size_t i = 0; i < numCodebooks * numCentroids; i++)
    if (halfNorms[i] < 0 || halfNorms[i] > kMaxHalfNorm)
      refuseRange("halfNorms must be from 0 to " + text(kMaxHalfNorm) + " (got " + std::to_string(halfNorms[i]) +
                  " at index " + text(i) + ")");
  return {.inputScale = scale,
          .inputZeroPoint = static_cast<uint8_t>(zeroPoint),
          .centroids = centroids,
          .halfNorms = halfNorms};
}

void requireTree(const Lookup& lookup) {
  for (size_t i = 0; i < lookup.numCodebooks * kTreeLevels; i++) {
    const int32_t dimension = lookup.treeDimensions[i];
    if (dimension >= 0 && static_cast<size_t>(dimension) < lookup.subvectorLength) continue;
    refuseRange("dimensions of a tree must be below subvectorLength (got " + std::to_string(dimension) + " and " +
                text(lookup.subvectorLength) + ")");
  }
}

void requireWindow(const Lookup& lookup, const Window& window) {
  const size_t filter = window.filterHeight * window.filterWidth;
  if (lookup.subvectorLength % filter != 0)
    refuseRange("subvectorLength must be a multiple of filterHeight · filterWidth (got " +
                text(lookup.subvectorLength) + " and " + text(filter) +
                "); a codebook covers whole windows of its channels");
  if (lookup.numCodebooks * (lookup.subvectorLength / filter) != window.inputChannels)
    refuseRange(
        "numCodebooks · subvectorLength must be inputChannels · filterHeight · "
        "filterWidth (got " +
        text(lookup.numCodebooks) + " · " + text(lookup.subvectorLength) + " and " + text(window.inputChannels) +
        " · " + text(window.filterHeight) + " · " + text(window.filterWidth) + ")");
}

Window windowOf(const lutnn_window& w) {
  const auto number = [](const char* name, int64_t value, int64_t least) {
    return count(name, value, least, kMaxWindowNumber);
  };
  return {.inputChannels = number("inputChannels", w.input_channels, 1),
          .filterHeight = number("filterHeight", w.filter_height, 1),
          .filterWidth = number("filterWidth", w.filter_width, 1),
          .strideHeight = number("strideHeight", w.stride_height, 1),
          .strideWidth = number("strideWidth", w.stride_width, 1),
          .dilationHeight = number("dilationHeight", w.dilation_height, 1),
          .dilationWidth = number("dilationWidth", w.dilation_width, 1),
          .padTop = number("padTop", w.pad_top, 0),
          .padLeft = number("padLeft", w.pad_left, 0),
          .padBottom = number("padBottom", w.pad_bottom, 0),
          .padRight = number("padRight", w.pad_right, 0)};
}

static void requireAxis(const std::string& axis, size_t input, size_t filter, size_t stride, size_t dilation,
                        size_t padBefore, size_t padAfter) {
  if (outputExtent(input, filter, stride, dilation, padBefore, padAfter) > 0) return;
  refuseRange("the filter must fit into the padded input, but its " + axis + " spans " +
              text((filter - 1) * dilation + 1) + " and the input's with padding is " +
              text(input + padBefore + padAfter) + "; use a larger input or more padding");
}

void requireImage(const Window& w, size_t height, size_t width) {
  requireAxis("height", height, w.filterHeight, w.strideHeight, w.dilationHeight, w.padTop, w.padBottom);
  requireAxis("width", width, w.filterWidth, w.strideWidth, w.dilationWidth, w.padLeft, w.padRight);
}

void requireCodes(const uint8_t* codes, size_t count, size_t numCentroids) {
  uint8_t largest = 0;
  for (size_t i = 0; i < count; i++) largest = std::max(largest, codes[i]);
  if (largest >= numCentroids)
    refuseRange("codes must be below numCentroids (got " + text(largest) + " and " + text(numCentroids) +
                "); use what encode gives for these centroids");
}

}  // namespace lutnn
