#include "fronts/node/arguments.h"

#include <cmath>
#include <cstring>

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
  std::string digits = std::to_string(number);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
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

size_t Call::choice(napi_value value, const char* what, std::initializer_list<const char*> names,
                    std::initializer_list<std::pair<const char*, const char*>> remedies) const {
  char text[32] = "";
  if (typeOf(env_, value) == napi_string)
    check(env_, napi_get_value_string_utf8(env_, value, text, sizeof text, nullptr));
  std::string wanted;
  size_t i = 0;
  for (const char* name : names) {
    if (std::strcmp(name, text) == 0) return i;
    wanted += (i++ ? " or " : "") + ('"' + std::string(name)) + '"';
  }
  const std::string got = *text ? '"' + std::string(text) + '"' : describe(env_, value);
  std::string remedy;
  for (const auto& [name, sentence] : remedies)
    if (std::strcmp(name, text) == 0) remedy = "; " + std::string(sentence);
  refuseType(std::string(what) + " must be " + wanted + " (got " + got + ")" + remedy);
}

napi_value Call::property(napi_value object, const char* objectName, const char* key) const {
  if (typeOf(env_, object) != napi_object)
    refuseType(std::string(objectName) + " must be an object (got " + describe(env_, object) + ")");
  napi_value value;
  check(env_, napi_get_named_property(env_, object, key, &value));
  return value;
}

size_t Call::count(napi_value value, const char* what, double least, double most) const {
  if (typeOf(env_, value) != napi_number)
    refuseType(std::string(what) + " must be a number (got " + describe(env_, value) + ")");
  double number;
  check(env_, napi_get_value_double(env_, value, &number));
  if (!(number >= least && number <= most) || number != std::floor(number))
    refuseRange(std::string(what) + " must be an integer from " + text(least) + " to " + text(most) + " (got " +
                text(number) + ")");
  return static_cast<size_t>(number);
}

size_t Call::length(napi_value value, const char* what) const {
  bool isTyped = false;
  check(env_, napi_is_typedarray(env_, value, &isTyped));
  if (!isTyped) refuseType(std::string(what) + " must be a typed array (got " + describe(env_, value) + ")");
  size_t length = 0;
  check(env_, napi_get_typedarray_info(env_, value, nullptr, &length, nullptr, nullptr, nullptr));
  return length;
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

template <class T>
Array<T> Call::array(napi_value value, const char* what, const char* rule, std::initializer_list<size_t> sizes) const {
  const std::string subject = what;
  bool isTyped = false;
  check(env_, napi_is_typedarray(env_, value, &isTyped));
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  napi_value memory = nullptr;
  if (isTyped) check(env_, napi_get_typedarray_info(env_, value, &type, &length, &data, &memory, nullptr));
  if (!isTyped || type != TypedArray<T>::type)
    refuseType(subject + " must be " + TypedArray<T>::name + " (got " + describe(env_, value) + ")");

  bool isOwn = false, isDetached = false;
  check(env_, napi_is_arraybuffer(env_, memory, &isOwn));
  if (!isOwn)
    refuseType(subject + " must not lie in a SharedArrayBuffer, which other threads may write meanwhile; pass a copy");
  check(env_, napi_is_detached_arraybuffer(env_, memory, &isDetached));
  if (isDetached) refuseType(subject + " must not be detached; its memory has been transferred elsewhere");
  if (reinterpret_cast<uintptr_t>(data) % alignof(T) != 0)  // only memory that another addon made can be so
    refuseRange(subject + " must lie at a multiple of " + std::to_string(alignof(T)) + " bytes; pass a copy");

  double wanted = 1;
  for (size_t size : sizes) wanted *= static_cast<double>(size);
  if (static_cast<double>(length) != wanted) {
    std::string factors;
    for (size_t size : sizes) factors += (factors.empty() ? "" : " · ") + std::to_string(size);
    refuseRange(subject + " must have " + rule + " = " + factors + (sizes.size() > 1 ? " = " + text(wanted) : "") +
                " elements (got " + std::to_string(length) + ")");
  }
  return {value, what, static_cast<T*>(data), length};
}

template Array<float> Call::array(napi_value, const char*, const char*, std::initializer_list<size_t>) const;
template Array<double> Call::array(napi_value, const char*, const char*, std::initializer_list<size_t>) const;
template Array<int8_t> Call::array(napi_value, const char*, const char*, std::initializer_list<size_t>) const;
template Array<uint8_t> Call::array(napi_value, const char*, const char*, std::initializer_list<size_t>) const;
template Array<int32_t> Call::array(napi_value, const char*, const char*, std::initializer_list<size_t>) const;

void Call::requireApart(const char* inName, const void* in, size_t inBytes, const char* outName, const void* out,
                        size_t outBytes) const {
  const auto inAt = reinterpret_cast<uintptr_t>(in), outAt = reinterpret_cast<uintptr_t>(out);
  if (inBytes == 0 || outBytes == 0 || inAt + inBytes <= outAt || outAt + outBytes <= inAt) return;
  refuseRange(std::string(outName) + " must not overlap " + inName +
              ", which is still read while it is written; use separate memory");
}

}  // namespace lutnn
