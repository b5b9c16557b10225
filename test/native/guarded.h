// Arrays with an inaccessible page right after their end, or right before their start: touching one element too many
// stops the test.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace lutnn {

enum class Guard { kAfter, kBefore };

template <class T>
class Guarded {
 public:
  explicit Guarded(size_t size, Guard guard = Guard::kAfter) : size_(size) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t room = (size * sizeof(T) + page - 1) / page * page;
    mapped_ = room + 2 * page;
    memory_ = static_cast<char*>(mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory_ == MAP_FAILED) std::abort();
    mprotect(memory_, page, PROT_NONE);
    mprotect(memory_ + page + room, page, PROT_NONE);
    char* start = memory_ + page + (guard == Guard::kAfter ? room - size * sizeof(T) : 0);
    data_ = reinterpret_cast<T*>(start);
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(memory_, mapped_); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  size_t size_, mapped_;
  char* memory_;
  T* data_;
};

/// Memory between two inaccessible pages in which one array after another lies, at the upper or the lower edge; what an
/// array leaves free beside it is filled with a pattern.
class GuardedRoom {
 public:
  explicit GuardedRoom(size_t bytes) : room_(bytes) {}
  GuardedRoom(const GuardedRoom&) = delete;

  template <class T>
  T* place(size_t size, Guard guard) {
    bytes_ = size * sizeof(T);
    if (bytes_ > room_.size()) std::abort();
    start_ = guard == Guard::kAfter ? room_.end() - bytes_ : room_.begin();
    before_ = guard == Guard::kAfter ? (free() < kMargin ? free() : kMargin) : 0;
    after_ = guard == Guard::kAfter ? 0 : free() < kMargin ? free() : kMargin;
    std::memset(start_ - before_, kPattern, before_ + bytes_ + after_);
    return reinterpret_cast<T*>(start_);
  }
  /// Whether the pattern around the array is still there.
  bool untouched() const {
    for (const unsigned char* at = start_ - before_; at < start_; at++)
      if (*at != kPattern) return false;
    for (const unsigned char* at = start_ + bytes_; at < start_ + bytes_ + after_; at++)
      if (*at != kPattern) return false;
    return true;
  }

 private:
  static constexpr size_t kMargin = 512;
  static constexpr unsigned char kPattern = 0xa5;
  size_t free() const { return room_.size() - bytes_; }

  Guarded<unsigned char> room_;
  unsigned char* start_ = nullptr;
  size_t bytes_ = 0, before_ = 0, after_ = 0;
};

}  // namespace lutnn
