import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { checkIntegerLength } from "../pq/integerCodes";
import { type LookupTable, quantizeTable, type TableBits, type TableScaleMode } from "../pq/lookupTable";
import type { ConvWindow } from "./imageWindows";
import type { InputQuantizationTensors } from "./integerCodes";
import type { SoftDistance, SoftLookupCall, SoftParameter } from "./softPqCall";
import { realTableNative, roundedTableNative, softLookupNative } from "./softPqNative";
import { multiplyByCentroids, softLookupTfjs } from "./softPqTfjs";
import { type TrainingBackend, trainingStatus } from "./trainingBackend";
import { valuesOf } from "./valuesOf";

export type { SoftDistance, SoftParameter } from "./softPqCall";

export interface SoftLookupOptions {
  /** Default "l2". */
  distance?: SoftDistance;
  /** One table scale for the layer (default) or one per output. */
  tableScale?: TableScaleMode;
  /** Bits of a table entry in the forward pass; default 8, what inference has. "float" is the real table. */
  tableBits?: TableBits;
  /** Codes defined in integers, of inputs so quantised; gradients stay those of the soft assignment. Default: in float32. */
  integers?: InputQuantizationTensors | null;
  /** Default: the native operators where they are there, else tf.js' operations; see {@link trainingStatus}. */
  backend?: TrainingBackend;
}

export interface SoftPqOptions extends SoftLookupOptions {
  /** float32 (M), default none. */
  bias?: tf.Tensor1D;
  /** θ, a scalar: the assignment is softmax(−d·m), m = softplus(θ) + 1 the inverse temperature. */
  inverseTemperatureLogit: tf.Scalar;
}

/** The one that runs, as an error if it cannot. */
function softLookup(call: SoftLookupCall, backend?: TrainingBackend): tf.Tensor {
  return trainingStatus(backend ?? process.env.LUTNN_TRAINING).backend === "native"
    ? softLookupNative(call)
    : softLookupTfjs(call);
}

/** The defaults of the options, and shapes that belong together. */
function checkedCall(
  what: string,
  x: tf.Tensor2D | tf.Tensor4D,
  window: ConvWindow | null,
  centroids: tf.Tensor3D,
  parameter: SoftParameter,
  inverseTemperatureLogit: tf.Scalar,
  options: SoftLookupOptions,
): SoftLookupCall {
  const { distance = "l2", tableScale = "layer", tableBits = 8, integers = null } = options;
  const [numCodebooks, numCentroids, subvectorLength] = centroids.shape;
  const inputLength = numCodebooks * subvectorLength;
  const area = window ? window.filterHeight * window.filterWidth : 1;
  const columns = x.shape[x.rank - 1] * area;
  if (columns !== inputLength)
    throw new LutnnError(
      `${what}: x must have C·V = ${inputLength} ${window ? "elements in a window" : "columns"} (got ${columns})`,
    );
  if (subvectorLength % area !== 0)
    throw new LutnnError(
      `${what}: V must be a multiple of the filter's ${area} positions (got ${subvectorLength})`,
    );
  const { kind, tensor } = parameter;
  if (kind === "table" && (tensor.shape[0] !== numCodebooks || tensor.shape[1] !== numCentroids))
    throw new LutnnError(
      `${what}: the table must be (C, K, M) with C = ${numCodebooks} and K = ${numCentroids} (got ${tensor.shape})`,
    );
  if (kind === "weight") checkWeight(what, centroids, tensor);
  if (integers) checkIntegerLength(what, subvectorLength);
  return {
    x,
    window,
    centroids,
    parameter,
    inverseTemperatureLogit,
    distance,
    tableScale,
    tableBits,
    integers,
  };
}

function checkWeight(what: string, centroids: tf.Tensor3D, weight: tf.Tensor2D): void {
  const rows = centroids.shape[0] * centroids.shape[2];
  if (weight.shape[0] !== rows)
    throw new LutnnError(`${what}: the weight must have C·V = ${rows} rows (got ${weight.shape[0]})`);
}

/**
 * Lookup with a soft backward pass (LUT-NN): forward y = scale · Σ_c q[c][g_c] with g_c the nearest centroid and q the
 * INT8 table, exactly what inference computes; backward as if y = Σ_c Σ_k a_ck T_ck with a = softmax(−d·m) and T the
 * real table (the quantisation passes gradients straight through).
 *
 * x float32 (N, C·V), centroids (C, K, V), table (C, K, M), θ scalar → float32 (N, M); differentiable in all four.
 */
export function softPqLookup(
  x: tf.Tensor2D,
  centroids: tf.Tensor3D,
  table: tf.Tensor3D,
  inverseTemperatureLogit: tf.Scalar,
  options: SoftLookupOptions = {},
): tf.Tensor2D {
  const parameter = { kind: "table", tensor: table } as const;
  const call = checkedCall("softPqLookup", x, null, centroids, parameter, inverseTemperatureLogit, options);
  return softLookup(call, options.backend) as tf.Tensor2D;
}

/**
 * The soft-PQ replacement of x·W + bias: the table is P·W, recomputed from the current centroids and weight.
 * x float32 (N, C·V), centroids (C, K, V), weight (C·V, M) → float32 (N, M); differentiable in all of them, in the
 * bias and in θ. Forward and backward as {@link softPqLookup}.
 */
export function softPqMatMul(
  x: tf.Tensor2D,
  centroids: tf.Tensor3D,
  weight: tf.Tensor2D,
  options: SoftPqOptions,
): tf.Tensor2D {
  const { bias, inverseTemperatureLogit } = options;
  const parameter = { kind: "weight", tensor: weight } as const;
  const call = checkedCall("softPqMatMul", x, null, centroids, parameter, inverseTemperatureLogit, options);
  const y = softLookup(call, options.backend) as tf.Tensor2D;
  return bias ? tf.add(y, bias) : y;
}

/**
 * The soft-PQ replacement of a convolution: {@link softPqMatMul} (or, with a table as the parameter, softPqLookup) on the
 * windows of images, channel-major. x float32 (B, height, width, channels) → (B, output height, output width, M).
 */
export function softPqConv2d(
  x: tf.Tensor4D,
  window: ConvWindow,
  centroids: tf.Tensor3D,
  parameter: SoftParameter,
  options: SoftPqOptions,
): tf.Tensor4D {
  const { bias, inverseTemperatureLogit } = options;
  const call = checkedCall("softPqConv2d", x, window, centroids, parameter, inverseTemperatureLogit, options);
  const y = softLookup(call, options.backend) as tf.Tensor4D;
  return bias ? tf.add(y, bias) : y;
}

/** T_c = P_c W_c: centroids (C, K, V), weight (C·V, M) → real table (C, K, M). Differentiable in both. */
export function tableFromWeight(centroids: tf.Tensor3D, weight: tf.Tensor2D): tf.Tensor3D {
  checkWeight("tableFromWeight", centroids, weight);
  return multiplyByCentroids(centroids, weight);
}

/** The same to the last bit as the forward pass of {@link softPqMatMul} rounds it to integers; not differentiable. */
export function realTable(
  centroids: tf.Tensor3D,
  weight: tf.Tensor2D,
  backend?: TrainingBackend,
): tf.Tensor3D {
  checkWeight("realTable", centroids, weight);
  return trainingStatus(backend ?? process.env.LUTNN_TRAINING).backend === "native"
    ? realTableNative(centroids, weight)
    : multiplyByCentroids(centroids, weight);
}

/**
 * The integer table of a layer, to the last bit what the forward pass computes with: centroids (C, K, V) → int8 (C, K, M)
 * with its scale float32 (M). Throws LutnnError on a table that is not finite, or of more than 8 bits.
 */
export function roundedTable(
  centroids: tf.Tensor3D,
  parameter: SoftParameter,
  { tableScale = "layer", tableBits = 8, backend }: Omit<SoftLookupOptions, "distance"> = {},
): LookupTable {
  const { kind, tensor } = parameter;
  if (kind === "weight") checkWeight("roundedTable", centroids, tensor);
  const isNative = trainingStatus(backend ?? process.env.LUTNN_TRAINING).backend === "native";
  const native = isNative && tableBits !== "float" && tableBits <= 8;
  const made = native ? roundedTableNative(centroids, parameter, tableScale, tableBits) : null;
  if (made) return made;
  const real = valuesOf(() => (kind === "table" ? tensor : realTable(centroids, tensor, backend)));
  return quantizeTable(real, tensor.shape[tensor.rank - 1], tableScale, tableBits);
}
