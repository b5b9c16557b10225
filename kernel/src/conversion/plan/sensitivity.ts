import * as tf from "@tensorflow/tfjs-node";
import type { ExampleSource } from "../../datasets/examples";
import { Progress } from "../../host/progress";
import { yieldToEvents } from "../../host/signal";
import { timeLayer } from "../../inference/timeLayer";
import type { LayerOf, NetworkGraph } from "../../layers/graph";
import { makeLookup } from "../../layers/makeLookup";
import { MAX_INTEGER_LENGTH } from "../../pq/integerCodes";
import { denseCost, lookupCost } from "../../report/counting";
import type { Task } from "../../tasks/task";
import { ACTIVATION_BYTES, ActivationStream, firstOf, shareToTheEnd } from "../activations";
import { ErrorSums } from "../errorSums";
import { fitLookup, ridgeOf } from "../fitLookup";
import { lookupProblem } from "../lookupProblem";
import type { Profile } from "../profile";
import { chooseRows, realRows } from "../rows";
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

/** The K and V that fit a layer, and its codes. */
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
        length % operator.filterArea === 0 &&
        (options.profile.codes === "float32" || length <= MAX_INTEGER_LENGTH),
    );
  return options.numCentroids.flatMap((numCentroids) =>
    lengths.map((length) => ({ numCentroids, subvectorLength: length })),
  );
}

const ownLayer: LayerOf = (node) => node.layer;

/**
 * For every layer and every K and V: fits a lookup on the dense network's activations, and measures on held-out examples
 * the layer's own error and what it does, alone, to the network's output; with operations, bytes and, if wanted, times.
 * Both data sets go through the network once, within a bound of memory: at the widest layers a part of them. In networks
 * of more than some eight layers what reaches the output is measured on a part of the examples, the same everywhere.
 */
export async function measureSensitivity(options: SensitivityOptions): Promise<MeasuredLayer[]> {
  const { graph, targets, data, validation, signal, seed } = options;
  const all = targets.map((target) => ({ target, tried: candidates(target, options) }));
  const progress = new Progress(
    "sensitivity",
    all.reduce((sum, { tried }) => sum + tried.length, 0),
    "options",
  );
  const maximumBytes = ACTIVATION_BYTES / 2;
  const open = (source: ExampleSource) =>
    new ActivationStream(graph, [ownLayer], source, { seed, signal, maximumBytes });
  const share = shareToTheEnd(
    graph,
    targets.map(({ calls: [{ node }] }) => graph.nodes.indexOf(node)),
  );
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
          await measureLayer(found.target, found.tried, { ...streams, share }, options, () =>
            progress.update(++done, { layer: found.target.name }),
          ),
        );
      await streams.learning.advance();
      await streams.measuring.advance();
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
  { learning, measuring, share }: { learning: ActivationStream; measuring: ActivationStream; share: number },
  { profile, seed, latency, task, signal }: SensitivityOptions,
  onDone: () => void,
): Promise<MeasuredLayer> {
  const { operator, name, layer, positions } = target;
  const { distance, tableScale, tableBits, codes } = profile;
  const ridge = ridgeOf(profile, operator);
  const problem = await lookupProblem(target, learning, {
    rows: (total) => chooseRows(`plan ${name}`, total, rowsPerFit, seed),
    signal,
  });
  const { inputLength, outputs } = operator;
  const sizes = { positions, inputLength, outputs };
  const before = denseCost(sizes);
  const dense: LayerOption = {
    numCentroids: 0,
    subvectorLength: 0,
    cost: { flops: before.operations, bytes: before.bytes, latency: 0 },
    localError: 0,
    harm: 0,
  };
  const options: LayerOption[] = [];
  const counts = measuring.batches.map(({ size }) => Math.ceil(share * size));
  const exact = counts.map((count, b) => measuring.finish(ownLayer, 0, b, count));
  try {
    for (const choice of tried) {
      const shape = { ...choice, numCodebooks: inputLength / choice.subvectorLength };
      const fitted = await fitLookup(
        { ...problem, shape },
        { seed, ridge, refineSteps: 0, distance, tableScale, tableBits, codes, signal },
      );
      const lookup = { ...choice, tableSource: "table", tableScale, tableBits, distance, codes } as const;
      const twin = makeLookup(layer, name, lookup);
      twin.apply(tf.input({ batchShape: target.calls[0].node.inputShapes[0] }));
      twin.setLookup({ ...fitted, bias: operator.bias() });
      try {
        const effect = measureAlone(target, twin, measuring, exact, task);
        const after = lookupCost({ ...sizes, ...choice, codes });
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
  } finally {
    tf.dispose(exact);
  }
  return { name, dense, options };
}

/**
 * Local error and divergence of the network's output when one layer's calls are computed by another layer.
 * @param exact the network's outputs per batch, for as many of its examples as are to be compared
 */
function measureAlone(
  { name, operator, layer, calls: [call] }: Target,
  twin: tf.layers.Layer,
  stream: ActivationStream,
  exact: readonly tf.Tensor[][],
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
    const [count] = exact[b][0].shape;
    divergence += tf.tidy(() => {
      const approximate = stream.finish(changed, 0, b, count);
      return task.divergence(exact[b], approximate, mask && firstOf(mask, count));
    });
  });
  const compared = exact.reduce((sum, [output]) => sum + output.shape[0], 0);
  return { localError: sums.error()?.relative ?? 0, harm: Math.max(0, divergence / compared) };
}
