import * as tf from "@tensorflow/tfjs-node";
import { type SoftDistance, softPqLookup, tableFromWeight } from "../compute/softPq";
import { valuesOf } from "../compute/valuesOf";
import { yieldToEvents } from "../host/signal";
import type { LinearOperator } from "../layers/linearOperator";
import { INITIAL_INVERSE_TEMPERATURE_LOGIT } from "../layers/lookupLayer";
import { fitTable } from "../pq/fitTable";
import { heldOutRidge, ridges } from "../pq/heldOutRidge";
import { type CodeKind, chooseInputQuantization, IntegerQuantizer } from "../pq/integerCodes";
import { kMeans, kMeansRows } from "../pq/kmeans";
import type { TableBits, TableScaleMode } from "../pq/lookupTable";
import { ProductQuantizer } from "../pq/productQuantizer";
import { sampleIndices, seededRandom } from "../pq/random";
import type { InputQuantization, QuantizerShape } from "../pq/reference";
import { takingTurns } from "../pq/turns";
import { Optimizer } from "../training/optimizer";
import { learningRateShare } from "../training/schedule";
import type { Profile } from "./profile";
import { rowsAtOnce } from "./rows";
import type { SharedCodebook } from "./sharedCodebooks";

/** A linear operator on rows, to be looked up. */
export interface LookupProblem {
  shape: QuantizerShape;
  /** Whether inputs can hold no negative number. */
  nonNegative: boolean;
  /** M */
  outputs: number;
  /** N: rows of what the layer receives. */
  rows: number;
  /** Some of these rows, by rising numbers: float32 (numbers, D). They need not all fit into memory. */
  inputs(indices: Uint32Array): Float32Array;
  /** What it should give, before bias and activation: float32 (N, M). */
  wanted: Float32Array;
  /** The dense weight: float32 (D, M). */
  weight: Float32Array;
}

export interface FitSettings {
  seed: number;
  /** Of the table's fit, in mean counts of a code, or chosen by rows that are held out. */
  ridge: number | "heldOut";
  /** What another layer has learnt on the same rows. */
  known?: SharedCodebook;
  /** Gradient steps on centroids, table and temperature against the wanted output, after which the table is fitted again. */
  refineSteps: number;
  distance: SoftDistance;
  tableScale: TableScaleMode;
  tableBits: TableBits;
  codes: CodeKind;
  signal: AbortSignal;
  /** Called with the share that is done, rising to 1. */
  onProgress?: (share: number) => void;
}

/**
 * The ridge of a layer's fit. A dense layer's is chosen on held-out rows where the profile says so; a convolution has rows
 * enough at every place of an image, and takes the least.
 */
export const ridgeOf = ({ calibrate }: Profile, { op }: LinearOperator): FitSettings["ridge"] =>
  calibrate.ridge === "heldOut" && op !== "dense" ? ridges[0] : calibrate.ridge;

export interface FittedLookup {
  centroids: Float32Array;
  table: Float32Array;
  /** Of codes that are defined in integers. */
  input?: InputQuantization;
  inverseTemperatureLogit: number;
}

/** Rows that a gradient step of the refinement sees, and its learning rate. */
const refineRows = 2048;
const refineRate = 3e-3;

/** The table P·W (C, K, M) of the dense weight: where a fit starts. */
function publishedTable({ outputs, weight }: LookupProblem, codebook: ProductQuantizer): Float32Array {
  const { numCodebooks, numCentroids, subvectorLength, inputLength, centroids } = codebook;
  return valuesOf(() =>
    tableFromWeight(
      tf.tensor3d(centroids, [numCodebooks, numCentroids, subvectorLength]),
      tf.tensor2d(weight, [inputLength, outputs]),
    ),
  );
}

/** Codes of all rows, uint8 (N, C). */
async function encodeAll(
  { rows, inputs }: LookupProblem,
  codebook: ProductQuantizer | IntegerQuantizer,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const codes = new Uint8Array(rows * codebook.numCodebooks);
  const most = rowsAtOnce(codebook.inputLength);
  const pause = takingTurns(signal);
  for (let from = 0; from < rows; from += most) {
    const part = Uint32Array.from({ length: Math.min(most, rows - from) }, (_, i) => from + i);
    codes.set(codebook.encode(inputs(part)), from * codebook.numCodebooks);
    await pause();
  }
  return codes;
}

/**
 * A lookup whose output is as near as possible to a wanted one: k-means, then least squares; on request refined by
 * gradients and fitted again.
 */
export async function fitLookup(problem: LookupProblem, settings: FitSettings): Promise<FittedLookup> {
  const { signal, onProgress } = settings;
  // k-means and fit, and on request refinement and fit again, count the same.
  const parts = settings.refineSteps > 0 ? 4 : 2;
  const during = (part: number) => (share: number) => onProgress?.((part + share) / parts);
  const { codebook, input } = await learnQuantizer(problem, settings);
  during(0)(1);
  let ridge: number | undefined = settings.ridge === "heldOut" ? undefined : settings.ridge;
  const fit = async (centroids: Float32Array, start: Float32Array, part: number) => {
    const quantizer = input
      ? new IntegerQuantizer(problem.shape, centroids, input)
      : new ProductQuantizer(problem.shape, centroids);
    const codes = await encodeAll(problem, quantizer, signal);
    const isOpen = ridge === undefined;
    const after = (share: number) => during(part)(isOpen ? 0.5 + share / 2 : share);
    ridge ??= await heldOutRidge(codes, problem.wanted, start, problem.shape, {
      signal,
      onProgress: (share) => during(part)(share / 2),
    });
    return fitTable(codes, problem.wanted, start, problem.shape, {
      lambda: ridge,
      signal,
      onProgress: after,
    });
  };
  const table = await fit(codebook.centroids, publishedTable(problem, codebook), 1);
  const first = {
    centroids: codebook.centroids,
    table,
    ...(input ? { input } : {}),
    inverseTemperatureLogit: INITIAL_INVERSE_TEMPERATURE_LOGIT,
  };
  if (settings.refineSteps === 0) return first;
  const refined = await refine(problem, first, settings);
  during(2)(1);
  return { ...refined, table: await fit(refined.centroids, refined.table, 3) };
}

/** Centroids by k-means on some of the rows, or as another layer has learnt them; and how inputs like those become bytes. */
async function learnQuantizer(
  problem: LookupProblem,
  { seed, signal, known, codes }: FitSettings,
): Promise<{ codebook: ProductQuantizer; input?: InputQuantization }> {
  if (known && (codes === "float32" || known.input))
    return { codebook: new ProductQuantizer(problem.shape, known.centroids), input: known.input };
  const learnt = problem.inputs(kMeansRows(problem.rows, problem.shape.numCentroids, { seed }));
  const codebook = known
    ? new ProductQuantizer(problem.shape, known.centroids)
    : await kMeans(learnt, problem.shape, { seed, signal });
  return codes === "float32"
    ? { codebook }
    : { codebook, input: inputQuantizationOf(learnt, problem.nonNegative) };
}

/** How inputs like some rows become bytes; those of which a number is negative all the same are not taken for what they are not. */
export const inputQuantizationOf = (rows: Float32Array, nonNegative: boolean): InputQuantization =>
  chooseInputQuantization(rows, nonNegative && rows.every((value) => value >= 0));

function takeRows(values: Float32Array, length: number, rows: Uint32Array): Float32Array {
  const out = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    out.set(values.subarray(row * length, (row + 1) * length), i * length);
  });
  return out;
}

async function refine(
  problem: LookupProblem,
  start: FittedLookup,
  settings: FitSettings,
): Promise<FittedLookup> {
  const { shape, outputs, rows, wanted } = problem;
  const { numCodebooks, numCentroids, subvectorLength } = shape;
  const { refineSteps, distance, tableScale, tableBits, seed, signal } = settings;
  const inputLength = numCodebooks * subvectorLength;
  const random = seededRandom(seed, "refine");
  const integers = start.input
    ? { scale: tf.scalar(start.input.scale), zeroPoint: tf.scalar(start.input.zeroPoint) }
    : null;
  const centroids = tf.variable(tf.tensor3d(start.centroids, [numCodebooks, numCentroids, subvectorLength]));
  const table = tf.variable(tf.tensor3d(start.table, [numCodebooks, numCentroids, outputs]));
  const theta = tf.variable(tf.scalar(start.inverseTemperatureLogit));
  const variables = [centroids, table, theta] as tf.Variable[];
  const optimizer = new Optimizer([{ variables, learningRate: refineRate }], "adam");
  try {
    for (let step = 0; step < refineSteps; step++) {
      const chosen = sampleIndices(rows, refineRows, random);
      const x = tf.tensor2d(problem.inputs(chosen), [chosen.length, inputLength]);
      const y = tf.tensor2d(takeRows(wanted, outputs, chosen), [chosen.length, outputs]);
      optimizer.step(learningRateShare("cosine", step, refineSteps, refineSteps), () => {
        const given = softPqLookup(x, centroids as tf.Tensor3D, table as tf.Tensor3D, theta as tf.Scalar, {
          distance,
          tableScale,
          tableBits,
          integers,
        });
        const variance = tf.add(tf.sum(tf.squaredDifference(y, tf.mean(y, 0))), 1e-12);
        return tf.div(tf.sum(tf.squaredDifference(given, y)), variance) as tf.Scalar;
      });
      tf.dispose([x, y]);
      await yieldToEvents(signal);
    }
    const [p, t, [logit]] = variables.map((variable) => variable.dataSync() as Float32Array);
    return { ...start, centroids: p, table: t, inverseTemperatureLogit: logit };
  } finally {
    optimizer.dispose();
    tf.dispose(variables);
    tf.dispose(integers ? [integers.scale, integers.zeroPoint] : []);
  }
}
