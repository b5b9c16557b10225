import * as tf from "@tensorflow/tfjs-node";
import { disposeBatch, type ExampleSource } from "../datasets/examples";
import { checkFeeds, feedsOf, networkInputs } from "../datasets/feeds";
import { type Data, examplesOf } from "../datasets/from";
import { cellSignal, yieldToEvents } from "../host/signal";
import type { TaskName } from "../tasks/derive";
import { addScores, noScore, type Score } from "../tasks/score";
import type { Metric, Task } from "../tasks/task";
import { taskOf } from "./taskOf";

/** The metric of a task as it was measured. */
export interface MetricValue {
  name: string;
  /** "%", the data's unit or "". */
  unit: string;
  value: number;
  /** Standard error of the value, in its unit. */
  noise: number;
}

export interface Evaluation {
  metric: MetricValue;
  /** The metric where it is an accuracy: per cent; NaN for other tasks. */
  accuracy: number;
  /** Mean loss, in the task's unit: nats for classes. */
  loss: number;
  /** Examples. */
  size: number;
}

export interface EvaluateOptions {
  /** What the network is for, where its end and the data do not tell. */
  task?: TaskName | Task;
  /** Default 256. */
  batchSize?: number;
  signal?: AbortSignal;
}

/** Metric and loss of a network on a data set, in batches; nothing is trained. */
export async function evaluate(
  model: tf.LayersModel,
  given: Data,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const what = "evaluate";
  const data = await examplesOf(given);
  checkFeeds(what, networkInputs(model), data);
  const task = taskOf(model, options.task, what).checkTarget(what, data.target, data.name);
  await data.checkValues(what, cellSignal(options.signal));
  return evaluateTask(model, task, data, options);
}

/** The same for a task that fits the data and data that fit the network. */
export async function evaluateTask(
  model: tf.LayersModel,
  task: Task,
  data: ExampleSource,
  options: { batchSize?: number; signal?: AbortSignal } = {},
): Promise<Evaluation> {
  const { batchSize = 256 } = options;
  const signal = cellSignal(options.signal);
  const inputs = networkInputs(model);
  let score = noScore;
  let loss = 0;
  let size = 0;
  for await (const batch of data.batches(batchSize, { signal })) {
    const { targets, mask } = batch;
    const outputs = tf.tidy(() => outputsOf(model, feedsOf(inputs, batch), false));
    const own = task.score(outputs, targets, mask);
    score = addScores(score, own);
    // A batch's loss is the mean over what counts in it: examples, or tokens that are no padding.
    loss += tf.tidy(() => task.loss(outputs, targets, mask).dataSync()[0]) * own.weight;
    size += batch.size;
    tf.dispose(outputs);
    disposeBatch(batch);
    await yieldToEvents(signal);
  }
  const metric = measured(task, score);
  return { metric, accuracy: accuracyOf(metric), loss: loss / score.weight, size };
}

/** The outputs of a network as a list, in its order. */
export function outputsOf(model: tf.LayersModel, feeds: tf.Tensor[], training: boolean): tf.Tensor[] {
  const outputs = model.apply(feeds, { training }) as tf.Tensor | tf.Tensor[];
  return Array.isArray(outputs) ? outputs : [outputs];
}

/** A task's metric over summed scores. */
export function measured(task: Task, score: Score): MetricValue {
  const { name, unit } = task.metric;
  return { name, unit, value: task.metricOf(score), noise: task.noise(score) };
}

/** For those who ask for an accuracy. */
export const accuracyOf = ({ name, value }: Pick<MetricValue, "name" | "value">): number =>
  name === "accuracy" ? value : Number.NaN;

/** As text: "96.3 %", "0.512 years". */
export function formatMetric({ unit }: Pick<Metric, "unit">, value: number): string {
  return unit === "%" ? `${value.toFixed(1)} %` : `${Number(value.toPrecision(3))} ${unit}`.trim();
}
