import type * as tf from "@tensorflow/tfjs-node";
import { type Batch, disposeBatch, type ExampleSource } from "../datasets/examples";
import { checkFeeds, feedsOf, networkInputs } from "../datasets/feeds";
import { examplesOf } from "../datasets/from";
import { LutnnError } from "../errors";
import { Progress } from "../host/progress";
import { cellSignal, yieldToEvents } from "../host/signal";
import { dropoutsOf } from "../layers/seededDropout";
import { addScores, noScore } from "../tasks/score";
import type { Task } from "../tasks/task";
import { warnOfBatchNorms } from "./batchNormWarning";
import { Curve, type CurvePoint } from "./curve";
import { EarlyStop } from "./earlyStop";
import { evaluateTask } from "./evaluate";
import { findFault } from "./findFault";
import { TrainingHistory } from "./history";
import { LiveHistory } from "./liveHistory";
import { MetricsLog, metricsLine } from "./metricsLog";
import { formatMetric, measured } from "./metricValue";
import { Optimizer, type ParameterGroup } from "./optimizer";
import { checkTrainingOptions, type TrainingOptions } from "./options";
import { outputsOf } from "./outputs";
import { epochFigures, type Position, type SavedFigures, savedEvaluation } from "./position";
import { ResumableRun } from "./resumableRun";
import { learningRateShare, warmupShare } from "./schedule";
import { taskOf } from "./taskOf";

/** A run to be made. */
export interface Training {
  label: string;
  model: tf.LayersModel;
  data: ExampleSource;
  groups: ParameterGroup[];
  /** The network's outputs in training mode and, behind them, what else the loss reads. Default: the outputs. */
  forward?: (feeds: tf.Tensor[]) => tf.Tensor[];
  /** The loss of one batch, from what `forward` gives. Default: the task's. */
  loss?: (outputs: tf.Tensor[], feeds: tf.Tensor[], batch: Batch, task: Task) => tf.Scalar;
  options: TrainingOptions;
  /** Called before each step, for example to set a temperature. */
  beforeStep?: (step: number, steps: number) => void;
  /** Further settings that a saved run must share to go on. */
  identity?: Record<string, unknown>;
  /** For the history's summary, such as which backend runs. */
  remark?: string;
  /** Called after each step with the curve so far, at most some hundred points. */
  onCurve?: (points: readonly CurvePoint[]) => void;
  /** Called with the number of steps that the weights have taken: when a saved run goes on, and after each step. */
  onStep?: (taken: number) => void;
}

/** So many times the first loss is a loss that no longer says anything; losses below 1 count as 1. */
const divergence = 1e6;

/**
 * The loop: optimiser steps on a schedule, progress with rate and time left, validation after each epoch, early
 * stopping, checkpoints, metrics. An abort ends it within a step and leaves the network as of the last whole step, saved
 * when there is a checkpoint folder; the same call then goes on bit for bit. `stopAfter` does the same at a given step.
 */
export async function train(training: Training): Promise<TrainingHistory> {
  const { label, model, data, groups } = training;
  const options = checkTrainingOptions(label, training.options);
  const { epochs, batchSize, seed, schedule, warmupSteps = 0 } = options;
  const validation = options.validation && (await examplesOf(options.validation));
  const signal = cellSignal(options.signal);
  const inputs = networkInputs(model);
  const task = await checkedTask(training, validation, signal);
  const lossOf = training.loss ?? ((outputs, _feeds, { targets, mask }) => task.loss(outputs, targets, mask));
  const forward = training.forward ?? ((feeds: tf.Tensor[]) => outputsOf(model, feeds, true));
  const stepsPerEpoch = Math.ceil(data.size / batchSize);
  const steps = epochs * stepsPerEpoch;
  const optimizer = new Optimizer(groups, options.algorithm);
  const dropouts = dropoutsOf(model.layers);
  const run = new ResumableRun(model, optimizer, options, {
    label,
    model: model.name,
    // Without the layer in brackets, whose name may be made anew for every network.
    task: task.description.replace(/ \(.*\)$/, ""),
    data: await data.fingerprint(),
    epochs,
    batchSize,
    seed,
    schedule,
    ...(warmupSteps > 0 && { warmupSteps }),
    algorithm: options.algorithm,
    groups: groups.map(({ learningRate, weightDecay = 0, variables }) => [
      learningRate,
      weightDecay,
      variables.length,
    ]),
    ...(dropouts.length > 0 && { dropouts: dropouts.map((one) => [one.rate, one.seed]) }),
    ...training.identity,
  });
  const stop = options.earlyStopping && new EarlyStop(label, task.metric, options.earlyStopping);
  const log = options.log === undefined ? null : new MetricsLog(options.log);
  const progress = new Progress(label, epochs * data.size, "examples");
  const epochStart = { batch: 0, lossSum: 0, score: noScore, seconds: 0 };
  let position: Position = { epoch: 0, ...epochStart, figures: [], waited: 0 };
  const stepOf = ({ epoch, batch }: Position) => epoch * stepsPerEpoch + batch;
  const { stopAfter = Number.POSITIVE_INFINITY } = options;
  const isCut = () => stepOf(position) >= stopAfter;
  let stoppedEarly = false;
  const curve = new Curve();
  const live = new LiveHistory();
  const historyOf = (figures: SavedFigures[]) =>
    new TrainingHistory(
      label,
      figures.map((one) => epochFigures(one, task.metric)),
      { stoppedEarly: false, remark: training.remark },
      task,
      curve.points,
    );
  try {
    const saved = await run.open();
    if (saved) {
      if (saved.step > stopAfter)
        throw new LutnnError(
          `${label}: stopAfter must not lie before the saved run (got ${stopAfter}, the checkpoint is of step ${saved.step}); choose another folder, or pass { resume: false } to begin anew`,
        );
      position = saved.position;
      training.onStep?.(stepOf(position));
    }
    await log?.open(stepOf(position));
    while (position.epoch < epochs && !stoppedEarly && !isCut()) {
      const epochSeed = seed * 1_000_003 + position.epoch + 1;
      let clock = performance.now();
      for await (const batch of data.batches(batchSize, { seed: epochSeed, first: position.batch, signal })) {
        const feeds = feedsOf(inputs, batch);
        try {
          const step = stepOf(position);
          for (const dropout of dropouts) dropout.beginStep(step, seed);
          training.beforeStep?.(step, steps);
          let score = noScore;
          const share =
            learningRateShare(schedule, step, steps, stepsPerEpoch) * warmupShare(step, warmupSteps);
          const value = optimizer.step(share, () => {
            const outputs = forward(feeds);
            score = task.score(outputs.slice(0, model.outputs.length), batch.targets, batch.mask);
            return lossOf(outputs, feeds, batch, task);
          });
          position.firstLoss ??= value;
          const limit = divergence * Math.max(1, position.firstLoss);
          if (!(value < limit)) throw diverged(training, feeds, value, limit, step, run.lastSaved);
          position.lossSum += value * score.weight;
          position.score = addScores(position.score, score);
          curve.add({
            at: (step + 0.5) / stepsPerEpoch,
            loss: value,
            metric: task.metricOf(score),
            size: score.weight,
          });
          training.onCurve?.(curve.points);
        } finally {
          disposeBatch(batch);
        }
        position.batch++;
        training.onStep?.(stepOf(position));
        const now = performance.now();
        position.seconds += (now - clock) / 1000;
        clock = now;
        const seen = Math.min(position.batch * batchSize, data.size);
        progress.update(position.epoch * data.size + seen, {
          epoch: `${position.epoch + 1}/${epochs}`,
          loss: (position.lossSum / (position.score.weight || 1)).toFixed(3),
          ...validationField(position.figures[position.figures.length - 1]),
        });
        live.update(() => historyOf(position.figures));
        if (position.batch < stepsPerEpoch) await run.saveIfDue(stepOf(position), position);
        await yieldToEvents(signal);
        if (isCut()) break;
      }
      if (isCut()) break; // as a stop would leave it: without the end of the epoch
      const held = validation && (await evaluateTask(model, task, validation, { signal }));
      const figures: SavedFigures = {
        epoch: position.epoch + 1,
        loss: position.lossSum / position.score.weight,
        metric: measured(label, task, position.score).value,
        validation: held && savedEvaluation(held),
        seconds: position.seconds,
      };
      let { best, waited } = position;
      if (held) {
        const value = stop ? stop.valueOf(held) : held.metric.value;
        const better = (stop ?? new EarlyStop(label, task.metric)).isBetter(value, best?.value);
        if (better) best = { epoch: figures.epoch, value };
        waited = better ? 0 : waited + 1;
        if (better && stop) await run.keepBest(stepOf(position), position);
      }
      position = {
        ...position,
        ...epochStart,
        epoch: figures.epoch,
        figures: [...position.figures, figures],
        best,
        waited,
      };
      stoppedEarly = stop !== undefined && waited >= stop.patience && position.epoch < epochs;
      await log?.add(metricsLine(stepOf(position), figures, task.metric));
      await run.saveIfDue(stepOf(position), position, position.epoch === epochs || stoppedEarly);
    }
    const wasCut = isCut();
    if (wasCut) await run.saveNow(stepOf(position), position);
    await run.finish();
    // From here on nothing stops it: the weights may no longer be those of the last step.
    if (stop && !wasCut) run.restoreBest();
    const warning = await warnOfBatchNorms(label, model, task, data, new AbortController().signal);
    const { figures, best } = position;
    const last = figures.at(-1);
    progress.finish(
      last && {
        loss: last.loss.toFixed(3),
        [task.metric.name]: formatMetric(task.metric, last.metric),
        ...validationField(last),
      },
    );
    const told = figures.map((one) => epochFigures(one, task.metric));
    const outcome = {
      best: best?.epoch,
      stoppedEarly,
      stoppedAfter: wasCut ? stepOf(position) : undefined,
      resumedAt: saved?.step,
      remark: training.remark,
      warning,
    };
    const isShown = live.finish(new TrainingHistory(label, told, outcome, task, curve.points));
    return new TrainingHistory(label, told, outcome, task, curve.points, isShown);
  } catch (error) {
    if (signal.aborted) await run.saveNow(stepOf(position), position);
    throw error;
  } finally {
    optimizer.dispose();
  }
}

/** The task on the run's data, once these and the validation are found to suit the network and to hold only numbers. */
async function checkedTask(
  { label, model, data, options }: Training,
  validation: ExampleSource | undefined,
  signal: AbortSignal,
): Promise<Task> {
  const inputs = networkInputs(model);
  checkFeeds(label, inputs, data);
  const task = taskOf(model, options.task, label).checkTarget(label, data.target, data.name);
  if (validation) {
    checkFeeds(label, inputs, validation);
    task.checkTarget(label, validation.target, validation.name);
    await validation.checkValues(label, signal);
  }
  await data.checkValues(label, signal);
  return task;
}

const validationField = (figures?: SavedFigures): Record<string, string> =>
  figures?.validation
    ? { validation: formatMetric(figures.validation.metric, figures.validation.metric.value) }
    : {};

/** The error of a run whose loss is no longer a useful number: which layer it began in, and what is saved. */
function diverged(
  { label, model }: Training,
  feeds: tf.Tensor[],
  value: number,
  limit: number,
  step: number,
  saved: string | null,
): LutnnError {
  const fault = Number.isFinite(value) ? null : findFault(model, feeds);
  const where = fault ? `; the first number that is not finite is in ${fault}` : "";
  const remedy = saved ? `the last good state is ${saved}` : "give a checkpoint folder to keep good states";
  return new LutnnError(
    `${label}: the loss must stay below ${limit} (got ${value} in step ${step + 1}${where}); lower the learning rate; ${remedy}`,
  );
}
