import * as tf from "@tensorflow/tfjs-node";
import type { Dataset } from "../datasets/dataset";
import { Progress } from "../host/progress";
import { yieldToEvents } from "../host/signal";
import { timeLayer } from "../inference/timeLayers";
import { applyNode, GraphRun } from "../layers/graph";
import { makeLookup } from "../layers/makeLookup";
import { sampleIndices, seededRandom } from "../pq/random";
import { denseCost, lookupCost } from "../report/counting";
import { givesProbabilities, logProbabilities } from "../training/loss";
import { concatenate, gatherRows } from "./activationStream";
import { ErrorSums } from "./errorSums";
import { fitLookup } from "./fitLookup";
import type { Profile } from "./profile";
import type { Target } from "./target";

/** What a layer costs for one input: operations, bytes, milliseconds in this machine's backends. */
export type CostName = "flops" | "bytes" | "latency";

/** How costs are written. */
export const costUnit: Record<CostName, { format: (value: number) => string }> = {
  flops: { format: (value) => `${(value / 1e6).toFixed(3)} M` },
  bytes: { format: (value) => `${(value / 1024).toFixed(1)} KiB` },
  latency: { format: (value) => `${(value * 1000).toFixed(1)} µs` },
};

/** One way to have a layer. */
export interface LayerOption {
  /** K and V; 0 for the dense layer. */
  numCentroids: number;
  subvectorLength: number;
  cost: Record<CostName, number>;
  /** Relative squared error of the layer's output on held-out data, alone replaced. */
  localError: number;
  /** Mean divergence of the network's output from the dense one, this layer alone replaced, nats. */
  harm: number;
}

/** A layer with all its options measured. */
export interface MeasuredLayer {
  name: string;
  dense: LayerOption;
  options: LayerOption[];
}

export interface SensitivityOptions {
  model: tf.LayersModel;
  targets: Target[];
  profile: Profile;
  /** Images to learn lookups from, and held-out images to measure on. */
  data: Dataset;
  validation: Dataset;
  /** K to be tried. */
  numCentroids: number[];
  /** Multiples of the default V to be tried. */
  subvectorMultiples: number[];
  seed: number;
  /** Measure times too; costs some seconds a layer. */
  latency: boolean;
  signal: AbortSignal;
}

const rowsPerFit = 8192;
const batchSize = 64;

/** The K and V that fit a layer. */
function candidates(
  { operator, subvectorLength }: Target,
  options: SensitivityOptions,
): { numCentroids: number; subvectorLength: number }[] {
  const lengths = options.subvectorMultiples
    .map((multiple) => subvectorLength * multiple)
    .filter(
      (length) =>
        Number.isInteger(length) &&
        length > 0 &&
        operator.inputLength % length === 0 &&
        length % operator.filterArea === 0,
    );
  return options.numCentroids.flatMap((numCentroids) =>
    lengths.map((length) => ({ numCentroids, subvectorLength: length })),
  );
}

/**
 * For every layer and every K and V: fits a lookup on the dense network's activations, and measures on held-out images
 * the layer's own error and what it does, alone, to the network's output; with operations, bytes and, if wanted, times.
 */
export async function measureSensitivity(options: SensitivityOptions): Promise<MeasuredLayer[]> {
  const { model, targets, data, validation, profile, seed, signal } = options;
  const { distance, tableScale, tableBits } = profile;
  const run = new GraphRun(model);
  const probabilities = givesProbabilities(model);
  const all = targets.map((target) => ({ target, tried: candidates(target, options) }));
  const progress = new Progress(
    "sensitivity",
    all.reduce((sum, { tried }) => sum + tried.length, 0),
    "options",
  );
  const measured: MeasuredLayer[] = [];
  let done = 0;
  for (const { target, tried } of all) {
    const { operator, name } = target;
    const layer = model.getLayer(name);
    const node = run.nodes.findIndex((one) => one.layer === layer);
    const indices = sampleIndices(
      data.size * operator.positions,
      rowsPerFit,
      seededRandom(seed, name, "plan"),
    );
    const { inputs, outputs } = layerRows(run, node, data, target, indices);
    const weight = operator.weight();
    const problem = {
      outputs: operator.outputs,
      inputs,
      wanted: outputs,
      weight: weight.dataSync() as Float32Array,
    };
    weight.dispose();
    const sizes = {
      positions: operator.positions,
      inputLength: operator.inputLength,
      outputs: operator.outputs,
    };
    const before = denseCost({ ...sizes, numCentroids: 0, subvectorLength: 1 });
    const dense: LayerOption = {
      numCentroids: 0,
      subvectorLength: 0,
      cost: { flops: before.operations, bytes: before.bytes, latency: 0 },
      localError: 0,
      harm: 0,
    };
    const found: LayerOption[] = [];
    for (const choice of tried) {
      const shape = { ...choice, numCodebooks: operator.inputLength / choice.subvectorLength };
      const fitted = await fitLookup(
        { ...problem, shape },
        { seed, refineSteps: 0, distance, tableScale, tableBits, signal },
      );
      const twin = makeLookup(
        layer,
        { ...choice, tableSource: "table", tableScale, tableBits, distance },
        { ...fitted, bias: operator.bias() },
      );
      try {
        const effect = measureAlone(run, node, twin, validation, operator.outputs, probabilities);
        const after = lookupCost({ ...sizes, ...choice });
        const option = {
          ...choice,
          cost: { flops: after.operations, bytes: after.bytes, latency: 0 },
          ...effect,
        };
        if (options.latency) {
          const timing = await timeLayer(twin, layer, { rounds: 40 }, signal);
          option.cost.latency = timing.native.median;
          dense.cost.latency = timing.dense.median;
        }
        found.push(option);
      } finally {
        twin.dispose();
      }
      progress.update(++done, { layer: name });
      await yieldToEvents(signal);
    }
    measured.push({ name, dense, options: found });
  }
  progress.finish();
  return measured;
}

/** Rows of a layer's input, and of its linear output before bias and activation, for chosen positions of the data. */
function layerRows(
  run: GraphRun,
  node: number,
  data: Dataset,
  { operator }: Target,
  indices: Uint32Array,
): { inputs: Float32Array; outputs: Float32Array } {
  const parts = { inputs: [] as Float32Array[], outputs: [] as Float32Array[] };
  let first = 0;
  let at = 0;
  for (const { images, labels } of data.batches(batchSize)) {
    const count = labels.size * operator.positions;
    const from = at;
    while (at < indices.length && indices[at] < first + count) at++;
    const local = indices.slice(from, at).map((index) => index - first);
    tf.tidy(() => {
      const values = run.start(images);
      for (const before of run.nodes.slice(0, node)) run.step(before, values);
      const [x] = run.inputsOf(run.nodes[node], values);
      const linear = (input: tf.Tensor) => tf.matMul(operator.rows(input), operator.weight()) as tf.Tensor2D;
      parts.inputs.push(gatherRows([x], operator.rows, operator.positions, local));
      parts.outputs.push(gatherRows([x], linear, operator.positions, local));
    });
    first += count;
    tf.dispose([images, labels]);
  }
  return { inputs: concatenate(parts.inputs), outputs: concatenate(parts.outputs) };
}

/** Local error and divergence of the network's output when one node is computed by another layer. */
function measureAlone(
  run: GraphRun,
  node: number,
  twin: tf.layers.Layer,
  data: Dataset,
  outputs: number,
  probabilities: boolean,
) {
  const sums = new ErrorSums(outputs);
  let divergence = 0;
  for (const { images, labels } of data.batches(batchSize)) {
    tf.tidy(() => {
      const values = run.start(images);
      for (const before of run.nodes.slice(0, node)) run.step(before, values);
      const [x] = run.inputsOf(run.nodes[node], values);
      const [y] = run.step(run.nodes[node], values);
      const exact = logProbabilities(run.finishWith(run, values, node + 1), probabilities);
      const [z] = applyNode(run.nodes[node], [x], twin);
      sums.add(y, z);
      values.set(run.nodes[node].outputs[0], z);
      const changed = logProbabilities(run.finishWith(run, values, node + 1), probabilities);
      divergence += tf.sum(tf.mul(tf.exp(exact), tf.sub(exact, changed))).dataSync()[0];
    });
    tf.dispose([images, labels]);
  }
  return { localError: sums.error()?.relative ?? 0, harm: Math.max(0, divergence / data.size) };
}
