// What calls are drawn from: bytes that become sizes and numbers, and arrays of just the length that they claim, so that
// AddressSanitizer sees what is touched beyond. A call is carried out or refused; nothing else may happen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "core/lutnn.h"

/// What is left of the input; zeros once nothing is. One in two inputs spoils sizes, the other means what it says, so that
/// calls that only come after many others are reached, too.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size), spoils_(byte() % 2 == 1) {}
  uint8_t byte() {
    if (size_ == 0) return 0;
    size_--;
    return *data_++;
  }
  int64_t below(int64_t count) { return byte() % count; }
  bool oneIn(int64_t count) { return below(count) == count - 1; }
  /// Whether something is to be other than it should, at times.
  bool spoils() { return spoils_ && oneIn(24); }
  /// A size that may be used as it is, or one that nobody means.
  int64_t spoiled(int64_t size) {
    if (!spoils()) return size;
    static constexpr int64_t odd[] = {
        0, -1, 1, INT64_MIN, INT64_MAX, int64_t{1} << 31, (int64_t{1} << 31) - 1, int64_t{1} << 53};
    return byte() % 2 ? size + below(3) - 1 : odd[below(8)];
  }
  float number() {
    static constexpr float odd[] = {0.f, -0.f, 1e38f, -1e38f, 1e-45f, 0.5f};
    const int64_t which = below(20);
    if (which < 6) return odd[which];
    if (which == 6) return __builtin_nanf("");
    if (which == 7) return __builtin_inff();
    return static_cast<float>(byte()) / 16.f - 8.f;
  }

 private:
  const uint8_t* data_;
  size_t size_;
  const bool spoils_;
};

/// Arrays of one call, each a piece of memory of its own that is as long as it says, and no longer.
class Arrays {
 public:
  explicit Arrays(Bytes& bytes) : bytes_(bytes) {}
  /// Mostly of `length` elements; filled from the input.
  template <class View, class T>
  View make(int64_t length, T (*element)(Bytes&)) {
    constexpr int64_t most = 1 << 16;
    if (bytes_.spoils()) length += bytes_.below(3) - 1;
    if (length < 0 || length > most) return {nullptr, length};
    T* data = exact<T>(length);
    const int64_t drawn = length < 64 ? length : 64;
    for (int64_t i = 0; i < length; i++) data[i] = i < drawn ? element(bytes_) : data[i % drawn];
    return {data, length};
  }
  template <class View>
  View floats(int64_t length) {
    return make<View, float>(length, [](Bytes& b) { return b.number(); });
  }
  lutnn_doubles doubles(int64_t length) {
    return make<lutnn_doubles, double>(length, [](Bytes& b) { return b.byte() / 256.0; });
  }
  lutnn_int8s int8s(int64_t length) {
    return make<lutnn_int8s, int8_t>(length, [](Bytes& b) { return static_cast<int8_t>(b.byte()); });
  }
  lutnn_ints ints(int64_t length, bool small) {
    if (small) return make<lutnn_ints, int32_t>(length, [](Bytes& b) { return static_cast<int32_t>(b.below(9)); });
    return make<lutnn_ints, int32_t>(length,
                                     [](Bytes& b) { return static_cast<int32_t>(b.byte()) << (b.byte() % 24); });
  }
  template <class View>
  View codes(int64_t length) {
    return make<View, uint8_t>(length,
                               [](Bytes& b) { return static_cast<uint8_t>(b.oneIn(40) ? b.byte() : b.below(2)); });
  }
  /// Of just that many elements.
  float* whole(int64_t length) {
    float* values = exact<float>(length);
    for (int64_t i = 0; i < length; i++) values[i] = i < 64 ? bytes_.number() : values[i % 64];
    return values;
  }
  template <class T>
  T* exact(int64_t length) {
    kept_.push_back(std::unique_ptr<char[]>(new char[static_cast<size_t>(length) * sizeof(T)]));
    return reinterpret_cast<T*>(kept_.back().get());
  }

 private:
  Bytes& bytes_;
  std::vector<std::unique_ptr<char[]>> kept_;
};

/// Calls that were refused, and that were carried out.
inline long fuzzedCalls[2];

/// A code that there is, and a sentence that ends.
inline void check(lutnn_code code, const lutnn_error& error) {
  fuzzedCalls[code == LUTNN_OK]++;
  if (code < LUTNN_OK || code > LUTNN_FAILED) __builtin_trap();
  if (code != LUTNN_OK && !std::memchr(error.message, 0, sizeof error.message)) __builtin_trap();
}

/// Sequences of calls of training's soft-PQ functions (fuzz_soft.cc).
void fuzzSoft(Bytes& bytes);
