import * as tf from "@tensorflow/tfjs-node";
import type { Dataset } from "../datasets/dataset";
import { LutnnError } from "../errors";
import { Progress } from "../host/progress";
import { breathe, cellSignal } from "../host/signal";
import { countRight, type Evaluation, evaluate } from "./evaluate";
import { cosine, GroupedAdam, type ParameterGroup } from "./optimizer";

export interface TrainingOptions {
  /** Passes over the training data. */
  epochs: number;
  /** Default 64. */
  batchSize?: number;
  /** Evaluated after each epoch and shown beside the training figures; nothing is chosen by it. */
  validation?: Dataset;
  /** Of the order of the images. Default 0. */
  seed?: number;
  signal?: AbortSignal;
}

/** Figures of one epoch; training figures are means over its batches, in training mode. */
export interface EpochFigures {
  epoch: number;
  loss: number;
  accuracy: number;
  validation?: Evaluation;
  seconds: number;
}

export interface Training {
  label: string;
  model: tf.LayersModel;
  data: Dataset;
  groups: ParameterGroup[];
  /** The loss of one batch, from the network's output in training mode. */
  loss: (output: tf.Tensor2D, images: tf.Tensor4D, labels: tf.Tensor1D) => tf.Scalar;
  options: TrainingOptions;
}

/**
 * The loop: Adam with a cosine schedule per step, progress with rate and time left, and an end within a step of an
 * abort, which leaves the network as of the last whole step. Returns the figures of each epoch.
 */
export async function train({
  label,
  model,
  data,
  groups,
  loss,
  options,
}: Training): Promise<EpochFigures[]> {
  const { epochs, batchSize = 64, validation, seed = 0 } = options;
  if (!Number.isInteger(epochs) || epochs < 1)
    throw new LutnnError(`${label}: epochs must be a positive integer (got ${epochs})`);
  const signal = cellSignal(options.signal);
  const stepsPerEpoch = Math.ceil(data.size / batchSize);
  const adam = new GroupedAdam(groups, cosine, epochs * stepsPerEpoch);
  const progress = new Progress(label, epochs * data.size, "images");
  const figures: EpochFigures[] = [];
  let step = 0;
  let seen = 0;
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const start = performance.now();
      let lossSum = 0;
      let right = 0;
      for (const { images, labels } of data.batches(batchSize, seed * 1_000_003 + epoch)) {
        try {
          const value = adam.step(step++, () => {
            const output = model.apply(images, { training: true }) as tf.Tensor2D;
            right += countRight(output, labels);
            return loss(output, images, labels);
          });
          if (!Number.isFinite(value))
            throw new LutnnError(
              `${label}: the loss must stay finite (got ${value} in epoch ${epoch}); lower the learning rate`,
            );
          lossSum += value * labels.size;
          seen += labels.size;
        } finally {
          tf.dispose([images, labels]);
        }
        progress.update(seen, {
          epoch: `${epoch}/${epochs}`,
          loss: (lossSum / (seen - (epoch - 1) * data.size)).toFixed(3),
        });
        await breathe(signal);
      }
      const held = validation ? await evaluate(model, validation, { signal }) : undefined;
      const seconds = (performance.now() - start) / 1000;
      const accuracy = (100 * right) / data.size;
      figures.push({ epoch, loss: lossSum / data.size, accuracy, validation: held, seconds });
    }
  } finally {
    adam.dispose();
  }
  const last = figures[figures.length - 1];
  progress.finish({
    loss: last.loss.toFixed(3),
    accuracy: `${last.accuracy.toFixed(1)} %`,
    ...(last.validation ? { validation: `${last.validation.accuracy.toFixed(1)} %` } : {}),
  });
  return figures;
}
