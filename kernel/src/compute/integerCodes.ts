// The codes of pq/integerCodes.ts inside TensorFlow, while their centroids are trained. Every number is an integer below 2²⁴ or
// rounded as there, so the codes are the same ones.

import * as tf from "@tensorflow/tfjs-node";
import { MAX_CENTROID, MAX_HALF_NORM } from "../pq/integerCodes";

/** How inputs become bytes; see InputQuantization. */
export interface InputQuantizationTensors {
  scale: tf.Scalar;
  zeroPoint: tf.Scalar;
}

/** q − zeroPoint as float32, of x of any shape. */
export const quantizeInputTensor = (
  x: tf.Tensor,
  { scale, zeroPoint }: InputQuantizationTensors,
): tf.Tensor =>
  tf.tidy(() => tf.sub(tf.clipByValue(tf.add(tf.round(tf.div(x, scale)), zeroPoint), 0, 255), zeroPoint));

/** Centroids float32 (C, K, V) → int8 centroids and half norms (C, K), as float32. */
export function quantizeCodebooksTensor(
  centroids: tf.Tensor3D,
  inputScale: tf.Scalar,
): { centroids: tf.Tensor3D; halfNorms: tf.Tensor2D } {
  return tf.tidy(() => {
    const steps = tf.div(tf.max(tf.abs(centroids), [1, 2], true), MAX_CENTROID); // (C, 1, 1)
    const scale = tf.where(tf.greater(steps, 0), steps, tf.onesLike(steps));
    const whole = tf.clipByValue(tf.round(tf.div(centroids, scale)), -MAX_CENTROID, MAX_CENTROID);
    const halfSquares = tf.mul(tf.sum(tf.square(whole), 2), 0.5); // (C, K)
    const ratio = tf.div(scale, inputScale).reshape([-1, 1]); // (C, 1)
    const halfNorms = tf.minimum(tf.round(tf.mul(halfSquares, ratio)), MAX_HALF_NORM);
    return { centroids: whole as tf.Tensor3D, halfNorms: halfNorms as tf.Tensor2D };
  });
}

/** Scores of sub-vectors x (C, N, V): float32 (C, N, K), all of them integers. */
export function integerScores(
  x: tf.Tensor3D,
  centroids: tf.Tensor3D,
  input: InputQuantizationTensors,
): tf.Tensor3D {
  return tf.tidy(() => {
    const books = quantizeCodebooksTensor(centroids, input.scale);
    const products = tf.matMul(quantizeInputTensor(x, input) as tf.Tensor3D, books.centroids, false, true);
    return tf.sub(products, books.halfNorms.expandDims(1)) as tf.Tensor3D;
  });
}
