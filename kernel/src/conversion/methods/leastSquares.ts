import * as tf from "@tensorflow/tfjs-node";
import { Progress } from "../../host/progress";
import type { GraphNode } from "../../layers/graph";
import type { LookupWeights } from "../../layers/lookupLayer";
import { makeLookup } from "../../layers/makeLookup";
import { ActivationStream } from "../activations";
import { fitLookup, ridgeOf } from "../fitLookup";
import { lookupProblem } from "../lookupProblem";
import type { Profile } from "../profile";
import { chooseRows } from "../rows";
import type { SharedCodebook } from "../sharedCodebooks";
import type { Calibration, NormStatistics } from "../state";
import { StoredArray } from "../storedArray";
import { disposeStudent } from "../student";
import type { Target, TargetCall } from "../targets";
import { lookupArrays, storeLookup } from "./lookupArrays";
import type { CalibrationRun, Method } from "./method";
import { sampleCalls } from "./sampleInputs";

/** Rows that a fit sees. */
const rowsPerFit = 65_000;
/** Which network of the stream is which; the first is the reference. */
const converted = 1;

/**
 * In network order, each layer on what the already converted layers before it give: k-means, then ridge fits of the
 * weight and of the table, so that the looked-up output matches the reference's output on the same examples; then the
 * batch norms that follow are estimated anew, but for those that are called more than once.
 */
export const leastSquares: Method = {
  title: "least squares",
  trainable: true,
  ...lookupArrays,

  async calibrate(run) {
    const { graph, targets, data, signal, seed, profile, codebooks } = run;
    const student = run.convertedNetwork();
    const progress = new Progress(`calibrate (${this.title})`, targets.length, "layers");
    const again = await laterCalls(run);
    const byNode = new Map(targets.map((target) => [target.calls[0].node, target]));
    // Where a batch norm is called again, other statistics would change what examples have been given by it already.
    const isAlone = ({ name }: GraphNode) => graph.nodes.filter((node) => node.name === name).length === 1;
    const result = new Map<string, Calibration>();
    const stream = new ActivationStream(graph, [run.reference, student.layerOf], data, {
      seed,
      signal,
    });
    try {
      for (const node of graph.nodes) {
        await stream.fill();
        const target = byNode.get(node);
        if (target) {
          const known = codebooks.get(target.codebook);
          const weights = await fitTarget(target, { stream, again, known }, run, (share) =>
            progress.update(result.size + share, { layer: target.name }),
          );
          if (profile.calibrate.refineSteps === 0)
            codebooks.set(target.codebook, learntCodebook(weights, profile));
          const arrays = storeLookup(weights);
          this.fill(student.layers.get(target.name)!, arrays);
          result.set(target.name, { arrays, norms: {} });
          progress.update(result.size, { layer: target.name });
        }
        const feeding = isAlone(node) ? targets.filter(({ norms }) => norms.includes(node.name)) : [];
        if (feeding.length > 0 && profile.calibrate.batchNorm) {
          const statistics = estimateStatistics(
            student.layers.get(node.name)!,
            stream.inputs(node, converted),
          );
          for (const { name } of feeding) {
            const found = result.get(name)!;
            result.set(name, { ...found, norms: { ...found.norms, [node.name]: statistics } });
          }
        }
        await stream.advance();
      }
    } finally {
      await stream.dispose();
      disposeStudent(graph, student);
    }
    progress.finish();
    return result;
  },

  layerFor({ layer, name, numCentroids, subvectorLength }, { distance, tableScale, tableBits, codes }) {
    return makeLookup(layer, name, {
      numCentroids,
      subvectorLength,
      tableSource: "table",
      tableScale,
      tableBits,
      distance,
      codes,
    });
  },
};

/**
 * What later calls of layers that are used again receive in the reference: when a layer is fitted, at its first call, the
 * converted network has not come there yet.
 */
async function laterCalls(run: CalibrationRun): Promise<Map<TargetCall, Float32Array>> {
  const again = run.targets
    .filter(({ calls }) => calls.length > 1)
    .map((target) => ({ ...target, calls: target.calls.slice(1) }));
  if (again.length === 0) return new Map();
  const share = ({ calls, positions }: Target) =>
    (rowsPerFit * calls.reduce((sum, { operator }) => sum + operator.positions, 0)) / positions;
  return sampleCalls(run, again, share, () => undefined);
}

/** What others on the same rows take over: how inputs become bytes only where they share all of it. */
const learntCodebook = (
  { centroids, input }: LookupWeights,
  { sharedCodebooks }: Profile,
): SharedCodebook => ({
  centroids,
  ...(sharedCodebooks && input ? { input } : {}),
});

/** Where a layer is fitted. */
interface FitPlace {
  stream: ActivationStream;
  /** Rows that later calls of layers receive in the reference. */
  again: Map<TargetCall, Float32Array>;
  /** Centroids that another layer has learnt on the same rows. */
  known?: SharedCodebook;
}

/** Fits a layer's lookup on what the converted layers before it give, to what the reference's layer gives. */
async function fitTarget(
  target: Target,
  { stream, again, known }: FitPlace,
  { seed, signal, profile }: CalibrationRun,
  onProgress: (share: number) => void,
): Promise<LookupWeights> {
  const { operator, calls, positions, codebook } = target;
  const [first, ...others] = calls;
  const problem = await lookupProblem(target, stream, {
    rows: (total) =>
      chooseRows(codebook, total, Math.round((rowsPerFit * first.operator.positions) / positions), seed),
    later: others.map((call) => again.get(call)!),
    signal,
  });
  const { distance, tableScale, tableBits, codes, calibrate } = profile;
  const fitted = await fitLookup(problem, {
    seed,
    signal,
    distance,
    tableScale,
    tableBits,
    codes,
    ridge: ridgeOf(profile, operator),
    known,
    refineSteps: calibrate.refineSteps,
    onProgress,
  });
  return { ...fitted, bias: operator.bias() };
}

/** Mean and variance per channel of a batch norm's inputs, also written into its moving statistics. */
function estimateStatistics(layer: tf.layers.Layer, inputs: readonly tf.Tensor[]): NormStatistics {
  const { rank, shape } = inputs[0];
  const axis = ((layer.getConfig().axis as number) + rank) % rank;
  const channels = shape[axis];
  const order = [...Array(rank).keys()].filter((one) => one !== axis).concat(axis);
  const rowsOf = (x: tf.Tensor) => (axis === rank - 1 ? x : x.transpose(order)).reshape([-1, channels]);
  const count = inputs.reduce((sum, { size }) => sum + size / channels, 0);
  // One batch at a time: what it takes is no more than the batch.
  const meanOf = (summed: (rows: tf.Tensor) => tf.Tensor) =>
    tf.tidy(() => tf.div(tf.addN(inputs.map((x) => tf.tidy(() => tf.sum(summed(rowsOf(x)), 0)))), count));
  const mean = meanOf((rows) => rows);
  const variance = meanOf((rows) => tf.squaredDifference(rows, mean));
  tf.tidy(() => layer.setWeights([...layer.getWeights().slice(0, -2), mean, variance]));
  const stored = [mean, variance].map(
    (tensor) => new StoredArray(tensor.shape, tensor.dataSync() as Float32Array),
  );
  tf.dispose([mean, variance]);
  return { mean: stored[0], variance: stored[1] };
}
