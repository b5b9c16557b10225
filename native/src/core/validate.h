// The rules of a layer's description. Each throws std::out_of_range with a sentence that `where` begins.
#pragma once

#include <string>

#include "core/packing.h"
#include "core/window.h"

namespace lutnn {

/// Counts within their limits; array lengths are the caller's to check.
void validateCounts(const std::string& where, size_t numCodebooks, size_t numCentroids, size_t subvectorLength);
void validateEncoding(const std::string& where, const Lookup& lookup, Encoding encoding);
/// Every dimension of the trees is below V; a threshold may be anything.
void validateTree(const std::string& where, const Lookup& lookup);
void validateWindow(const std::string& where, const Lookup& lookup, const Window& window);
/// The filter fits into an image of this size.
void validateImage(const std::string& where, const Window& window, size_t height, size_t width);
/// Every code is below K.
void validateCodes(const std::string& where, const uint8_t* codes, size_t count, size_t numCentroids);

}  // namespace lutnn
