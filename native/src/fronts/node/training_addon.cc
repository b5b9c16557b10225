// The Node addon: makes the operators known to the TensorFlow library that tf.js has loaded. See native/training.d.ts.
#include <node_api.h>

#include "fronts/node/arguments.h"
#include "fronts/node/stay_loaded.h"
#include "fronts/tensorflow/soft_operators.h"
#include "training/lutnn_training.h"

namespace lutnn {
namespace {

/// register() → { isa, threads }
napi_value registerOperators(Call& call) {
  const char* name;
  int64_t count;
  lutnn_error error;
  if (lutnn_training_info(&name, &count, &error) != LUTNN_OK) throw std::runtime_error(error.message);
  registerSoftOperators();
  napi_value result, isa, threads;
  check(call.env(), napi_create_object(call.env(), &result));
  check(call.env(), napi_create_string_utf8(call.env(), name, NAPI_AUTO_LENGTH, &isa));
  check(call.env(), napi_create_int64(call.env(), count, &threads));
  check(call.env(), napi_set_named_property(call.env(), result, "isa", isa));
  check(call.env(), napi_set_named_property(call.env(), result, "threads", threads));
  return result;
}

/// setThreads(count)
napi_value setThreads(Call& call) {
  lutnn_error error;
  call.require(lutnn_training_set_threads(call.integer(call[0], "the number of threads"), &error), error);
  return nullptr;
}

/// kMeans(points, rows, C, K, V, iterations, draws, first, centroids)
napi_value kMeans(Call& call) {
  lutnn_k_means problem{};
  problem.rows = call.integer(call[1], "rows");
  problem.num_codebooks = call.integer(call[2], "numCodebooks");
  problem.num_centroids = call.integer(call[3], "numCentroids");
  problem.subvector_length = call.integer(call[4], "subvectorLength");
  problem.iterations = call.integer(call[5], "iterations");
  problem.first = call.integer(call[7], "first");
  problem.points = call.array<float>(call[0], "points");
  problem.draws = call.array<double>(call[6], "draws");
  problem.centroids = call.array<float>(call[8], "centroids");
  lutnn_error error;
  call.require(lutnn_training_k_means(&problem, &error), error);
  return nullptr;
}

napi_property_descriptor method(const char* name, napi_callback callback) {
  return {.utf8name = name, .method = callback, .attributes = napi_enumerable, .data = const_cast<char*>(name)};
}

}  // namespace
}  // namespace lutnn

NAPI_MODULE_INIT() {
  using namespace lutnn;
  return throwing(env, "lutnn-native/training", [&] {
    stayLoaded();
    const napi_property_descriptor functions[] = {method("register", function<registerOperators>),
                                                  method("kMeans", function<kMeans>),
                                                  method("setThreads", function<setThreads>)};
    check(env, napi_define_properties(env, exports, std::size(functions), functions));
    return exports;
  });
}
