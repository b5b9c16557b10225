import type * as tf from "@tensorflow/tfjs-node";

/** The outputs of a network as a list, in its order. */
export function outputsOf(model: tf.LayersModel, feeds: tf.Tensor[], training: boolean): tf.Tensor[] {
  const outputs = model.apply(feeds, { training }) as tf.Tensor | tf.Tensor[];
  return Array.isArray(outputs) ? outputs : [outputs];
}
