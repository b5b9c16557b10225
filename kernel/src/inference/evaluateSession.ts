import * as tf from "@tensorflow/tfjs-node";
import { disposeBatch, type ExampleSource } from "../datasets/examples";
import { LutnnError } from "../errors";
import { cellSignal, yieldToEvents } from "../host/signal";
import { type TaskName, taskNamed, taskOfHead } from "../tasks/derive";
import type { Head } from "../tasks/head";
import { addScores, noScore } from "../tasks/score";
import type { Task } from "../tasks/task";
import type { Evaluation } from "../training/evaluate";
import { accuracyOf, measured } from "../training/metricValue";
import { feederOf } from "./exampleFeeds";
import { networkTensor } from "./fileValues";
import type { InferenceSession } from "./session";
import type { ArrayOf, ElementType } from "./tensorData";

export interface SessionEvaluateOptions {
  /** What the network is for, where the file's end and the data do not tell. */
  task?: TaskName | Task;
  /** Default 256. */
  batchSize?: number;
  signal?: AbortSignal;
}

const what = "InferenceSession.evaluate";

function taskOfFile(head: Head, outputs: number, given?: TaskName | Task): Task {
  if (typeof given === "object") return given;
  if (outputs !== 1)
    throw new LutnnError(
      `${what}: the file must have one output to tell its task (it has ${outputs}); pass { task } with a metric over all of them`,
    );
  return given === undefined ? taskOfHead(what, head) : taskNamed(what, given, head);
}

/** Metric and loss of a file on examples. */
export async function evaluateSession(
  session: InferenceSession,
  data: ExampleSource,
  options: SessionEvaluateOptions,
): Promise<Evaluation> {
  const { batchSize = 256 } = options;
  const signal = cellSignal(options.signal);
  const feedsOf = feederOf(session.inputs, data);
  const given = taskOfFile(session.head, session.outputs.length, options.task);
  const task = given.checkTarget(what, data.target, data.name);
  await data.checkValues(what, signal);
  let score = noScore;
  let loss = 0;
  let size = 0;
  for await (const batch of data.batches(batchSize, { signal })) {
    const { targets, mask } = batch;
    const results = await session.run<ArrayOf[ElementType]>(await feedsOf(batch));
    const outputs = session.outputNames.map((name) => networkTensor(results[name]));
    const own = task.score(outputs, targets, mask);
    score = addScores(score, own);
    // A batch's loss is the mean over what counts in it: examples, or tokens that are no padding.
    loss += tf.tidy(() => task.loss(outputs, targets, mask).dataSync()[0]) * own.weight;
    size += batch.size;
    tf.dispose(outputs);
    disposeBatch(batch);
    await yieldToEvents(signal);
  }
  if (size === 0) throw new LutnnError(`${what}: ${data.name} must give at least one example (it gave none)`);
  const metric = measured("evaluate", task, score);
  return { metric, accuracy: accuracyOf(metric), loss: loss / score.weight, size };
}
