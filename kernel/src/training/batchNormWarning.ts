import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-node";
import { type Batch, disposeBatch, type ExampleSource } from "../datasets/examples";
import { checkFeeds, feedsOf, networkInputs } from "../datasets/feeds";
import { type Data, examplesOf } from "../datasets/from";
import { cellSignal } from "../host/signal";
import { NetworkGraph } from "../layers/graph";
import type { TaskName } from "../tasks/derive";
import type { Task } from "../tasks/task";
import { type BatchMoments, isBatchNorm, movingStatistics, withBatchStatistics } from "./batchStatistics";
import { formatMetric } from "./metricValue";
import { outputsOf } from "./outputs";
import { taskOf } from "./taskOf";

/** Examples on which both ways are compared, and how few say nothing. */
const [most, least] = [256, 16];
/** Kullback-Leibler divergence (nats a channel) from which moving statistics are another distribution. */
const far = 0.03;
/** So many standard errors of the metric are more than chance; and points of a share below which nobody minds. */
const [errors, points] = [3, 2];

/** What was found about networks, as long as their moving statistics stay what they were then. */
const found = new WeakMap<tf.LayersModel, { statistics: string; warning: string | null }>();

/** What the last `fit` or `evaluate` of a network found, if its statistics are still the same; else null. */
export function knownBatchNormWarning(model: tf.LayersModel): string | null {
  const known = found.get(model);
  return known && known.statistics === statisticsOf(model) ? known.warning : null;
}

/**
 * The sentence about batch norms whose moving statistics are so far from those of the data that the network is worse by
 * them, with the layer, the figures and what to do; null when there is none. Without data, what the last `fit` or
 * `evaluate` of this network found, if its statistics are still the same.
 */
export async function batchNormWarning(
  model: tf.LayersModel,
  given?: Data,
  options: { task?: TaskName | Task; signal?: AbortSignal } = {},
): Promise<string | null> {
  if (given === undefined) return knownBatchNormWarning(model);
  const data = await examplesOf(given);
  const what = "batch norms";
  checkFeeds(what, networkInputs(model), data);
  const task = taskOf(model, options.task, what).checkTarget(what, data.target, data.name);
  return findBatchNormWarning(model.name, model, task, data, cellSignal(options.signal));
}

/** The same for a task that fits; remembers what it finds and tells a new finding as a process warning. */
export async function warnOfBatchNorms(
  what: string,
  model: tf.LayersModel,
  task: Task,
  data: ExampleSource,
  signal: AbortSignal,
): Promise<string | undefined> {
  const statistics = statisticsOf(model);
  const known = found.get(model);
  const warning = await findBatchNormWarning(what, model, task, data, signal);
  const isNew = !(known?.warning && known.statistics === statistics);
  if (warning && isNew) process.emitWarning(warning, "LutnnWarning");
  found.set(model, { statistics, warning });
  return warning ?? undefined;
}

async function findBatchNormWarning(
  what: string,
  model: tf.LayersModel,
  task: Task,
  data: ExampleSource,
  signal: AbortSignal,
): Promise<string | null> {
  const graph = new NetworkGraph(model);
  if (data.size < least || ![...graph.layers.values()].some(isBatchNorm)) return null;
  // At random: the first examples may all be of one class.
  for await (const batch of data.batches(Math.min(most, data.size), { seed: 0, signal })) {
    const sentence = compare(what, graph, task, batch);
    disposeBatch(batch);
    return sentence;
  }
  return null;
}

function compare(what: string, graph: NetworkGraph, task: Task, batch: Batch): string | null {
  const { model } = graph;
  const feeds = feedsOf(networkInputs(model), batch);
  const { outputs: trained, moments } = withBatchStatistics(graph, feeds);
  const used = tf.tidy(() => outputsOf(model, feeds, false));
  const [asTrained, asUsed] = [trained, used].map((outputs) => {
    const score = task.score(outputs, batch.targets, batch.mask);
    return { value: task.metricOf(score), noise: task.noise(score) };
  });
  tf.dispose([trained, used]);
  const distances = moments
    .map((seen) => ({ seen, ...distanceOf(seen) }))
    .filter(({ nats }) => !(nats < far));
  const { metric } = task;
  const loss = (metric.higherIsBetter ? 1 : -1) * (asTrained.value - asUsed.value);
  const chance = errors * Math.hypot(asTrained.noise, asUsed.noise);
  if (distances.length === 0 || !(loss > Math.max(chance, metric.unit === "%" ? points : 0))) return null;
  const worst = distances.reduce((a, b) => (b.nats > a.nats ? b : a));
  const { name, layer } = worst.seen.node;
  const others = distances.length > 1 ? ` (and ${distances.length - 1} more)` : "";
  const figures = [asTrained, asUsed].map(({ value }) => formatMetric(metric, value));
  return `${what}: the moving statistics of batch norm ${name}${others} must be near those of the data (its mean is ${short(worst.deviations)} standard deviations away, its variance ${short(worst.ratio)} times the data's; ${metric.name} is ${figures[0]} by the data's statistics and ${figures[1]} by its own); call lutnn.reestimateBatchNorms(model, data), train for more steps, or lower its momentum (${String(layer.getConfig().momentum)})`;
}

const short = (value: number) => String(Number(value.toPrecision(2)));

/**
 * How far a batch norm's moving statistics are from a batch's: KL(batch ‖ moving) of normal distributions, mean over the
 * channels; the root mean square distance of the means in moving standard deviations; the mean ratio of the variances.
 */
function distanceOf({ node, mean, variance }: BatchMoments): {
  nats: number;
  deviations: number;
  ratio: number;
} {
  const [movingMean, movingVariance] = movingStatistics(node.layer).map((weight) => weight.read().dataSync());
  const epsilon = Number(node.layer.getConfig().epsilon);
  const channels = mean.length;
  const sum = { nats: 0, squares: 0, logRatio: 0 };
  for (let c = 0; c < channels; c++) {
    const own = movingVariance[c] + epsilon;
    const square = (mean[c] - movingMean[c]) ** 2 / own;
    const ratio = (variance[c] + epsilon) / own;
    sum.nats += 0.5 * (square + ratio - 1 - Math.log(ratio));
    sum.squares += square;
    sum.logRatio -= Math.log(ratio);
  }
  return {
    nats: sum.nats / channels,
    deviations: Math.sqrt(sum.squares / channels),
    ratio: Math.exp(sum.logRatio / channels),
  };
}

/** All moving statistics as a text to compare: equal only for equal bits. */
function statisticsOf(model: tf.LayersModel): string {
  const layers = [...new NetworkGraph(model).layers.values()].filter(isBatchNorm);
  const hash = createHash("sha256");
  for (const layer of layers)
    for (const weight of movingStatistics(layer)) {
      const values = weight.read().dataSync();
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
  return hash.digest("hex");
}
