// ONNX Runtime's functions, with exceptions for its failures and owners for what it hands out.
#pragma once

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fronts/onnxruntime/onnxruntime_c.h"

namespace lutnn {

/// What ONNX Runtime refused, in its words, or we.
struct OrtFailure : std::runtime_error {
  explicit OrtFailure(const std::string& message, int code = kOrtFail) : std::runtime_error(message), code(code) {}
  int code;
};

/// A function of the table; it remembers that it was called.
template <class Signature>
class OrtFunction;
template <class Result, class... Arguments>
class OrtFunction<Result(Arguments...)> {
 public:
  void bind(const void* entry) { function_ = reinterpret_cast<Pointer>(const_cast<void*>(entry)); }
  Result operator()(Arguments... arguments) const {
    if (!called_.load(std::memory_order_relaxed)) called_.store(true, std::memory_order_relaxed);
    return function_(arguments...);
  }
  bool called() const { return called_.load(std::memory_order_relaxed); }

 private:
  using Pointer = Result(LUTNN_ORT_CALL*)(Arguments...);
  Pointer function_ = nullptr;
  mutable std::atomic<bool> called_{false};
};

class OrtFunctions {
 public:
  /// Throws OrtFailure where the library is older than version 18.
  explicit OrtFunctions(const OrtApiBase& base);
  OrtFunctions(const OrtFunctions&) = delete;

#define LUTNN_ORT_MEMBER(place, name, result, parameters) OrtFunction<result parameters> name;
  LUTNN_ORT_FUNCTIONS(LUTNN_ORT_MEMBER)
#undef LUTNN_ORT_MEMBER

  /// The version that the library says it has.
  const std::string& version() const { return version_; }
  /// Throws OrtFailure where a call has failed; frees its status.
  void check(OrtStatus* status) const;
  /// A status that says what is wrong; `name` begins the sentence.
  OrtStatus* failed(const char* name, int code, const char* message) const noexcept;

  /// Each declared function's name and place, and whether it was called yet.
  struct Use {
    const char* name;
    int place;
    bool called;
  };
  std::vector<Use> uses() const;

 private:
  std::string version_;
};

/// What is released by one of the functions.
template <class T>
class OrtOwned {
 public:
  using Release = OrtFunction<void(T*)>;
  explicit OrtOwned(const Release& release) : release_(&release) {}
  OrtOwned(const Release& release, T* object) : release_(&release), object_(object) {}
  OrtOwned(OrtOwned&& other) noexcept : release_(other.release_), object_(std::exchange(other.object_, nullptr)) {}
  OrtOwned& operator=(OrtOwned&& other) noexcept {
    std::swap(object_, other.object_);
    std::swap(release_, other.release_);
    return *this;
  }
  ~OrtOwned() {
    if (object_) (*release_)(object_);
  }
  T* get() const { return object_; }
  /// Where a function puts what it makes.
  T** out() { return &object_; }

 private:
  const Release* release_;
  T* object_ = nullptr;
};

/// Lengths of a tensor's axes.
using OrtShape = std::vector<int64_t>;

OrtShape shapeOf(const OrtFunctions& ort, const OrtTensorTypeAndShapeInfo* info);
OrtShape shapeOf(const OrtFunctions& ort, const OrtValue* tensor);
/// As people read it: 2×3, ?×3 where a length is open, or "no axes".
std::string textOf(const OrtShape& shape);

/// Calls body() and hands what it throws to ONNX Runtime, under a name that the body may make; null where it threw nothing.
template <class Body>
OrtStatus* reportFailures(const OrtFunctions& ort, const std::string& name, const Body& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const OrtFailure& failure) {
    return ort.failed(name.c_str(), failure.code, failure.what());
  } catch (const std::bad_alloc&) {
    return ort.failed(name.c_str(), kOrtFail, "there is not enough memory");
  } catch (const std::exception& failure) {
    return ort.failed(name.c_str(), kOrtFail, failure.what());
  } catch (...) {
    return ort.failed(name.c_str(), kOrtFail, "failed for no known reason");
  }
}

}  // namespace lutnn
