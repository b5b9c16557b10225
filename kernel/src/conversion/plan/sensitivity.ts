import * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../../compute/valuesOf";
import type { ExampleSource } from "../../datasets/examples";
import { Progress } from "../../host/progress";
import { yieldToEvents } from "../../host/signal";
import { timeLayer } from "../../inference/timeLayer";
import type { LayerOf, NetworkGraph } from "../../layers/graph";
import { makeLookup } from "../../layers/makeLookup";
import { denseCost, lookupCost } from "../../report/counting";
import type { Task } from "../../tasks/task";
import { ActivationStream } from "../activations";
import { ErrorSums } from "../errorSums";
import { fitLookup } from "../fitLookup";
import type { Profile } from "../profile";
import { chooseRows, countRows, RowSampler, realRows } from "../rows";
import type { Target } from "../targets";

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
  /** Mean divergence of the network's output from the dense one, this layer alone replaced, in the task's unit. */
  harm: number;
}

/** A layer with all its options measured. */
export interface MeasuredLayer {
  name: string;
  dense: LayerOption;
  options: LayerOption[];
}

export interface SensitivityOptions {
  graph: NetworkGraph;
  targets: Target[];
  task: Task;
  profile: Profile;
  /** Examples to learn lookups from, and held-out ones to measure on. */
  data: ExampleSource;
  validation: ExampleSource;
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

const ownLayer: LayerOf = (node) => node.layer;

/**
 * For every layer and every K and V: fits a lookup on the dense network's activations, and measures on held-out examples
 * the layer's own error and what it does, alone, to the network's output; with operations, bytes and, if wanted, times.
 * Both data sets go through the network once, within a bound of memory: at the widest layers a part of them.
 */
export async function measureSensitivity(options: SensitivityOptions): Promise<MeasuredLayer[]> {
  const { graph, targets, data, validation, signal, seed } = options;
  const all = targets.map((target) => ({ target, tried: candidates(target, options) }));
  const progress = new Progress(
    "sensitivity",
    all.reduce((sum, { tried }) => sum + tried.length, 0),
    "options",
  );
  const open = (source: ExampleSource) => new ActivationStream(graph, [ownLayer], source, { seed, signal });
  const streams = { learning: open(data), measuring: open(validation) };
  const measured: MeasuredLayer[] = [];
  let done = 0;
  try {
    for (const node of graph.nodes) {
      await streams.learning.fill();
      await streams.measuring.fill();
      const found = all.find(({ target }) => target.calls[0].node === node);
      if (found)
        measured.push(
          await measureLayer(found.target, found.tried, streams, options, () =>
            progress.update(++done, { layer: found.target.name }),
          ),
        );
      streams.learning.advance();
      streams.measuring.advance();
      await yieldToEvents(signal);
    }
  } finally {
    await streams.learning.dispose();
    await streams.measuring.dispose();
  }
  progress.finish();
  return measured;
}

async function measureLayer(
  target: Target,
  tried: readonly { numCentroids: number; subvectorLength: number }[],
  { learning, measuring }: { learning: ActivationStream; measuring: ActivationStream },
  { profile, seed, latency, task, signal }: SensitivityOptions,
  onDone: () => void,
): Promise<MeasuredLayer> {
  const { operator, name, layer, positions } = target;
  const { distance, tableScale, tableBits } = profile;
  const problem = { outputs: operator.outputs, ...layerRows(target, learning, seed) };
  const { inputLength, outputs } = operator;
  const sizes = { positions, inputLength, outputs };
  const before = denseCost({ ...sizes, numCentroids: 0, subvectorLength: 1 });
  const dense: LayerOption = {
    numCentroids: 0,
    subvectorLength: 0,
    cost: { flops: before.operations, bytes: before.bytes, latency: 0 },
    localError: 0,
    harm: 0,
  };
  const options: LayerOption[] = [];
  for (const choice of tried) {
    const shape = { ...choice, numCodebooks: inputLength / choice.subvectorLength };
    const fitted = await fitLookup(
      { ...problem, shape },
      { seed, refineSteps: 0, distance, tableScale, tableBits, signal },
    );
    const lookup = { ...choice, tableSource: "table", tableScale, tableBits, distance } as const;
    const twin = makeLookup(layer, name, lookup);
    twin.apply(tf.input({ batchShape: target.calls[0].node.inputShapes[0] }));
    twin.setLookup({ ...fitted, bias: operator.bias() });
    try {
      const effect = measureAlone(target, twin, measuring, task);
      const after = lookupCost({ ...sizes, ...choice });
      const option = {
        ...choice,
        cost: { flops: after.operations, bytes: after.bytes, latency: 0 },
        ...effect,
      };
      if (latency) {
        const timing = await timeLayer(twin, target.calls[0].node, { rounds: 40 }, signal);
        option.cost.latency = timing.native.median;
        dense.cost.latency = timing.dense.median;
      }
      options.push(option);
    } finally {
      twin.dispose();
    }
    onDone();
    await yieldToEvents(signal);
  }
  return { name, dense, options };
}

/** Rows of a layer's input, and of its linear output before bias and activation, with its weight. */
function layerRows({ name, operator, calls: [call] }: Target, stream: ActivationStream, seed: number) {
  const { batches } = stream;
  const total = batches.reduce((sum, batch) => sum + countRows(call, batch), 0);
  const chosen = chooseRows(`plan ${name}`, total, rowsPerFit, seed);
  const linear = (input: tf.Tensor) => tf.matMul(operator.rows(input), operator.weight()) as tf.Tensor2D;
  const gather = (rows: typeof operator.rows) => {
    const sampler = new RowSampler(call, chosen);
    stream.inputs(call.node).forEach((x, i) => {
      sampler.add(x, batches[i].size, batches[i].mask, rows);
    });
    return sampler.values();
  };
  return { inputs: gather(operator.rows), wanted: gather(linear), weight: valuesOf(() => operator.weight()) };
}

/** Local error and divergence of the network's output when one layer's calls are computed by another layer. */
function measureAlone(
  { name, operator, layer, calls: [call] }: Target,
  twin: tf.layers.Layer,
  stream: ActivationStream,
  task: Task,
) {
  const sums = new ErrorSums(operator.outputs);
  let divergence = 0;
  const changed: LayerOf = (node) => (node.name === name ? twin : node.layer);
  stream.inputs(call.node).forEach((x, b) => {
    const { mask } = stream.batches[b];
    tf.tidy(() => {
      const [y, z] = [layer, twin].map((one) => one.apply(x, call.node.callArgs) as tf.Tensor);
      sums.add(y, z, realRows(call, mask));
    });
    const [exact, approximate] = [ownLayer, changed].map((layerOf) => stream.finish(layerOf, 0, b));
    divergence += task.divergence(exact, approximate, mask);
    tf.dispose([exact, approximate]);
  });
  return { localError: sums.error()?.relative ?? 0, harm: Math.max(0, divergence / stream.size) };
}
