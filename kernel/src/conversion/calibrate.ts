import * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../compute/valuesOf";
import type { Dataset } from "../datasets/dataset";
import { Progress } from "../host/progress";
import { yieldToEvents } from "../host/signal";
import { type GraphNode, GraphRun } from "../layers/graph";
import {
  INITIAL_INVERSE_TEMPERATURE_LOGIT,
  type LookupConfig,
  LookupLayer,
  type LookupWeights,
} from "../layers/lookupLayer";
import type { MaddnessWeights } from "../layers/maddnessLayer";
import { kMeans } from "../pq/kmeans";
import { Maddness, type MaddnessForm, TREE_LEAVES } from "../pq/maddness";
import { sampleIndices, seededRandom } from "../pq/random";
import { ActivationStream, concatenate, gatherRows } from "./activationStream";
import { fitLookup } from "./fitLookup";
import type { Profile } from "./profile";
import type { StoredWeights } from "./storedWeights";
import type { Target } from "./target";

/** Rows that k-means sees per centroid, as faiss. */
const rowsPerCentroid = 256;
/** Rows that a least-squares fit sees. */
const rowsPerFit = 65_000;
/** Rows that prototypes of Maddness are fitted on; its trees see as many as k-means. */
const rowsPerMaddness = 16_384;
const batchSize = 64;

/** What takes a layer's place: a lookup by nearest centroids, or Maddness. */
export type Learnt =
  | { tableSource: LookupConfig["tableSource"]; weights: LookupWeights }
  | { maddness: MaddnessWeights };

/** What a layer's calibration found, and the statistics of the batch norms that it feeds. */
export type Calibrated = Learnt & {
  /** Moving mean and variance by the name of the batch norm layer; empty when they stay as they were. */
  batchNorms: Map<string, { mean: Float32Array; variance: Float32Array }>;
  /** What fine-tuning made of the lookup and its batch norms since. */
  trained?: { weights: LookupWeights; norms: Map<string, StoredWeights> };
};

export interface CalibrationRun {
  /** The reference: its layers are what is to be replaced. */
  model: tf.LayersModel;
  /** Layers of that network. */
  targets: Target[];
  data: Dataset;
  seed: number;
  profile: Profile;
  signal: AbortSignal;
}

const inputsOf = (data: Dataset): tf.Tensor[] =>
  [...data.batches(batchSize)].map(({ images, labels }) => {
    labels.dispose();
    return images;
  });

const sampleRows = (target: Target, images: number, wanted: number, seed: number): Uint32Array =>
  sampleIndices(images * target.operator.positions, wanted, seededRandom(seed, target.name, "rows", wanted));

function weightMatrix(target: Target): Float32Array {
  return valuesOf(() => target.operator.weight());
}

/** Rows of what each target receives in a network, float32 (rows, D) by name: `wanted` of them, evenly likely. */
async function sampleInputs(
  { model, targets, data, seed, signal }: CalibrationRun,
  wanted: (target: Target) => number,
  onProgress: (share: number) => void,
): Promise<Map<string, Float32Array>> {
  const run = new GraphRun(model);
  const sampled = new Map(
    targets.map((target) => {
      const indices = sampleRows(target, data.size, wanted(target), seed);
      return [target.name, { indices, parts: [] as Float32Array[], at: 0 }];
    }),
  );
  const byName = new Map(targets.map((target) => [target.name, target]));
  let firstImage = 0;
  for (const { images, labels } of data.batches(batchSize)) {
    tf.tidy(() => {
      const values = run.start(images);
      for (const node of run.nodes) {
        const target = byName.get(node.layer.name);
        const rows = sampled.get(node.layer.name);
        if (target && rows) {
          const { positions } = target.operator;
          const end = (firstImage + images.shape[0]) * positions;
          const from = rows.at;
          while (rows.at < rows.indices.length && rows.indices[rows.at] < end) rows.at++;
          const local = rows.indices.slice(from, rows.at).map((index) => index - firstImage * positions);
          const input = run.inputsOf(node, values)[0];
          rows.parts.push(gatherRows([input], target.operator.rows, positions, local));
        }
        run.step(node, values);
      }
    });
    firstImage += images.shape[0];
    tf.dispose([images, labels]);
    onProgress(firstImage / data.size);
    await yieldToEvents(signal);
  }
  return new Map([...sampled].map(([name, { parts }]) => [name, concatenate(parts)]));
}

/** Learns from each layer's inputs in the network alone, layer by layer. */
async function calibrateAlone(
  run: CalibrationRun,
  label: string,
  wanted: (target: Target) => number,
  learn: (target: Target, rows: Float32Array) => Promise<Learnt>,
): Promise<Map<string, Calibrated>> {
  const { targets } = run;
  const progress = new Progress(`calibrate (${label})`, 2 * targets.length, "steps");
  const inputs = await sampleInputs(run, wanted, (share) => progress.update(targets.length * share));
  const result = new Map<string, Calibrated>();
  for (const target of targets) {
    const learnt = await learn(target, inputs.get(target.name)!);
    result.set(target.name, { ...learnt, batchNorms: new Map() });
    progress.update(targets.length + result.size);
  }
  progress.finish();
  return result;
}

/** As published: for each layer k-means on the inputs that it sees in the dense network; the table is P·W. */
export function calibrateKMeans(run: CalibrationRun): Promise<Map<string, Calibrated>> {
  const { seed, signal } = run;
  const wanted = ({ numCentroids }: Target) => rowsPerCentroid * numCentroids;
  return calibrateAlone(run, "k-means", wanted, async (target, rows) => ({
    tableSource: "weight",
    weights: {
      centroids: (await kMeans(rows, target, { seed, signal })).centroids,
      weight: weightMatrix(target),
      bias: target.operator.bias(),
      inverseTemperatureLogit: INITIAL_INVERSE_TEMPERATURE_LOGIT,
    },
  }));
}

/** Maddness on the inputs that each layer sees in the dense network. */
export function calibrateMaddness(run: CalibrationRun, form: MaddnessForm): Promise<Map<string, Calibrated>> {
  const label = form === "true" ? "Maddness" : "Maddness, fast form";
  return calibrateAlone(
    run,
    label,
    () => rowsPerMaddness,
    async (target, rows) => {
      const maddness = await Maddness.fit(rows, target, {
        form,
        treeRows: rowsPerCentroid * TREE_LEAVES,
        signal: run.signal,
      });
      const table = maddness.lookupTable(weightMatrix(target));
      return { maddness: { maddness, table, bias: target.operator.bias() } };
    },
  );
}

/**
 * In network order, each layer on what the already converted layers before it give: k-means, then ridge fits of the
 * weight and of the table, so that the looked-up output matches the reference's output on the same images; then the
 * batch norms that follow are estimated anew.
 *
 * @param student the network with every target replaced; it ends up calibrated
 */
export async function calibrateLeastSquares(
  run: CalibrationRun,
  student: tf.LayersModel,
): Promise<Map<string, Calibrated>> {
  const { model, targets, data, signal, profile } = run;
  const dense = new ActivationStream(new GraphRun(model), inputsOf(data));
  const converted = new ActivationStream(new GraphRun(student), inputsOf(data));
  const progress = new Progress("calibrate (least squares)", targets.length, "layers");
  const byName = new Map(targets.map((target) => [target.name, target]));
  const result = new Map<string, Calibrated>();
  try {
    for (const [i, node] of dense.run.nodes.entries()) {
      const twin = converted.run.nodes[i];
      const target = byName.get(node.layer.name);
      if (target && twin.layer instanceof LookupLayer && !result.has(target.name)) {
        const weights = await fitTarget(target, dense.inputs(node), converted.inputs(twin), run);
        twin.layer.setLookup(weights);
        result.set(target.name, { tableSource: "table", weights, batchNorms: new Map() });
        progress.update(result.size, { layer: target.name });
      }
      const feeder = targets.find(({ norms }) => norms.includes(twin.layer.name));
      if (feeder && profile.calibrate.batchNorm)
        result
          .get(feeder.name)!
          .batchNorms.set(twin.layer.name, estimateBatchNorm(twin, converted.inputs(twin)));
      dense.advance(node);
      converted.advance(twin);
      await yieldToEvents(signal);
    }
  } finally {
    dense.dispose();
    converted.dispose();
  }
  progress.finish();
  return result;
}

/** Fits a layer's lookup on what the converted layers before it give, to what the dense layer gives. */
async function fitTarget(
  target: Target,
  denseInputs: tf.Tensor[],
  convertedInputs: tf.Tensor[],
  { data, seed, signal, profile }: CalibrationRun,
): Promise<LookupWeights> {
  const { operator } = target;
  const rows = sampleRows(target, data.size, rowsPerFit, seed);
  const linear = (x: tf.Tensor) => tf.matMul(operator.rows(x), operator.weight()) as tf.Tensor2D;
  const problem = {
    shape: target,
    outputs: operator.outputs,
    inputs: gatherRows(convertedInputs, operator.rows, operator.positions, rows),
    wanted: gatherRows(denseInputs, linear, operator.positions, rows),
    weight: weightMatrix(target),
  };
  const { distance, tableScale, tableBits, calibrate } = profile;
  const fitted = await fitLookup(problem, {
    seed,
    signal,
    distance,
    tableScale,
    tableBits,
    refineSteps: calibrate.refineSteps,
  });
  return { ...fitted, bias: operator.bias() };
}

/** Mean and variance per channel of a batch norm's inputs, written into its moving statistics. */
function estimateBatchNorm(
  node: GraphNode,
  inputs: tf.Tensor[],
): { mean: Float32Array; variance: Float32Array } {
  const [mean, variance] = tf.tidy(() => {
    const channels = inputs[0].shape[inputs[0].shape.length - 1];
    const rows = inputs.map((input) => input.reshape([-1, channels]));
    const count = rows.reduce((sum, part) => sum + part.shape[0], 0);
    const mean = tf.div(tf.addN(rows.map((part) => tf.sum(part, 0))), count);
    const variance = tf.div(tf.addN(rows.map((part) => tf.sum(tf.squaredDifference(part, mean), 0))), count);
    node.layer.setWeights([...node.layer.getWeights().slice(0, -2), mean, variance]);
    return [mean, variance];
  });
  const [values, squares] = [mean, variance].map((tensor) => tensor.dataSync() as Float32Array);
  tf.dispose([mean, variance]);
  return { mean: values, variance: squares };
}
