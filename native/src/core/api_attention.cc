// Attention in the C API.
#include "core/api_context.h"
#include "core/attention.h"
#include "core/attention_of_bytes.h"
#include "core/rules.h"

using namespace lutnn;

/// What attention of floats and of bytes have in common: rules, and the struct without what only one of them has.
template <class Inner, class Given>
static Inner attentionFrom(const Given& given, int64_t most) {
  const size_t batch = count("batch", given.batch), heads = count("heads", given.heads, 1);
  const size_t queries = count("queries", given.queries), positions = count("positions", given.positions, 1, most);
  const size_t depth = count("depth", given.depth, 1, most), outputs = count("outputs", given.outputs, 1, most);
  if (given.executor) count("slots", given.executor->slots, 1);
  Inner a{};
  a.batch = batch;
  a.heads = heads;
  a.queries = queries;
  a.positions = positions;
  a.depth = depth;
  a.outputs = outputs;
  a.query = array("query", given.query, "batch · queries · heads · depth", {batch, queries, heads, depth});
  a.key = array("key", given.key, "batch · positions · heads · depth", {batch, positions, heads, depth});
  a.value = array("value", given.value, "batch · positions · heads · outputs", {batch, positions, heads, outputs});
  a.mask = given.mask ? array("mask", *given.mask, "batch · positions", {batch, positions}) : nullptr;
  a.scale = scaleOf("scale", given.scale);
  a.y = array("y", given.y, "batch · queries · heads · outputs", {batch, queries, heads, outputs});
  requireApart("query", given.query, "y", given.y);
  requireApart("key", given.key, "y", given.y);
  requireApart("value", given.value, "y", given.y);
  if (given.mask) requireApart("mask", *given.mask, "y", given.y);
  return a;
}

lutnn_code lutnn_attention_run(const lutnn_attention* given, lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] {
    const auto a = attentionFrom<Attention>(*given, kMaxCount);
    if (a.batch == 0 || a.queries == 0) return;
    onExecutor(given->executor,
               [&](Executor& executor) { attention(context->kernels, a, context->workspace, executor); });
  });
}

lutnn_code lutnn_attention_of_bytes_run(const lutnn_attention_of_bytes* given, lutnn_context* context,
                                        lutnn_error* error) {
  return guarded(error, [&] {
    auto a = attentionFrom<AttentionOfBytes>(*given, kMaxAttended);
    a.valueScale = scaleOf("value_scale", given->value_scale);
    if (a.batch == 0 || a.queries == 0) return;
    onExecutor(given->executor,
               [&](Executor& executor) { attentionOfBytes(context->kernels, a, context->workspace, executor); });
  });
}
