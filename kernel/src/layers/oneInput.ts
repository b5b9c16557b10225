import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";

/** The one tensor that a layer with a single input receives. */
export function oneTensor(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  if (!Array.isArray(inputs)) return inputs;
  if (inputs.length !== 1)
    throw new LutnnError(`a layer of one input takes one tensor (got ${inputs.length})`);
  return inputs[0];
}

/** The one shape that a layer with a single input is built for. */
export function oneShape(shapes: tf.Shape | tf.Shape[]): tf.Shape {
  return Array.isArray(shapes[0]) ? (shapes[0] as tf.Shape) : (shapes as tf.Shape);
}
