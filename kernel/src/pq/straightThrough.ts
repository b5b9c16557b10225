import * as tf from "@tensorflow/tfjs-node";
import type { TableBits, TableScaleMode } from "./lookupTable";
import { quantizeTableTensor } from "./softPqTfjs";

/** One-hot codes of rows: x (N, C·V), centroids (C, K, V) → codes int32 (N, C) and float32 (N, C·K). No gradient. */
function oneHotCodes(x: tf.Tensor2D, centroids: tf.Tensor3D): { codes: tf.Tensor2D; choice: tf.Tensor2D } {
  const [numCodebooks, numCentroids, subvectorLength] = centroids.shape;
  const rows = x.shape[0];
  const byCodebook = x.reshape([rows, numCodebooks, subvectorLength]).transpose([1, 0, 2]) as tf.Tensor3D;
  const halfNorms = tf.mul(tf.sum(tf.square(centroids), 2), 0.5).expandDims(1); // (C, 1, K)
  const scores = tf.sub(tf.matMul(byCodebook, centroids, false, true), halfNorms); // (C, N, K)
  const codes = tf.argMax(scores, 2).transpose() as tf.Tensor2D; // (N, C)
  const choice = tf.oneHot(codes, numCentroids, 1, 0, "float32").reshape([rows, numCodebooks * numCentroids]);
  return { codes, choice: choice as tf.Tensor2D };
}

/**
 * The hard lookup as a function of the table alone: forward what the INT8 table gives, backward the sum of the output's
 * gradients over the rows that chose an entry. x and centroids get no gradient.
 * x (N, C·V), centroids (C, K, V), table (C, K, M) → (N, M).
 */
export function hardLookup(
  x: tf.Tensor2D,
  centroids: tf.Tensor3D,
  table: tf.Tensor3D,
  tableScale: TableScaleMode,
  tableBits: TableBits = 8,
): tf.Tensor2D {
  const outputs = table.shape[2];
  const lookup = tf.customGrad((...args) => {
    const [x, centroids, table] = args as [tf.Tensor2D, tf.Tensor3D, tf.Tensor3D];
    const save = args[3] as tf.GradSaveFunc;
    const { choice } = oneHotCodes(x, centroids);
    const { values, scale } = quantizeTableTensor(table, tableScale, tableBits);
    save([x, centroids, table, choice]);
    return {
      value: tf.mul(tf.matMul(choice, values.reshape([-1, outputs]) as tf.Tensor2D), scale),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => [
        tf.zerosLike(saved[0]),
        tf.zerosLike(saved[1]),
        tf.matMul(saved[3] as tf.Tensor2D, dy as tf.Tensor2D, true, false).reshape(saved[2].shape),
      ],
    };
  });
  return lookup(x, centroids, table) as tf.Tensor2D;
}

/** `value` forward; backward its gradient goes to `value` and to `path` alike. Both of one shape. */
export function straightThrough(value: tf.Tensor, path: tf.Tensor): tf.Tensor {
  const pass = tf.customGrad((...args) => ({
    value: (args[0] as tf.Tensor).clone(),
    gradFunc: (dy: tf.Tensor) => [dy, dy],
  }));
  return pass(value, path);
}

/**
 * (β Σ‖x − sg(P_code)‖² + γ Σ‖sg(x) − P_code‖²) / Σ‖x − x̄‖², x̄ the mean row and sg the stopped gradient (van den Oord
 * et al., 2017): β moves the input, γ the centroids. A scalar.
 */
export function commitmentLoss(
  x: tf.Tensor2D,
  centroids: tf.Tensor3D,
  beta: number,
  gamma: number,
): tf.Scalar {
  const [numCodebooks, numCentroids, subvectorLength] = centroids.shape;
  const loss = tf.customGrad((...args) => {
    const [x, centroids] = args as [tf.Tensor2D, tf.Tensor3D];
    const save = args[2] as tf.GradSaveFunc;
    const rows = x.shape[0];
    const { codes, choice } = oneHotCodes(x, centroids);
    const offsets = tf.mul(tf.range(0, numCodebooks, 1, "int32"), numCentroids);
    const flat = centroids.reshape([numCodebooks * numCentroids, subvectorLength]);
    const decoded = tf.gather(flat, tf.add(codes, offsets).toInt()).reshape([rows, -1]); // (N, C·V)
    const difference = tf.sub(x, decoded);
    const variance = tf.add(tf.sum(tf.squaredDifference(x, tf.mean(x, 0))), 1e-12);
    save([difference, choice, variance]);
    return {
      value: tf.div(tf.mul(tf.sum(tf.square(difference)), beta + gamma), variance),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [difference, choice, variance] = saved;
        const unit = tf.div(tf.mul(dy, 2), variance);
        const parts = difference.reshape([rows, numCodebooks, subvectorLength]).transpose([1, 2, 0]); // (C, V, N)
        const byCodebook = choice.reshape([rows, numCodebooks, numCentroids]).transpose([1, 0, 2]); // (C, N, K)
        const sums = tf.matMul(parts as tf.Tensor3D, byCodebook as tf.Tensor3D).transpose([0, 2, 1]); // (C, K, V)
        return [tf.mul(difference, tf.mul(unit, beta)), tf.mul(sums, tf.mul(unit, -gamma))];
      },
    };
  });
  return loss(x, centroids) as tf.Scalar;
}
