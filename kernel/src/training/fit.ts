import type * as tf from "@tensorflow/tfjs-node";
import { type Data, examplesOf } from "../datasets/from";
import type { TrainingHistory } from "./history";
import { type ParameterGroup, variablesOf } from "./optimizer";
import type { TrainingOptions } from "./options";
import { train } from "./trainer";

/** Trainable weights in two groups: those that decay, and biases, batch norms and the like, which do not. */
export function decayGroups(
  weights: tf.layers.Layer["weights"],
  learningRate: number,
  weightDecay: number,
): ParameterGroup[] {
  if (weightDecay === 0) return [{ variables: variablesOf(weights), learningRate }];
  // The last part of the path is the weight's own name; a layer may be called anything.
  const decays = ({ originalName }: (typeof weights)[number]) =>
    /kernel|weight|table|centroids/.test(originalName.slice(originalName.lastIndexOf("/") + 1));
  return [
    { variables: variablesOf(weights.filter(decays)), learningRate, weightDecay },
    { variables: variablesOf(weights.filter((weight) => !decays(weight))), learningRate },
  ];
}

/**
 * Trains a network for its task, which its end and the data tell unless `options.task` does. `learningRate` is the first
 * one, default 3e-3; the order of the examples and all else follow from `seed`.
 */
export async function fit(
  model: tf.LayersModel,
  data: Data,
  options: TrainingOptions & { learningRate?: number },
): Promise<TrainingHistory> {
  const { learningRate = 3e-3, weightDecay = 0 } = options;
  const groups = decayGroups(model.trainableWeights, learningRate, weightDecay);
  return train({ label: `fit ${model.name}`, model, data: await examplesOf(data), groups, options });
}
