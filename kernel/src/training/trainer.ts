import type * as tf from "@tensorflow/tfjs-node";
import { type Batch, disposeBatch, type ExampleSource } from "../datasets/examples";
import { checkFeeds, feedsOf, networkInputs } from "../datasets/feeds";
import { LutnnError } from "../errors";
import { Progress } from "../host/progress";
import { cellSignal, yieldToEvents } from "../host/signal";
import { countRight, type Evaluation, evaluate } from "./evaluate";
import { findFault } from "./findFault";
import { type EpochFigures, TrainingHistory } from "./history";
import { MetricsLog } from "./metricsLog";
import { Optimizer, type ParameterGroup } from "./optimizer";
import { checkTrainingOptions, type EarlyStopping, type TrainingOptions } from "./options";
import { ResumableRun } from "./resumableRun";
import { learningRateShare } from "./schedule";

/** A run to be made. */
export interface Training {
  label: string;
  model: tf.LayersModel;
  data: ExampleSource;
  groups: ParameterGroup[];
  /** The loss of one batch, from the network's output in training mode. */
  loss: (output: tf.Tensor2D, inputs: tf.Tensor[], batch: Batch) => tf.Scalar;
  options: TrainingOptions;
  /** Called before each step, for example to set a temperature. */
  beforeStep?: (step: number, steps: number) => void;
  /** Further settings that a saved run must share to go on. */
  identity?: Record<string, unknown>;
  /** For the history's summary, such as which backend runs. */
  remark?: string;
}

/** Where a run stands; with the weights and the optimiser's slots it decides how the run goes on. */
export interface Position {
  /** Epochs that are over, and batches of the next one. */
  epoch: number;
  batch: number;
  /** Sums over the epoch's images so far. */
  lossSum: number;
  right: number;
  seconds: number;
  figures: EpochFigures[];
  /** Best validation so far, and epochs since. */
  best?: { epoch: number; value: number };
  waited: number;
}

/** A loss that no classifier reaches while it learns. */
const divergence = 1e6;

function isBetter(
  value: number,
  best: Position["best"],
  { metric = "accuracy", minimumGain = 0 }: Partial<EarlyStopping>,
) {
  if (!best) return true;
  return metric === "loss" ? value < best.value - minimumGain : value > best.value + minimumGain;
}

/**
 * The loop: optimiser steps on a schedule, progress with rate and time left, validation after each epoch, early
 * stopping, checkpoints, metrics. An abort ends it within a step and leaves the network as of the last whole step, saved
 * when there is a checkpoint folder; the same call then goes on bit for bit.
 */
export async function train(training: Training): Promise<TrainingHistory> {
  const { label, model, data, groups } = training;
  const options = checkTrainingOptions(label, training.options);
  const { epochs, batchSize, seed, schedule, validation, earlyStopping } = options;
  const signal = cellSignal(options.signal);
  const inputs = networkInputs(model);
  checkFeeds(label, inputs, data);
  const stepsPerEpoch = Math.ceil(data.size / batchSize);
  const steps = epochs * stepsPerEpoch;
  const optimizer = new Optimizer(groups, options.algorithm);
  const run = new ResumableRun(model, optimizer, options, {
    label,
    model: model.name,
    data: await data.fingerprint(),
    epochs,
    batchSize,
    seed,
    schedule,
    algorithm: options.algorithm,
    groups: groups.map(({ learningRate, weightDecay = 0, variables }) => [
      learningRate,
      weightDecay,
      variables.length,
    ]),
    ...training.identity,
  });
  const log = options.log === undefined ? null : new MetricsLog(options.log);
  const progress = new Progress(label, epochs * data.size, "images");
  let position: Position = { epoch: 0, batch: 0, lossSum: 0, right: 0, seconds: 0, figures: [], waited: 0 };
  const stepOf = ({ epoch, batch }: Position) => epoch * stepsPerEpoch + batch;
  let stoppedEarly = false;
  try {
    const saved = await run.open();
    if (saved) position = saved.position;
    await log?.open(stepOf(position));
    while (position.epoch < epochs && !stoppedEarly) {
      const epochSeed = seed * 1_000_003 + position.epoch + 1;
      let clock = performance.now();
      for await (const batch of data.batches(batchSize, { seed: epochSeed, first: position.batch, signal })) {
        const feeds = feedsOf(inputs, batch);
        try {
          const step = stepOf(position);
          training.beforeStep?.(step, steps);
          let right = 0;
          const value = optimizer.step(learningRateShare(schedule, step, steps, stepsPerEpoch), () => {
            const output = model.apply(feeds, { training: true }) as tf.Tensor2D;
            right = countRight(output, batch.targets as tf.Tensor1D);
            return training.loss(output, feeds, batch);
          });
          if (!(value < divergence)) throw diverged(training, feeds, value, step, run.lastSaved);
          position.lossSum += value * batch.size;
          position.right += right;
        } finally {
          disposeBatch(batch);
        }
        position.batch++;
        const now = performance.now();
        position.seconds += (now - clock) / 1000;
        clock = now;
        const seen = Math.min(position.batch * batchSize, data.size);
        progress.update(position.epoch * data.size + seen, {
          epoch: `${position.epoch + 1}/${epochs}`,
          loss: (position.lossSum / seen).toFixed(3),
          ...validationField(position.figures[position.figures.length - 1]?.validation),
        });
        if (position.batch < stepsPerEpoch) await run.saveIfDue(stepOf(position), position);
        await yieldToEvents(signal);
      }
      const held = validation ? await evaluate(model, validation, { signal }) : undefined;
      const loss = position.lossSum / data.size;
      const accuracy = (100 * position.right) / data.size;
      const figures = {
        epoch: position.epoch + 1,
        loss,
        accuracy,
        validation: held,
        seconds: position.seconds,
      };
      let { best, waited } = position;
      if (held) {
        const value = held[earlyStopping?.metric ?? "accuracy"];
        const better = isBetter(value, best, earlyStopping ?? {});
        if (better) best = { epoch: figures.epoch, value };
        waited = better ? 0 : waited + 1;
        if (better && earlyStopping) await run.keepBest(stepOf(position), position);
      }
      position = {
        epoch: figures.epoch,
        batch: 0,
        lossSum: 0,
        right: 0,
        seconds: 0,
        figures: [...position.figures, figures],
        best,
        waited,
      };
      stoppedEarly =
        earlyStopping !== undefined && waited >= earlyStopping.patience && position.epoch < epochs;
      await log?.add({
        step: stepOf(position),
        epoch: figures.epoch,
        loss,
        accuracy,
        ...(held ? { validationLoss: held.loss, validationAccuracy: held.accuracy } : {}),
      });
      await run.saveIfDue(stepOf(position), position, position.epoch === epochs || stoppedEarly);
    }
    if (earlyStopping) run.restoreBest();
    await run.finish();
    const { figures, best } = position;
    const last = figures[figures.length - 1];
    progress.finish({
      loss: last.loss.toFixed(3),
      accuracy: `${last.accuracy.toFixed(1)} %`,
      ...validationField(last.validation),
    });
    const { remark } = training;
    return new TrainingHistory(label, figures, {
      best: best?.epoch,
      stoppedEarly,
      resumedAt: saved?.step,
      remark,
    });
  } catch (error) {
    if (signal.aborted) await run.saveNow(stepOf(position), position);
    throw error;
  } finally {
    optimizer.dispose();
  }
}

const validationField = (evaluation?: Evaluation): Record<string, string> =>
  evaluation ? { validation: `${evaluation.accuracy.toFixed(1)} %` } : {};

/** The error of a run whose loss is no longer a useful number: which layer it began in, and what is saved. */
function diverged(
  { label, model }: Training,
  inputs: tf.Tensor[],
  value: number,
  step: number,
  saved: string | null,
): LutnnError {
  const fault = Number.isFinite(value) ? null : findFault(model, inputs);
  const where = fault ? `; the first number that is not finite is in ${fault}` : "";
  const remedy = saved ? `the last good state is ${saved}` : "give a checkpoint folder to keep good states";
  return new LutnnError(
    `${label}: the loss must stay below ${divergence} (got ${value} in step ${step + 1}${where}); lower the learning rate; ${remedy}`,
  );
}
