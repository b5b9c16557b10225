// The TensorFlow operators.
//   LutnnSoftLookup (x, centroids, table) → y
//   LutnnSoftLookupGrad (x, centroids, table, logit, dy) → dx, dcentroids, dtable, dlogit
//   LutnnTable (centroids, weight) → table
//   LutnnRoundedTable (centroids, table) → values, scale: the table as LutnnSoftLookup rounds it, int8 (C, K, M) as the bytes
//     of int32 (⌈C·K·M / 4⌉), since tf.js reads no tensor of bytes, and its scale (M), NaN where the table is not finite
// All other tensors are float32. x is (N, C·V), or images (batch, height, width, channels) where the attribute `window` is
// [filter height, filter width, stride height, stride width, dilation height, dilation width, pad top, left, bottom,
// right]; centroids (C, K, V); table (C, K, M), or where `from_weight` the weight (C·V, M) that it is computed from;
// logit () is θ; y and dy (N, M), or (batch, output height, output width, M).
#pragma once

namespace lutnn {

/// Registers them with TensorFlow. Once per process, however often this is called; throws std::runtime_error where it
/// cannot be done.
void registerSoftOperators();

}  // namespace lutnn
