import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import type { TableScaleMode } from "./lookupTable";

/** Distance inside the soft assignment: the released code's ‖a − P‖ (`l2`) or the paper's ‖a − P‖² (`squaredL2`). */
export type SoftDistance = "l2" | "squaredL2";

export interface SoftPqOptions {
  /** float32 (M), default none. */
  bias?: tf.Tensor1D;
  /** θ, a scalar: the assignment is softmax(−d·m), m = softplus(θ) + 1 the inverse temperature. */
  inverseTemperatureLogit: tf.Scalar;
  /** Default "l2". */
  distance?: SoftDistance;
  /** One table scale for the layer (default) or one per output. */
  tableScale?: TableScaleMode;
}

/** Keeps the gradient of ‖a − P‖ finite where a sub-vector sits on a centroid. */
const distanceFloor = 1e-8;

/** Quantised table as integers in float32 (C, K, M) and its scale (M) or (); the tf.js form of `quantizeTable`. */
export function quantizeTableTensor(
  table: tf.Tensor3D,
  mode: TableScaleMode,
): { values: tf.Tensor3D; scale: tf.Tensor } {
  return tf.tidy(() => {
    const largest = tf.max(tf.abs(table), mode === "output" ? [0, 1] : undefined);
    const scale = tf.where(tf.greater(largest, 0), tf.div(largest, 127), tf.onesLike(largest));
    const values = tf.clipByValue(tf.round(tf.div(table, scale)), -127, 127) as tf.Tensor3D;
    return { values, scale };
  });
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
  options: { distance?: SoftDistance; tableScale?: TableScaleMode } = {},
): tf.Tensor2D {
  const { distance = "l2", tableScale = "layer" } = options;
  const [rows, inputLength] = x.shape;
  const [numCodebooks, numCentroids, subvectorLength] = centroids.shape;
  const outputs = table.shape[2];
  if (inputLength !== numCodebooks * subvectorLength)
    throw new LutnnError(
      `softPqLookup: x must have C·V = ${numCodebooks * subvectorLength} columns (got ${inputLength})`,
    );
  if (table.shape[0] !== numCodebooks || table.shape[1] !== numCentroids)
    throw new LutnnError(
      `softPqLookup: the table must be (C, K, M) with C = ${numCodebooks} and K = ${numCentroids} (got ${table.shape})`,
    );

  // (N, C·V) → (C, N, V)
  const byCodebook = (t: tf.Tensor) =>
    t.reshape([rows, numCodebooks, subvectorLength]).transpose([1, 0, 2]) as tf.Tensor3D;

  const lookup = tf.customGrad((...args) => {
    const [x, centroids, table, theta] = args as [tf.Tensor2D, tf.Tensor3D, tf.Tensor3D, tf.Scalar];
    const save = args[4] as tf.GradSaveFunc;
    const halfNorms = tf.mul(tf.sum(tf.square(centroids), 2), 0.5).expandDims(1); // (C, 1, K)
    const scores = tf.sub(tf.matMul(byCodebook(x), centroids, false, true), halfNorms); // (C, N, K)
    const codes = tf.argMax(scores, 2).transpose() as tf.Tensor2D; // (N, C)
    const choice = tf
      .oneHot(codes, numCentroids, 1, 0, "float32")
      .reshape([rows, numCodebooks * numCentroids]);
    const { values, scale } = quantizeTableTensor(table, tableScale);
    const sums = tf.matMul(
      choice as tf.Tensor2D,
      values.reshape([numCodebooks * numCentroids, outputs]) as tf.Tensor2D,
    );
    save([x, centroids, table, theta, scores]);
    return {
      value: tf.mul(sums, scale),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        softBackward(dy as tf.Tensor2D, saved, byCodebook, distance, x.shape),
    };
  });
  return lookup(x, centroids, table, inverseTemperatureLogit) as tf.Tensor2D;
}

/** Gradients of x, centroids, table and θ through the soft assignment; letters as in reference.ts. */
function softBackward(
  dy: tf.Tensor2D,
  saved: tf.Tensor[],
  byCodebook: (t: tf.Tensor) => tf.Tensor3D,
  distance: SoftDistance,
  xShape: [number, number],
): tf.Tensor[] {
  const [x, centroids, table, theta, scores] = saved as [
    tf.Tensor2D,
    tf.Tensor3D,
    tf.Tensor3D,
    tf.Scalar,
    tf.Tensor3D,
  ];
  return tf.tidy(() => {
    const a = byCodebook(x); // (C, N, V)
    const inverseTemperature = tf.add(tf.softplus(theta), 1);
    const norms = tf.sum(tf.square(a), 2, true); // (C, N, 1)
    const squared = tf.relu(tf.sub(norms, tf.mul(scores, 2))); // ‖a − P‖² (C, N, K)
    const d = distance === "l2" ? tf.sqrt(tf.add(squared, distanceFloor)) : squared;
    const assignment = tf.softmax(tf.mul(d, tf.neg(inverseTemperature))) as tf.Tensor3D; // (C, N, K)

    const dyBatch = dy.expandDims(0) as tf.Tensor3D; // (1, N, M)
    const dTable = tf.matMul(assignment, dyBatch, true, false); // (C, K, M)
    const dAssignment = tf.matMul(dyBatch, table, false, true); // (C, N, K)
    const weighted = tf.mul(assignment, dAssignment);
    const dLogits = tf.sub(weighted, tf.mul(assignment, tf.sum(weighted, 2, true))); // softmax's backward
    const dTheta = tf.mul(tf.neg(tf.sum(tf.mul(dLogits, d))), tf.sigmoid(theta));

    const dDistance = tf.mul(dLogits, tf.neg(inverseTemperature));
    const dSquared = distance === "l2" ? tf.div(dDistance, tf.mul(d, 2)) : dDistance;
    // ‖a − P‖² = ‖a‖² − 2 a·P + ‖P‖²
    const dA = tf.mul(
      tf.sub(tf.mul(a, tf.sum(dSquared, 2, true)), tf.matMul(dSquared as tf.Tensor3D, centroids)),
      2,
    );
    const total = tf.sum(dSquared, 1).expandDims(2); // (C, K, 1)
    const dCentroids = tf.mul(
      tf.sub(tf.mul(centroids, total), tf.matMul(dSquared as tf.Tensor3D, a, true, false)),
      2,
    );
    return [dA.transpose([1, 0, 2]).reshape(xShape), dCentroids, dTable, dTheta];
  });
}

/** T_c = P_c W_c: centroids (C, K, V), weight (C·V, M) → real table (C, K, M). Differentiable in both. */
export function tableFromWeight(centroids: tf.Tensor3D, weight: tf.Tensor2D): tf.Tensor3D {
  const [numCodebooks, , subvectorLength] = centroids.shape;
  if (weight.shape[0] !== numCodebooks * subvectorLength)
    throw new LutnnError(
      `tableFromWeight: the weight must have C·V = ${numCodebooks * subvectorLength} rows (got ${weight.shape[0]})`,
    );
  return tf.matMul(
    centroids,
    weight.reshape([numCodebooks, subvectorLength, weight.shape[1]]) as tf.Tensor3D,
  );
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
  const { bias, inverseTemperatureLogit, distance, tableScale } = options;
  const table = tableFromWeight(centroids, weight);
  const y = softPqLookup(x, centroids, table, inverseTemperatureLogit, { distance, tableScale });
  return bias ? tf.add(y, bias) : y;
}
