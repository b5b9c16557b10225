#include "fronts/node/arguments.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lutnn {

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) {
    const napi_extended_error_info* info = nullptr;
    napi_get_last_error_info(env, &info);
    napi_throw_error(env, nullptr, info && info->error_message ? info->error_message : "Node-API call failed");
  }
  throw PendingException{};
}

void check(const std::string& name, lutnn_code code, const lutnn_error& error) {
  if (code == LUTNN_OK) return;
  const std::string message = name + ": " + error.message;
  if (code == LUTNN_WRONG_KIND) throw TypeFailure{message};
  if (code == LUTNN_OUT_OF_RANGE) throw RangeFailure{message};
  throw std::runtime_error(message);
}

Call::Call(napi_env env, napi_callback_info info, const char* name) : env_(env), name_(name) {
  size_t count = kMaxArguments;  // missing ones are undefined
  check(env, napi_get_cb_info(env, info, &count, arguments_, &self_, nullptr));
  napi_value target = nullptr;
  check(env, napi_get_new_target(env, info, &target));
  isConstruction_ = target != nullptr;
}

static napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  return type;
}

static std::string describe(napi_env env, napi_value value) {
  switch (typeOf(env, value)) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return "a boolean";
    case napi_number: return "a number";
    case napi_string: return "a string";
    case napi_symbol: return "a symbol";
    case napi_function: return "a function";
    case napi_bigint: return "a bigint";
    default: break;
  }
  bool isTyped = false;
  check(env, napi_is_typedarray(env, value, &isTyped));
  if (!isTyped) return "an object";
  static const char* const names[] = {"an Int8Array",   "a Uint8Array",    "a Uint8ClampedArray", "an Int16Array",
                                      "a Uint16Array",  "an Int32Array",   "a Uint32Array",       "a Float32Array",
                                      "a Float64Array", "a BigInt64Array", "a BigUint64Array"};
  napi_typedarray_type type;
  check(env, napi_get_typedarray_info(env, value, &type, nullptr, nullptr, nullptr, nullptr));
  return type < sizeof names / sizeof *names ? names[type] : "another typed array";
}

static std::string text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.16g", number);
  return digits;
}

bool Call::isUndefined(napi_value value) const { return typeOf(env_, value) == napi_undefined; }

bool Call::boolean(napi_value value, const char* what) const {
  if (typeOf(env_, value) != napi_boolean)
    refuseType(std::string(what) + " must be a boolean (got " + describe(env_, value) + ")");
  bool read;
  check(env_, napi_get_value_bool(env_, value, &read));
  return read;
}

std::string Call::string(napi_value value, const char* what) const {
  std::string read = longString(value, what);
  constexpr size_t kMost = 63;  // what is longer is cut, and no name of ours
  read.resize(std::min(read.size(), kMost));
  return read;
}

std::string Call::longString(napi_value value, const char* what) const {
  if (typeOf(env_, value) != napi_string)
    refuseType(std::string(what) + " must be a string (got " + describe(env_, value) + ")");
  size_t length = 0;
  check(env_, napi_get_value_string_utf8(env_, value, nullptr, 0, &length));
  std::string read(length + 1, '\0');
  check(env_, napi_get_value_string_utf8(env_, value, read.data(), read.size(), &length));
  read.resize(length);
  return read;
}

napi_value Call::property(napi_value object, const char* objectName, const char* key) const {
  if (typeOf(env_, object) != napi_object)
    refuseType(std::string(objectName) + " must be an object (got " + describe(env_, object) + ")");
  napi_value value;
  check(env_, napi_get_named_property(env_, object, key, &value));
  return value;
}

double Call::number(napi_value value, const char* what) const {
  if (typeOf(env_, value) != napi_number)
    refuseType(std::string(what) + " must be a number (got " + describe(env_, value) + ")");
  double number;
  check(env_, napi_get_value_double(env_, value, &number));
  return number;
}

float Call::float32(napi_value value, const char* what) const {
  const double read = number(value, what);
  const float single = static_cast<float>(read);
  if (single != read && !std::isnan(read))
    refuseRange(std::string(what) + " must be a float32 (got " + text(read) + "); use Math.fround");
  return single;
}

int64_t Call::integer(napi_value value, const char* what) const {
  const double number = this->number(value, what);
  constexpr double kMostExact = 9007199254740991;  // 2⁵³ − 1
  if (!(std::fabs(number) <= kMostExact) || number != std::floor(number))
    refuseRange(std::string(what) + " must be an integer (got " + text(number) + ")");
  return static_cast<int64_t>(number);
}

template <class T>
struct TypedArray;
template <>
struct TypedArray<float> {
  static constexpr napi_typedarray_type type = napi_float32_array;
  static constexpr const char* name = "a Float32Array";
};
template <>
struct TypedArray<int8_t> {
  static constexpr napi_typedarray_type type = napi_int8_array;
  static constexpr const char* name = "an Int8Array";
};
template <>
struct TypedArray<uint8_t> {
  static constexpr napi_typedarray_type type = napi_uint8_array;
  static constexpr const char* name = "a Uint8Array";
};
template <>
struct TypedArray<int32_t> {
  static constexpr napi_typedarray_type type = napi_int32_array;
  static constexpr const char* name = "an Int32Array";
};
template <>
struct TypedArray<double> {
  static constexpr napi_typedarray_type type = napi_float64_array;
  static constexpr const char* name = "a Float64Array";
};

bool Call::isTypedArray(napi_value value) const {
  bool isTyped = false;
  check(env_, napi_is_typedarray(env_, value, &isTyped));
  return isTyped;
}

AnyArray Call::anyArray(napi_value value, const char* what) const {
  const std::string subject = what;
  if (!isTypedArray(value)) refuseType(subject + " must be a typed array (got " + describe(env_, value) + ")");
  AnyArray array{};
  napi_value memory = nullptr;
  check(env_, napi_get_typedarray_info(env_, value, &array.type, &array.length, &array.data, &memory, nullptr));
  bool isOwn = false, isDetached = false;
  check(env_, napi_is_arraybuffer(env_, memory, &isOwn));
  if (!isOwn)
    refuseType(subject + " must not lie in a SharedArrayBuffer, which other threads may write meanwhile; pass a copy");
  check(env_, napi_is_detached_arraybuffer(env_, memory, &isDetached));
  if (isDetached) refuseType(subject + " must not be detached; its memory has been transferred elsewhere");
  return array;
}

std::vector<napi_value> Call::entries(napi_value value, const char* what) const {
  bool isArray = false;
  check(env_, napi_is_array(env_, value, &isArray));
  if (!isArray) refuseType(std::string(what) + " must be an array (got " + describe(env_, value) + ")");
  uint32_t length = 0;
  check(env_, napi_get_array_length(env_, value, &length));
  constexpr uint32_t kMost = 1 << 16;  // more than a network has inputs or a tensor axes; an array may claim 2³² − 1
  if (length > kMost)
    refuseRange(std::string(what) + " must have at most " + std::to_string(kMost) + " entries (got " +
                std::to_string(length) + ")");
  std::vector<napi_value> read(length);
  for (uint32_t i = 0; i < length; i++) check(env_, napi_get_element(env_, value, i, &read[i]));
  return read;
}

std::vector<int64_t> Call::integers(napi_value value, const char* what) const {
  std::vector<int64_t> read;
  for (napi_value entry : entries(value, what)) read.push_back(integer(entry, what));
  return read;
}

template <class T>
Array<T> Call::array(napi_value value, const char* what) const {
  const auto refuse = [&] {
    refuseType(std::string(what) + " must be " + TypedArray<T>::name + " (got " + describe(env_, value) + ")");
  };
  if (!isTypedArray(value)) refuse();
  napi_typedarray_type type;
  check(env_, napi_get_typedarray_info(env_, value, &type, nullptr, nullptr, nullptr, nullptr));
  if (type != TypedArray<T>::type) refuse();
  const AnyArray array = anyArray(value, what);
  return {value, what, static_cast<T*>(array.data), array.length};
}

template Array<float> Call::array(napi_value, const char*) const;
template Array<double> Call::array(napi_value, const char*) const;
template Array<int8_t> Call::array(napi_value, const char*) const;
template Array<uint8_t> Call::array(napi_value, const char*) const;
template Array<int32_t> Call::array(napi_value, const char*) const;

}  // namespace lutnn
