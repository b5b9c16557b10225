import * as tf from "@tensorflow/tfjs-node";
import { type InputQuantizationTensors, integerScores } from "./integerCodes";
import { floatScores } from "./softPqTfjs";

/**
 * One-hot codes of rows: x (N, C·V), centroids (C, K, V) → codes int32 (N, C) and float32 (N, C·K). No gradient.
 * @param integers of codes that are defined in integers; null for those in float32
 */
function oneHotCodes(
  x: tf.Tensor2D,
  centroids: tf.Tensor3D,
  integers: InputQuantizationTensors | null,
): { codes: tf.Tensor2D; choice: tf.Tensor2D } {
  const [numCodebooks, numCentroids, subvectorLength] = centroids.shape;
  const rows = x.shape[0];
  const byCodebook = x.reshape([rows, numCodebooks, subvectorLength]).transpose([1, 0, 2]) as tf.Tensor3D;
  const scores = integers
    ? integerScores(byCodebook, centroids, integers)
    : floatScores(byCodebook, centroids);
  const codes = tf.argMax(scores, 2).transpose() as tf.Tensor2D; // (N, C)
  const choice = tf.oneHot(codes, numCentroids, 1, 0, "float32").reshape([rows, numCodebooks * numCentroids]);
  return { codes, choice: choice as tf.Tensor2D };
}

/** The gradient of a linear operator's input: dy (…, M), x → dx as x. */
export type InputGradient = (dy: tf.Tensor, x: tf.Tensor) => tf.Tensor;

/**
 * `lookup(x)`, whose gradient to x is `share` times its own and 1 − `share` times that of the linear operator which it
 * stands for: the straight-through estimator of x's quantisation. All other gradients are the lookup's.
 */
export function partlyStraightThrough(
  x: tf.Tensor,
  lookup: (x: tf.Tensor) => tf.Tensor,
  inputGradient: InputGradient,
  share: number,
): tf.Tensor {
  const scaled = tf.customGrad((...args) => ({
    value: (args[0] as tf.Tensor).clone(),
    gradFunc: (dy: tf.Tensor) => tf.mul(dy, share),
  }));
  const joined = tf.customGrad((...args) => {
    const [x, y, save] = args as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([x]);
    return {
      value: y.clone(),
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => [tf.mul(inputGradient(dy, saved), 1 - share), dy],
    };
  });
  return joined(x, lookup(scaled(x)));
}

/**
 * (β Σ‖x − sg(P_code)‖² + γ Σ‖sg(x) − P_code‖²) / Σ‖x − x̄‖², x̄ the mean row and sg the stopped gradient (van den Oord
 * et al., 2017): β moves the input, γ the centroids. A scalar.
 * @param integers how inputs become bytes, where codes are defined in integers
 */
export function commitmentLoss(
  x: tf.Tensor2D,
  centroids: tf.Tensor3D,
  beta: number,
  gamma: number,
  integers: InputQuantizationTensors | null = null,
): tf.Scalar {
  const [numCodebooks, numCentroids, subvectorLength] = centroids.shape;
  const loss = tf.customGrad((...args) => {
    const [x, centroids] = args as [tf.Tensor2D, tf.Tensor3D];
    const save = args[2] as tf.GradSaveFunc;
    const rows = x.shape[0];
    const { codes, choice } = oneHotCodes(x, centroids, integers);
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
