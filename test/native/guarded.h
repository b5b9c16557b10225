// An array with an inaccessible page right after its end, or right before its start: touching one element too many
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

}  // namespace lutnn
