// What a JavaScript call brings, as the C API takes it. Which JavaScript value stands for what is the front's rule;
// numbers, lengths and places are the C API's. Reading a property may run JavaScript, which may detach arrays; so
// properties are read before arrays.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/lutnn.h"

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

/// Throws PendingException where Node-API refused; a JavaScript exception is pending then.
void check(napi_env env, napi_status status);
/// Throws what the C API refused; `name` begins the sentence.
void check(const std::string& name, lutnn_code code, const lutnn_error& error);

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

  /// As the C API has arrays of these elements.
  template <class View>
  operator View() const {
    return {data, static_cast<int64_t>(length)};
  }
};

/// A typed array of any type.
struct AnyArray {
  napi_typedarray_type type;
  void* data;
  size_t length;
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
  std::string string(napi_value value, const char* what) const;
  napi_value property(napi_value object, const char* objectName, const char* key) const;
  /// A number without a fraction, whatever its size.
  int64_t integer(napi_value value, const char* what) const;
  int64_t integer(napi_value value, const char* what, int64_t otherwise) const {
    return isUndefined(value) ? otherwise : integer(value, what);
  }
  /// A string of any length, as UTF-8.
  std::string longString(napi_value value, const char* what) const;
  /// Whether it is a typed array, of whatever type.
  bool isTypedArray(napi_value value) const;
  /// A typed array in memory of its own thread.
  AnyArray anyArray(napi_value value, const char* what) const;
  /// The numbers of a plain array, each as `integer` reads them.
  std::vector<int64_t> integers(napi_value value, const char* what) const;
  /// The entries of a plain array, at most 65,536.
  std::vector<napi_value> entries(napi_value value, const char* what) const;
  /// A number that a float32 holds exactly, or one that is not finite.
  float float32(napi_value value, const char* what) const;
  /// A typed array for T, in memory of its own thread.
  template <class T>
  Array<T> array(napi_value value, const char* what) const;

  [[noreturn]] void refuseType(const std::string& message) const { throw TypeFailure{name_ + ": " + message}; }
  [[noreturn]] void refuseRange(const std::string& message) const { throw RangeFailure{name_ + ": " + message}; }
  /// Throws what the C API refused.
  void require(lutnn_code code, const lutnn_error& error) const { check(name_, code, error); }

 private:
  double number(napi_value value, const char* what) const;

  napi_env env_;
  napi_value self_ = nullptr;
  napi_value arguments_[kMaxArguments] = {};
  std::string name_;
  bool isConstruction_ = false;
};

/// A JavaScript function whose data is its name.
template <napi_value (*body)(Call&)>
napi_value function(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  const char* name = static_cast<const char*>(data);
  return throwing(env, name, [&] {
    Call call(env, info, name);
    return body(call);
  });
}

}  // namespace lutnn
