import * as tf from "@tensorflow/tfjs-node";
import { type Head, outputCount } from "./head";
import { meanOf, scoreOf, standardError } from "./score";
import type { TargetSpec } from "./target";
import type { Task } from "./task";

/** What tasks about numbers differ in. Tensors are float32 (rows, count), one row an example. */
export interface NumbersTask {
  description: string;
  /** Of the metric: the data's own, or "". */
  unit: string;
  /** Of loss, distillation and divergence. */
  errorUnit: string;
  /** The network's outputs as the numbers that it says. */
  numbers(outputs: tf.Tensor2D): tf.Tensor2D;
  /** How far outputs are from numbers, each by itself; differentiable in the outputs. */
  errors(outputs: tf.Tensor2D, wanted: tf.Tensor2D): tf.Tensor;
  checkTarget(what: string, target: TargetSpec, dataName: string): Task;
}

/** A task whose metric is the mean absolute error of the numbers that a network says; padded positions do not count. */
export function numbersTask(head: Head, own: NumbersTask): Task {
  const count = outputCount(head)!;
  const rows = (tensor: tf.Tensor) => tf.reshape(tensor, [-1, count]) as tf.Tensor2D;
  /** 1 for each number that counts, 0 for those at padded positions: (N, count); undefined where all do. */
  const weightsOf = ([output]: tf.Tensor[], mask?: tf.Tensor2D): tf.Tensor2D | undefined => {
    if (!mask || output.rank < 3 || output.shape[1] !== mask.shape[1]) return undefined;
    const each = count / mask.shape[1];
    return rows(tf.tile(tf.expandDims(mask.toFloat(), 2), [1, 1, each]));
  };
  const mean = (errors: tf.Tensor, weights?: tf.Tensor2D): tf.Scalar =>
    weights ? tf.div(tf.sum(tf.mul(errors, weights)), tf.maximum(tf.sum(weights), 1)) : tf.mean(errors);
  const taught = ([outputs]: tf.Tensor[], [teacher]: tf.Tensor[]) =>
    own.errors(rows(outputs), own.numbers(rows(teacher)));
  return {
    description: own.description,
    metric: { name: "mean absolute error", unit: own.unit, higherIsBetter: false },
    lossUnit: own.errorUnit,
    divergenceUnit: own.errorUnit,
    checkTarget: own.checkTarget,
    loss: (outputs, targets, mask) =>
      mean(own.errors(rows(outputs[0]), rows(targets)), weightsOf(outputs, mask)),
    distillation: (outputs, teacher, _temperature, mask) =>
      mean(taught(outputs, teacher), weightsOf(outputs, mask)),
    divergence: (exact, outputs, mask) =>
      tf.tidy(() => {
        const weights = weightsOf(outputs, mask) ?? tf.onesLike(rows(outputs[0]));
        const errors = tf.sum(tf.mul(taught(outputs, exact), weights), 1);
        return tf.sum(tf.div(errors, tf.maximum(tf.sum(weights, 1), 1))).dataSync()[0];
      }),
    score: (outputs, targets, mask) =>
      scoreOf(() => {
        const weights = weightsOf(outputs, mask);
        const errors = tf.abs(tf.sub(own.numbers(rows(outputs[0])), rows(targets)));
        if (!weights) return { metric: tf.mean(errors, 1) };
        return { metric: tf.sum(tf.mul(errors, weights), 1), weight: tf.sum(weights, 1) };
      }),
    metricOf: meanOf,
    noise: standardError,
  };
}
