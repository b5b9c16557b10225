import type * as tf from "@tensorflow/tfjs-node";
import type { Dataset } from "../datasets/dataset";
import { crossEntropy, givesProbabilities, logProbabilities } from "./loss";
import { variablesOf } from "./optimizer";
import { type EpochFigures, type TrainingOptions, train } from "./trainer";

/**
 * Trains a network that classifies: cross-entropy, Adam, cosine schedule. Returns the figures of each epoch.
 * `learningRate` is the first one, default 3e-3.
 */
export async function fit(
  model: tf.LayersModel,
  data: Dataset,
  options: TrainingOptions & { learningRate?: number },
): Promise<EpochFigures[]> {
  const { learningRate = 3e-3 } = options;
  const probabilities = givesProbabilities(model);
  return train({
    label: `fit ${model.name}`,
    model,
    data,
    groups: [{ variables: variablesOf(model.trainableWeights), learningRate }],
    loss: (output, _images, labels) => crossEntropy(logProbabilities(output, probabilities), labels),
    options,
  });
}
