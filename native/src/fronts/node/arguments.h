// What a JavaScript call brings: read and checked, or refused with a sentence of what, rule, value and remedy.
// Reading a property may run JavaScript, which may detach arrays; so properties are read before arrays.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace lutnn {

/// Become a TypeError and a RangeError.
struct TypeFailure {
  std::string message;
};
struct RangeFailure {
  std::string message;
};
/// A JavaScript exception is on its way already.
struct PendingException {};

/// The largest count that an argument may be, and the largest number of a window.
constexpr double kMaxCount = 2147483647;
constexpr double kMaxWindowNumber = 16777216;
constexpr double kMaxThreads = 256;

/// Throws PendingException where Node-API refused; a JavaScript exception is pending then.
void check(napi_env env, napi_status status);

/// What a JavaScript function does, every C++ exception turned into a JavaScript one; `name` is the function's.
template <class Body>
napi_value throwing(napi_env env, const char* name, const Body& body) {
  try {
    return body();
  } catch (const PendingException&) {
  } catch (const TypeFailure& failure) {
    napi_throw_type_error(env, nullptr, failure.message.c_str());
  } catch (const RangeFailure& failure) {
    napi_throw_range_error(env, nullptr, failure.message.c_str());
  } catch (const std::out_of_range& failure) {
    napi_throw_range_error(env, nullptr, failure.what());
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, nullptr, (std::string(name) + ": there is not enough memory").c_str());
  } catch (const std::exception& failure) {
    napi_throw_error(env, nullptr, failure.what());
  }
  return nullptr;
}

/// A typed array of JavaScript's; without a value where an optional one was not given.
template <class T>
struct Array {
  napi_value value = nullptr;
  const char* name = nullptr;
  T* data = nullptr;
  size_t length = 0;
};

class Call {
 public:
  static constexpr size_t kMaxArguments = 9;

  /// `name` begins every sentence.
  Call(napi_env env, napi_callback_info info, const char* name);

  napi_env env() const { return env_; }
  napi_value self() const { return self_; }
  napi_value operator[](size_t i) const { return arguments_[i]; }
  const std::string& name() const { return name_; }
  bool isConstruction() const { return isConstruction_; }

  bool isUndefined(napi_value value) const;
  bool boolean(napi_value value, const char* what) const;
  /// Which of the names it is; `remedies` are pairs of a name that there is not and of what to say to those who give it.
  size_t choice(napi_value value, const char* what, std::initializer_list<const char*> names,
                std::initializer_list<std::pair<const char*, const char*>> remedies = {}) const;
  napi_value property(napi_value object, const char* objectName, const char* key) const;
  /// An integer from `least` to `most`.
  size_t count(napi_value value, const char* what, double least = 0, double most = kMaxCount) const;
  /// Elements of a typed array of any kind.
  size_t length(napi_value value, const char* what) const;
  /// A typed array for T, in memory of its own thread, exactly as long as the product of `sizes`, which `rule` spells.
  template <class T>
  Array<T> array(napi_value value, const char* what, const char* rule, std::initializer_list<size_t> sizes) const;
  /// The array that is written must not lie in the memory of the one that is read.
  template <class In, class Out>
  void requireApart(const Array<In>& in, const Array<Out>& out) const {
    requireApart(in.name, in.data, in.length * sizeof(In), out.name, out.data, out.length * sizeof(Out));
  }

  [[noreturn]] void refuseType(const std::string& message) const { throw TypeFailure{name_ + ": " + message}; }
  [[noreturn]] void refuseRange(const std::string& message) const { throw RangeFailure{name_ + ": " + message}; }

 private:
  void requireApart(const char* inName, const void* in, size_t inBytes, const char* outName, const void* out,
                    size_t outBytes) const;

  napi_env env_;
  napi_value self_ = nullptr;
  napi_value arguments_[kMaxArguments] = {};
  std::string name_;
  bool isConstruction_ = false;
};

}  // namespace lutnn
