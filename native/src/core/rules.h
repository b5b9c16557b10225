// The rules about arguments. Each function throws a Refusal of one sentence; the C API turns it into a code.
#pragma once

#include <initializer_list>
#include <string>

#include "core/lutnn.h"
#include "core/packing.h"
#include "core/window.h"

namespace lutnn {

struct Refusal {
  lutnn_code code;
  std::string message;
};

/// The largest count that an argument may be, and the largest number of a window.
constexpr int64_t kMaxCount = 2147483647, kMaxWindowNumber = 16777216, kMaxThreads = 256;

[[noreturn]] void refuseRange(const std::string& message);
/// An integer from `least` to `most`.
size_t count(const char* name, int64_t value, int64_t least = 0, int64_t most = kMaxCount);

/// An array exactly as long as the product of `sizes`, which `rule` spells.
void requireArray(const char* name, const void* data, int64_t length, size_t alignment, const char* rule,
                  std::initializer_list<size_t> sizes);
template <class Array>
auto array(const char* name, const Array& given, const char* rule, std::initializer_list<size_t> sizes) {
  requireArray(name, given.data, given.length, alignof(decltype(*given.data)), rule, sizes);
  return given.data;
}

/// The array that is written must not lie in the memory of the one that is read.
void requireApart(const char* inName, const void* in, size_t inBytes, const char* outName, const void* out,
                  size_t outBytes);
template <class In, class Out>
void requireApart(const char* inName, const In& in, const char* outName, const Out& out) {
  requireApart(inName, in.data, static_cast<size_t>(in.length) * sizeof(*in.data), outName, out.data,
               static_cast<size_t>(out.length) * sizeof(*out.data));
}

/// A scale of bytes: finite, above 0.
float scaleOf(const char* name, float scale);
/// What is added to a variance: finite, from 0.
float epsilonOf(float epsilon);
void requireFinite(const char* name, const float* values, size_t count);

/// Counts within their limits; array lengths are the caller's to check.
void requireCounts(size_t numCodebooks, size_t numCentroids, size_t subvectorLength);
void requireEncoding(const Lookup& lookup, Encoding encoding);
/// Codes in integers that scores can be exact of.
IntegerCodes integersOf(const lutnn_integer_codes* given, size_t numCodebooks, size_t numCentroids,
                        size_t subvectorLength);
/// Every dimension of the trees is below V; a threshold may be anything.
void requireTree(const Lookup& lookup);
/// A window whose numbers are in their ranges.
Window windowOf(const lutnn_window& window);
void requireWindow(const Lookup& lookup, const Window& window);
/// The filter fits into an image of this size.
void requireImage(const Window& window, size_t height, size_t width);
/// Every code is below K.
void requireCodes(const uint8_t* codes, size_t count, size_t numCentroids);

/// What a function of the C API does, every exception turned into a code and a sentence.
template <class Body>
lutnn_code guarded(lutnn_error* error, const Body& body) noexcept;
lutnn_code failed(lutnn_error* error, lutnn_code code, const char* message) noexcept;

template <class Body>
lutnn_code guarded(lutnn_error* error, const Body& body) noexcept {
  try {
    body();
    return LUTNN_OK;
  } catch (const Refusal& refusal) {
    return failed(error, refusal.code, refusal.message.c_str());
  } catch (const std::bad_alloc&) {
    return failed(error, LUTNN_NO_MEMORY, "there is not enough memory");
  } catch (const std::exception& failure) {
    return failed(error, LUTNN_FAILED, failure.what());
  }
}

}  // namespace lutnn
