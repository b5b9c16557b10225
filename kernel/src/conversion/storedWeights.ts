import * as tf from "@tensorflow/tfjs-node";

/** A layer's weights outside tf.js memory. */
export type StoredWeights = { shape: number[]; values: Float32Array }[];

export function storeWeights(layer: tf.layers.Layer): StoredWeights {
  return layer
    .getWeights()
    .map((weight) => ({ shape: weight.shape, values: weight.dataSync() as Float32Array }));
}

export function loadWeights(layer: tf.layers.Layer, weights: StoredWeights): void {
  if (weights.length > 0)
    tf.tidy(() => layer.setWeights(weights.map(({ shape, values }) => tf.tensor(values, shape))));
}
