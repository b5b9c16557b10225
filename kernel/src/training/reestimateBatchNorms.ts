import * as tf from "@tensorflow/tfjs-node";
import { disposeBatch } from "../datasets/examples";
import { checkFeeds, feedsOf, networkInputs } from "../datasets/feeds";
import { type Data, examplesOf } from "../datasets/from";
import { InputsOnly } from "../datasets/inputsOnly";
import { LutnnError } from "../errors";
import { cellSignal, yieldToEvents } from "../host/signal";
import { NetworkGraph } from "../layers/graph";
import { isBatchNorm, movingStatistics, withBatchStatistics } from "./batchStatistics";

export interface ReestimateOptions {
  /** Examples at most, chosen at random. Default 2,048. */
  examples?: number;
  /** Default 256; batch norms see a batch at a time, as in training. */
  batchSize?: number;
  /** Of the choice. Default 0. */
  seed?: number;
  signal?: AbortSignal;
}

/** Sums over everything that a batch norm has seen: Σ x and Σ x² (channels). */
interface Sums {
  count: number;
  first: Float64Array;
  second: Float64Array;
}

/**
 * Sets the moving statistics of every batch norm to mean and variance of what it sees when the data go through the
 * network with the batches' own statistics, as in training. Nothing else changes.
 * @returns names of the batch norms, and how many examples were used
 */
export async function reestimateBatchNorms(
  model: tf.LayersModel,
  given: Data,
  options: ReestimateOptions = {},
): Promise<{ layers: string[]; examples: number }> {
  const { examples = 2048, batchSize = 256, seed = 0 } = options;
  const what = "reestimateBatchNorms";
  for (const [name, value] of Object.entries({ examples, batchSize }))
    if (!Number.isInteger(value) || value < 1)
      throw new LutnnError(`${what}: ${name} must be a positive integer (got ${value})`);
  const signal = cellSignal(options.signal);
  const data = new InputsOnly(await examplesOf(given));
  const graph = new NetworkGraph(model);
  const inputs = networkInputs(model);
  checkFeeds(what, inputs, data);
  await data.checkValues(what, signal);
  const sums = new Map<tf.layers.Layer, Sums>();
  let used = 0;
  const size = Math.min(batchSize, examples);
  for await (const batch of data.batches(size, { seed, signal })) {
    const { outputs, moments } = withBatchStatistics(graph, feedsOf(inputs, batch));
    tf.dispose(outputs);
    disposeBatch(batch);
    for (const { node, ...seen } of moments) sums.set(node.layer, added(seen, sums.get(node.layer)));
    used += batch.size;
    if (used >= examples) break;
    await yieldToEvents(signal);
  }
  for (const [layer, { count, first, second }] of sums) {
    const mean = first.map((sum) => sum / count);
    const variance = second.map((sum, c) => Math.max(0, sum / count - mean[c] ** 2));
    const weights = movingStatistics(layer);
    tf.tidy(() => {
      for (const [i, values] of [mean, variance].entries())
        weights[i].write(tf.tensor1d(Float32Array.from(values)));
    });
  }
  const layers = [...graph.layers].filter(([, layer]) => isBatchNorm(layer)).map(([name]) => name);
  return { layers, examples: used };
}

function added(
  { mean, variance, count }: { mean: Float32Array; variance: Float32Array; count: number },
  sums: Sums = { count: 0, first: new Float64Array(mean.length), second: new Float64Array(mean.length) },
): Sums {
  return {
    count: sums.count + count,
    first: sums.first.map((sum, c) => sum + count * mean[c]),
    second: sums.second.map((sum, c) => sum + count * (variance[c] + mean[c] ** 2)),
  };
}
