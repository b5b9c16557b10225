// The Node addon: makes the operators known to the TensorFlow library that tf.js has loaded. See native/training.d.ts.
#include <node_api.h>

#include "core/validate.h"
#include "fronts/node/arguments.h"
#include "fronts/node/stay_loaded.h"
#include "fronts/tensorflow/soft_operators.h"

namespace lutnn {
namespace {

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

/// register() → { isa, threads }
napi_value registerOperators(Call& call) {
  stayLoaded();
  registerSoftOperators();
  const Trainer& trainer = sharedTrainer();
  napi_value result, isa, threads;
  check(call.env(), napi_create_object(call.env(), &result));
  check(call.env(), napi_create_string_utf8(call.env(), trainer.isa(), NAPI_AUTO_LENGTH, &isa));
  check(call.env(), napi_create_double(call.env(), static_cast<double>(trainer.threads()), &threads));
  check(call.env(), napi_set_named_property(call.env(), result, "isa", isa));
  check(call.env(), napi_set_named_property(call.env(), result, "threads", threads));
  return result;
}

/// setThreads(count)
napi_value setThreads(Call& call) {
  constexpr double kMostThreads = 1024;
  sharedTrainer().setThreads(call.count(call[0], "the number of threads", 1, kMostThreads));
  return nullptr;
}

/// kMeans(points, rows, C, K, V, iterations, draws, first, centroids)
napi_value kMeans(Call& call) {
  const size_t rows = call.count(call[1], "rows", 1), books = call.count(call[2], "numCodebooks", 1);
  const size_t count = call.count(call[3], "numCentroids"), length = call.count(call[4], "subvectorLength", 1);
  validateCounts(call.name(), books, count, length);
  const size_t iterations = call.count(call[5], "iterations");
  const size_t first = call.count(call[7], "first", 0, static_cast<double>(books - 1));
  const size_t codebooks = call.length(call[8], "centroids") / (count * length);
  if (codebooks == 0 || codebooks > books - first)
    call.refuseRange("centroids must hold from one to numCodebooks - first = " + std::to_string(books - first) +
                     " codebooks (got " + std::to_string(codebooks) + ")");
  const auto points =
      call.array<float>(call[0], "points", "rows · numCodebooks · subvectorLength", {rows, books, length});
  const auto draws = call.array<double>(call[6], "draws", "numCodebooks · numCentroids", {books, count});
  const auto centroids =
      call.array<float>(call[8], "centroids", "codebooks · numCentroids · subvectorLength", {codebooks, count, length});
  call.requireApart(points, centroids);
  call.requireApart(draws, centroids);
  for (size_t i = 0; i < draws.length; i++)
    if (!(draws.data[i] >= 0 && draws.data[i] < 1))
      call.refuseRange("draws must be at least 0 and below 1 (got " + std::to_string(draws.data[i]) + " at index " +
                       std::to_string(i) + ")");
  sharedTrainer().cluster({points.data, rows, books, count, length, iterations, draws.data}, first, codebooks,
                          centroids.data);
  return nullptr;
}

napi_property_descriptor method(const char* name, napi_callback callback) {
  return {name, nullptr, callback, nullptr, nullptr, nullptr, napi_enumerable, const_cast<char*>(name)};
}

}  // namespace
}  // namespace lutnn

NAPI_MODULE_INIT() {
  using namespace lutnn;
  return throwing(env, "lutnn-native/training", [&] {
    const napi_property_descriptor functions[] = {method("register", function<registerOperators>),
                                                  method("kMeans", function<kMeans>),
                                                  method("setThreads", function<setThreads>)};
    check(env, napi_define_properties(env, exports, std::size(functions), functions));
    return exports;
  });
}
