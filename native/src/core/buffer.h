// An array on a cache line's boundary that only ever grows: for packed layers, and for scratch that calls share.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace lutnn {

constexpr size_t kAlignment = 64;

constexpr size_t roundUp(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t size) { reserve(size); }

  /// At least `size` elements, whatever they hold. Its old elements are lost when it grows.
  T* reserve(size_t size) {
    if (size > size_) {
      data_.reset();
      size_ = 0;
      data_.reset(static_cast<T*>(::operator new(size * sizeof(T), std::align_val_t{kAlignment})));
      size_ = size;
    }
    return data_.get();
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t bytes() const { return size_ * sizeof(T); }

 private:
  struct Free {
    void operator()(T* data) const { ::operator delete(data, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
};

/// What a call needs beside its operator, reused by the next call: once for the call, and once for each slot of its
/// executor.
struct Workspace {
  struct Scratch {
    Buffer<uint8_t> strip, rows, bytes, image, quads;
    Buffer<float> planes, results;
    Buffer<int32_t> sums;
  };

  Buffer<uint8_t> codes;
  std::vector<Scratch> scratch;
  double* times = nullptr;  // added to, where given: ms of encoding, and of lookup

  void prepare(size_t slots) {
    if (scratch.size() < slots) scratch.resize(slots);
  }
  size_t bytes() const {
    size_t sum = codes.bytes();
    for (const Scratch& s : scratch)
      sum += s.strip.bytes() + s.rows.bytes() + s.bytes.bytes() + s.image.bytes() + s.quads.bytes() + s.planes.bytes() +
             s.results.bytes() + s.sums.bytes();
    return sum;
  }
};

/// Adds the ms of what runs between two calls to one of a workspace's times; does nothing where none are wanted.
class PhaseTimer {
 public:
  explicit PhaseTimer(const Workspace& workspace) : times_(workspace.times) {
    if (times_) last_ = Clock::now();
  }
  void encoded() { add(0); }
  void lookedUp() { add(1); }

 private:
  using Clock = std::chrono::steady_clock;
  void add(size_t phase) {
    if (!times_) return;
    const Clock::time_point now = Clock::now();
    times_[phase] += std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
  }
  double* times_;
  Clock::time_point last_;
};

}  // namespace lutnn
