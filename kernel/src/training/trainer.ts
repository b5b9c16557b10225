import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-node";
import type { Dataset } from "../datasets/dataset";
import { LutnnError } from "../errors";
import { Progress } from "../host/progress";
import { breathe, cellSignal } from "../host/signal";
import { Curve } from "./curve";
import { countRight, type Evaluation, evaluate } from "./evaluate";
import { findFault } from "./findFault";
import { type EpochFigures, TrainingHistory } from "./history";
import { LiveHistory } from "./liveHistory";
import { MetricsLog } from "./metricsLog";
import { Optimizer, type ParameterGroup } from "./optimizer";
import { checkTrainingOptions, type EarlyStopping, type TrainingOptions } from "./options";
import { RunKeeper } from "./runKeeper";
import { learningRateShare } from "./schedule";

/** A run to be made. */
export interface Training {
  label: string;
  model: tf.LayersModel;
  data: Dataset;
  groups: ParameterGroup[];
  /** The loss of one batch, from the network's output in training mode. */
  loss: (output: tf.Tensor2D, images: tf.Tensor4D, labels: tf.Tensor1D) => tf.Scalar;
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

/** Names, sizes and bytes of what a run learns from. */
const fingerprint = (data: Dataset): string =>
  createHash("sha256")
    .update(`${data.name} ${data.size} ${data.inputShape.join("×")}`)
    .update(new Uint8Array(data.images.buffer, data.images.byteOffset, data.images.byteLength))
    .update(new Uint8Array(data.labels.buffer, data.labels.byteOffset, data.labels.byteLength))
    .digest("hex")
    .slice(0, 16);

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
  const stepsPerEpoch = Math.ceil(data.size / batchSize);
  const steps = epochs * stepsPerEpoch;
  const optimizer = new Optimizer(groups, options.algorithm);
  const keeper = new RunKeeper(model, optimizer, options, {
    label,
    model: model.name,
    data: fingerprint(data),
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
  const curve = new Curve();
  const live = new LiveHistory();
  const historyOf = (figures: EpochFigures[]) =>
    new TrainingHistory(label, figures, { stoppedEarly: false, remark: training.remark }, curve.points);
  try {
    const saved = await keeper.open();
    if (saved) position = saved.position;
    await log?.open(stepOf(position));
    while (position.epoch < epochs && !stoppedEarly) {
      const epochSeed = seed * 1_000_003 + position.epoch + 1;
      let clock = performance.now();
      for (const { images, labels } of data.batches(batchSize, epochSeed, position.batch)) {
        try {
          const step = stepOf(position);
          training.beforeStep?.(step, steps);
          let right = 0;
          const value = optimizer.step(learningRateShare(schedule, step, steps, stepsPerEpoch), () => {
            const output = model.apply(images, { training: true }) as tf.Tensor2D;
            right = countRight(output, labels);
            return training.loss(output, images, labels);
          });
          if (!(value < divergence)) throw diverged(training, images, value, step, keeper.lastSaved);
          position.lossSum += value * labels.size;
          position.right += right;
          curve.add({
            at: (step + 0.5) / stepsPerEpoch,
            loss: value,
            metric: (100 * right) / labels.size,
            size: labels.size,
          });
        } finally {
          tf.dispose([images, labels]);
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
        live.update(() => historyOf(position.figures));
        if (position.batch < stepsPerEpoch) await keeper.saveIfDue(stepOf(position), position);
        await breathe(signal);
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
        if (better && earlyStopping) await keeper.keepBest(stepOf(position), position);
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
      await keeper.saveIfDue(stepOf(position), position, position.epoch === epochs || stoppedEarly);
    }
    if (earlyStopping) keeper.restoreBest();
    await keeper.finish();
    const { figures, best } = position;
    const last = figures[figures.length - 1];
    progress.finish({
      loss: last.loss.toFixed(3),
      accuracy: `${last.accuracy.toFixed(1)} %`,
      ...validationField(last.validation),
    });
    const outcome = { best: best?.epoch, stoppedEarly, resumedAt: saved?.step, remark: training.remark };
    const isShown = live.finish(new TrainingHistory(label, figures, outcome, curve.points));
    return new TrainingHistory(label, figures, outcome, curve.points, isShown);
  } catch (error) {
    if (signal.aborted) await keeper.saveNow(stepOf(position), position);
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
  images: tf.Tensor,
  value: number,
  step: number,
  saved: string | null,
): LutnnError {
  const fault = Number.isFinite(value) ? null : findFault(model, images);
  const where = fault ? `; the first number that is not finite is in ${fault}` : "";
  const remedy = saved ? `the last good state is ${saved}` : "give a checkpoint folder to keep good states";
  return new LutnnError(
    `${label}: the loss must stay below ${divergence} (got ${value} in step ${step + 1}${where}); lower the learning rate; ${remedy}`,
  );
}
