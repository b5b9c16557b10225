import * as tf from "@tensorflow/tfjs-node";
import { disposeBatch, type ExampleSource } from "../datasets/examples";
import { checkFeeds, feedsOf, networkInputs } from "../datasets/feeds";
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
  data: ExampleSource,
  options: { batchSize?: number; signal?: AbortSignal } = {},
): Promise<Evaluation> {
  const { batchSize = 256 } = options;
  const signal = cellSignal(options.signal);
  const probabilities = givesProbabilities(model);
  const inputs = networkInputs(model);
  checkFeeds("evaluate", inputs, data);
  let right = 0;
  let loss = 0;
  for await (const batch of data.batches(batchSize, { signal })) {
    const labels = batch.targets as tf.Tensor1D;
    const [batchRight, batchLoss] = tf.tidy(() => {
      const output = model.apply(feedsOf(inputs, batch), { training: false }) as tf.Tensor2D;
      return [
        countRight(output, labels),
        crossEntropy(logProbabilities(output, probabilities), labels).dataSync()[0] * labels.size,
      ];
    });
    disposeBatch(batch);
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
