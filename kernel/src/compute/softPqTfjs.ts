// The soft-PQ lookup in tf.js' own operations: the fallback where the native operators are not there, and their oracle.

import * as tf from "@tensorflow/tfjs-node";
import { largestInteger, type TableBits, type TableScaleMode } from "../pq/lookupTable";
import { imageWindows } from "./imageWindows";
import { integerScores } from "./integerCodes";
import type { SoftDistance, SoftLookupCall } from "./softPqCall";

/** Keeps the gradient of ‖a − P‖ finite where a sub-vector sits on a centroid. */
const distanceFloor = 1e-8;

/** Quantised table as integers in float32 (C, K, M) and its scale (M) or (); the tf.js form of `quantizeTable`. */
export function quantizeTableTensor(
  table: tf.Tensor3D,
  mode: TableScaleMode,
  bits: TableBits = 8,
): { values: tf.Tensor3D; scale: tf.Tensor } {
  if (bits === "float") return { values: table, scale: tf.scalar(1) };
  return tf.tidy(() => {
    const limit = largestInteger(bits);
    const largest = tf.max(tf.abs(table), mode === "output" ? [0, 1] : undefined);
    const scale = tf.where(tf.greater(largest, 0), tf.div(largest, limit), tf.onesLike(largest));
    const values = tf.clipByValue(tf.round(tf.div(table, scale)), -limit, limit) as tf.Tensor3D;
    return { values, scale };
  });
}

/** T_c = P_c W_c: centroids (C, K, V), weight (C·V, M) → (C, K, M). */
export function multiplyByCentroids(centroids: tf.Tensor3D, weight: tf.Tensor2D): tf.Tensor3D {
  const [numCodebooks, , subvectorLength] = centroids.shape;
  return tf.matMul(
    centroids,
    weight.reshape([numCodebooks, subvectorLength, weight.shape[1]]) as tf.Tensor3D,
  );
}

/** x·P − ½‖P‖² of sub-vectors x (C, N, V) and centroids (C, K, V): float32 (C, N, K). */
export function floatScores(x: tf.Tensor3D, centroids: tf.Tensor3D): tf.Tensor3D {
  const halfNorms = tf.mul(tf.sum(tf.square(centroids), 2), 0.5).expandDims(1); // (C, 1, K)
  return tf.sub(tf.matMul(x, centroids, false, true), halfNorms);
}

/** See {@link SoftLookupCall}; with [N, C, K] and [N, C·K] arrays, kept for the backward pass. */
export function softLookupTfjs(call: SoftLookupCall): tf.Tensor {
  const { x, window, centroids, parameter, inverseTemperatureLogit, distance, tableScale, tableBits } = call;
  const { integers } = call;
  const outputs = parameter.tensor.shape[parameter.tensor.rank - 1];
  const [numCodebooks, numCentroids, subvectorLength] = centroids.shape;
  const images = window && imageWindows(x as tf.Tensor4D, window);
  const rows = images ? images.rows : (x as tf.Tensor2D);
  const table =
    parameter.kind === "table" ? parameter.tensor : multiplyByCentroids(centroids, parameter.tensor);

  // (N, C·V) → (C, N, V)
  const byCodebook = (t: tf.Tensor) =>
    t.reshape([rows.shape[0], numCodebooks, subvectorLength]).transpose([1, 0, 2]) as tf.Tensor3D;

  const lookup = tf.customGrad((...args) => {
    const [x, centroids, table, theta] = args as [tf.Tensor2D, tf.Tensor3D, tf.Tensor3D, tf.Scalar];
    const save = args[4] as tf.GradSaveFunc;
    const scores = floatScores(byCodebook(x), centroids);
    const chosen = integers ? integerScores(byCodebook(x), centroids, integers) : scores;
    const codes = tf.argMax(chosen, 2).transpose() as tf.Tensor2D; // (N, C)
    const choice = tf
      .oneHot(codes, numCentroids, 1, 0, "float32")
      .reshape([rows.shape[0], numCodebooks * numCentroids]);
    const { values, scale } = quantizeTableTensor(table, tableScale, tableBits);
    const sums = tf.matMul(
      choice as tf.Tensor2D,
      values.reshape([numCodebooks * numCentroids, outputs]) as tf.Tensor2D,
    );
    save([x, centroids, table, theta, scores]);
    return {
      value: tf.mul(sums, scale),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        softBackward(dy as tf.Tensor2D, saved, byCodebook, distance, rows.shape),
    };
  });
  const y = lookup(rows, centroids, table, inverseTemperatureLogit);
  return images ? y.reshape([x.shape[0], ...images.outputSize, outputs]) : y;
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
