import * as tf from "@tensorflow/tfjs-node";
import type { Dataset } from "../datasets/dataset";
import { cellSignal, yieldToEvents } from "../host/signal";
import { crossEntropy, givesProbabilities, logProbabilities } from "./loss";

export interface Evaluation {
  /** Per cent of the images whose largest output is their label. */
  accuracy: number;
  /** Mean cross-entropy, nats. */
  loss: number;
  size: number;
}

/** Accuracy and loss of a network on a data set, in batches; nothing is trained. */
export async function evaluate(
  model: tf.LayersModel,
  data: Dataset,
  options: { batchSize?: number; signal?: AbortSignal } = {},
): Promise<Evaluation> {
  const { batchSize = 256 } = options;
  const signal = cellSignal(options.signal);
  const probabilities = givesProbabilities(model);
  let right = 0;
  let loss = 0;
  for (const { images, labels } of data.batches(batchSize)) {
    const [batchRight, batchLoss] = tf.tidy(() => {
      const output = model.apply(images, { training: false }) as tf.Tensor2D;
      return [
        countRight(output, labels),
        crossEntropy(logProbabilities(output, probabilities), labels).dataSync()[0] * labels.size,
      ];
    });
    tf.dispose([images, labels]);
    right += batchRight;
    loss += batchLoss;
    await yieldToEvents(signal);
  }
  return { accuracy: (100 * right) / data.size, loss: loss / data.size, size: data.size };
}

/** How many rows of an output (N, classes) have their largest value at their label. */
export function countRight(output: tf.Tensor, labels: tf.Tensor1D): number {
  return tf.tidy(() => tf.sum(tf.equal(tf.argMax(output, 1), labels).toInt()).dataSync()[0]);
}
