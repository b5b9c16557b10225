// The Node addon: makes the operators known to the TensorFlow library that tf.js has loaded. See native/training.d.ts.
#include <node_api.h>

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

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"register", nullptr, registerOperators, nullptr, nullptr, nullptr, napi_default_method, nullptr},
      {"setThreads", nullptr, setThreads, nullptr, nullptr, nullptr, napi_default_method, nullptr},
  };
  napi_define_properties(env, exports, 2, functions);
  return exports;
}
