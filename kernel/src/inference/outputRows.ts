import type * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../compute/valuesOf";
import type { LookupLayer } from "../layers/lookupLayer";

/** A lookup layer's output, laid out as in tf.js, as rows float32 (N, M) in the order of the layer's `inputRows`. */
export function outputRows(layer: LookupLayer, y: tf.Tensor): Float32Array {
  const planes = layer.getConfig().dataFormat === "channelsFirst" && y.rank > 2;
  const axes = y.shape.map((_, axis) => axis);
  return valuesOf(() => (planes ? y.transpose([0, ...axes.slice(2), 1]) : y.clone()));
}
