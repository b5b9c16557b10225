import * as tf from "@tensorflow/tfjs-node";
import { disposeBatch, type ExampleSource } from "../datasets/examples";
import { checkFeeds, feedsOf, networkInputs } from "../datasets/feeds";
import { type Data, examplesOf } from "../datasets/from";
import { cellSignal, yieldToEvents } from "../host/signal";
import type { TaskName } from "../tasks/derive";
import { addScores, noScore } from "../tasks/score";
import type { Task } from "../tasks/task";
import { warnOfBatchNorms } from "./batchNormWarning";
import { accuracyOf, type MetricValue, measured } from "./metricValue";
import { outputsOf } from "./outputs";
import { taskOf } from "./taskOf";

export interface Evaluation {
  metric: MetricValue;
  /** The metric where it is an accuracy: per cent; NaN for other tasks. */
  accuracy: number;
  /** Mean loss, in the task's unit: nats for classes. */
  loss: number;
  /** Examples. */
  size: number;
  /** What is to be done about the batch norms, where they are far from what they were trained with. */
  warning?: string;
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
  const signal = cellSignal(options.signal);
  await data.checkValues(what, signal);
  const evaluation = await evaluateTask(model, task, data, options);
  const warning = await warnOfBatchNorms(what, model, task, data, signal);
  return warning === undefined ? evaluation : { ...evaluation, warning };
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
  const metric = measured("evaluate", task, score);
  return { metric, accuracy: accuracyOf(metric), loss: loss / score.weight, size };
}
