// The Node addon: makes the operators known to the TensorFlow library that tf.js has loaded. See native/training.d.ts.
#include <node_api.h>

#include <cmath>
#include <string>

#include "soft_operators.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace {

/// TensorFlow keeps pointers to functions of this library for good, but Node unloads an addon with the last worker thread
/// that loaded it; so the library keeps itself loaded.
void stayLoaded() {
  static const int here = 0;
#ifdef _WIN32
  HMODULE module;
  GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     reinterpret_cast<LPCSTR>(&here), &module);
#else
  Dl_info info;
  if (dladdr(&here, &info) && info.dli_fname) dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

/// register() → { isa, threads }
napi_value registerOperators(napi_env env, napi_callback_info) {
  try {
    stayLoaded();
    lutnn::registerSoftOperators();
    const lutnn::Trainer& trainer = lutnn::sharedTrainer();
    napi_value result, isa, threads;
    napi_create_object(env, &result);
    napi_create_string_utf8(env, trainer.isa(), NAPI_AUTO_LENGTH, &isa);
    napi_create_double(env, static_cast<double>(trainer.threads()), &threads);
    napi_set_named_property(env, result, "isa", isa);
    napi_set_named_property(env, result, "threads", threads);
    return result;
  } catch (const std::exception& failure) {
    napi_throw_error(env, nullptr, (std::string("lutnn-native/training: ") + failure.what()).c_str());
    return nullptr;
  }
}

/// setThreads(count)
napi_value setThreads(napi_env env, napi_callback_info info) {
  constexpr double kMost = 1024;
  napi_value argument;
  size_t count = 1;
  double threads = 0;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  const bool isNumber = napi_get_value_double(env, argument, &threads) == napi_ok;
  if (!isNumber || !(threads >= 1 && threads <= kMost) || threads != static_cast<double>(static_cast<size_t>(threads)))
    napi_throw_range_error(env, nullptr, ("setThreads: the number of threads must be an integer from 1 to 1024 (got " +
                                          (isNumber ? std::to_string(threads) : std::string("no number")) + ")")
                                             .c_str());
  else
    lutnn::sharedTrainer().setThreads(static_cast<size_t>(threads));
  return nullptr;
}

/// The elements of an array, or null where it is no such array of that length.
void* elements(napi_env env, napi_value value, napi_typedarray_type wanted, size_t length) {
  bool isArray = false;
  napi_typedarray_type type;
  size_t found = 0;
  void* data = nullptr;
  if (napi_is_typedarray(env, value, &isArray) != napi_ok || !isArray) return nullptr;
  if (napi_get_typedarray_info(env, value, &type, &found, &data, nullptr, nullptr) != napi_ok) return nullptr;
  return type == wanted && found == length ? data : nullptr;
}

/// kMeans(points, rows, C, K, V, iterations, draws, first, centroids)
napi_value kMeans(napi_env env, napi_callback_info info) {
  constexpr size_t kArguments = 9;
  constexpr double kMost = 2147483647;
  napi_value arguments[kArguments];
  size_t given = kArguments;
  napi_get_cb_info(env, info, &given, arguments, nullptr, nullptr);
  const auto refuse = [&](const char* rule) -> napi_value {
    napi_throw_range_error(env, nullptr, (std::string("kMeans: ") + rule).c_str());
    return nullptr;
  };
  size_t numbers[6] = {};  // rows, C, K, V, iterations, first
  const size_t places[6] = {1, 2, 3, 4, 5, 7}, least[6] = {1, 1, 2, 1, 0, 0};
  for (size_t i = 0; i < 6; i++) {
    double value = 0;
    if (napi_get_value_double(env, arguments[places[i]], &value) != napi_ok ||
        !(value >= static_cast<double>(least[i]) && value <= kMost) || value != std::floor(value))
      return refuse("rows, C, K, V and iterations must be positive integers, K from 2, and first an integer from 0");
    numbers[i] = static_cast<size_t>(value);
  }
  const auto [rows, books, count, length, iterations, first] = numbers;
  if (count > 256 || first >= books) return refuse("K must be at most 256, and first below C");
  bool isArray = false;
  size_t wanted = 0;
  napi_is_typedarray(env, arguments[8], &isArray);
  if (isArray) napi_get_typedarray_info(env, arguments[8], nullptr, &wanted, nullptr, nullptr, nullptr);
  const size_t codebooks = wanted / (count * length);
  if (codebooks == 0 || codebooks > books - first)
    return refuse("centroids must hold one to C - first codebooks of K * V numbers");
  const auto* points = static_cast<float*>(elements(env, arguments[0], napi_float32_array, rows * books * length));
  const auto* draws = static_cast<double*>(elements(env, arguments[6], napi_float64_array, books * count));
  auto* centroids = static_cast<float*>(elements(env, arguments[8], napi_float32_array, codebooks * count * length));
  if (!points || !draws || !centroids)
    return refuse("points must be float32 (rows, C * V), draws float64 (C, K), centroids float32 (codebooks, K, V)");
  for (size_t i = 0; i < books * count; i++)
    if (!(draws[i] >= 0 && draws[i] < 1)) return refuse("draws must be at least 0 and below 1");
  try {
    lutnn::sharedTrainer().cluster({points, rows, books, count, length, iterations, draws}, first, codebooks, centroids);
  } catch (const std::exception& failure) {
    napi_throw_error(env, nullptr, (std::string("kMeans: ") + failure.what()).c_str());
  }
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"register", nullptr, registerOperators, nullptr, nullptr, nullptr, napi_default_jsproperty, nullptr},
      {"kMeans", nullptr, kMeans, nullptr, nullptr, nullptr, napi_default_jsproperty, nullptr},
      {"setThreads", nullptr, setThreads, nullptr, nullptr, nullptr, napi_default_jsproperty, nullptr},
  };
  napi_define_properties(env, exports, 3, functions);
  return exports;
}
