// Attention in the C API.
#include "core/api_context.h"
#include "core/attention.h"
#include "core/rules.h"

using namespace lutnn;

lutnn_code lutnn_attention_run(const lutnn_attention* given, lutnn_context* context, lutnn_error* error) {
  return guarded(error, [&] {
    const size_t batch = count("batch", given->batch), heads = count("heads", given->heads, 1);
    const size_t queries = count("queries", given->queries), positions = count("positions", given->positions, 1);
    const size_t depth = count("depth", given->depth, 1), outputs = count("outputs", given->outputs, 1);
    if (given->executor) count("slots", given->executor->slots, 1);
    Attention a{
        .batch = batch,
        .heads = heads,
        .queries = queries,
        .positions = positions,
        .depth = depth,
        .outputs = outputs,
        .query = array("query", given->query, "batch · queries · heads · depth", {batch, queries, heads, depth}),
        .key = array("key", given->key, "batch · positions · heads · depth", {batch, positions, heads, depth}),
        .value =
            array("value", given->value, "batch · positions · heads · outputs", {batch, positions, heads, outputs}),
        .mask = given->mask ? array("mask", *given->mask, "batch · positions", {batch, positions}) : nullptr,
        .scale = scaleOf("scale", given->scale),
        .y = array("y", given->y, "batch · queries · heads · outputs", {batch, queries, heads, outputs})};
    requireApart("query", given->query, "y", given->y);
    requireApart("key", given->key, "y", given->y);
    requireApart("value", given->value, "y", given->y);
    if (given->mask) requireApart("mask", *given->mask, "y", given->y);
    if (batch == 0 || queries == 0) return;
    if (!given->executor) {
      SerialExecutor own;
      return attention(context->kernels, a, context->workspace, own);
    }
    HostExecutor host(*given->executor);
    attention(context->kernels, a, context->workspace, host);
  });
}
