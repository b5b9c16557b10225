import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { describeHead, type Head, outputCount } from "./head";
import { meanOf, scoreOf, standardError } from "./score";
import { describeTarget } from "./target";
import type { Task, TaskKind } from "./task";

/**
 * Numbers: mean squared error and mean absolute error. Where the data tell the spread of their values, loss,
 * distillation and divergence are relative to its square, so that they do not depend on the unit: 1 is what always
 * answering the mean would reach.
 */
export const regression: TaskKind = {
  targets: ["values"],
  naturalFor: ["none"],
  refusal: (head) => (outputCount(head) === null ? "the number of outputs must be known (it is open)" : null),
  build: (head) => regressionTask(head, "", undefined),
};

function regressionTask(head: Head, unit: string, spread: number | undefined): Task {
  const count = outputCount(head)!;
  const scale = spread ? 1 / spread ** 2 : 1;
  const rows = (tensor: tf.Tensor) => tf.reshape(tensor, [-1, count]) as tf.Tensor2D;
  /** 1 for each number that counts, 0 for those at padded positions: (N, count); undefined where all do. */
  const weightsOf = ([output]: tf.Tensor[], mask?: tf.Tensor2D): tf.Tensor2D | undefined => {
    if (!mask || output.rank < 3 || output.shape[1] !== mask.shape[1]) return undefined;
    const each = count / mask.shape[1];
    return rows(tf.tile(tf.expandDims(mask.toFloat(), 2), [1, 1, each]));
  };
  const mean = (errors: tf.Tensor, weights?: tf.Tensor2D): tf.Scalar =>
    weights ? tf.div(tf.sum(tf.mul(errors, weights)), tf.maximum(tf.sum(weights), 1)) : tf.mean(errors);
  const squares = ([a]: tf.Tensor[], b: tf.Tensor) => tf.squaredDifference(rows(a), rows(b));
  const squareUnit = spread ? "of the targets' variance" : unit ? `${unit}²` : "squared error";
  const task: Task = {
    description: `${count === 1 ? "a number" : `${count} numbers`} (${describeHead(head, "linear output")})`,
    metric: { name: "mean absolute error", unit, higherIsBetter: false },
    lossUnit: squareUnit,
    divergenceUnit: squareUnit,
    checkTarget(what, target, dataName) {
      if (target.kind === "values" && target.length === count)
        return regressionTask(head, target.unit ?? unit, target.spread ?? spread);
      throw new LutnnError(
        `${what}: the targets must be ${count === 1 ? "a number" : `${count} numbers`}, as the network has ${count} outputs to learn numbers by (got ${describeTarget(target)} from ${dataName}); give the last layer as many outputs, or other data`,
      );
    },
    loss: (outputs, targets, mask) =>
      tf.mul(mean(squares(outputs, targets), weightsOf(outputs, mask)), scale),
    distillation: (outputs, teacher, _temperature, mask) =>
      tf.mul(mean(squares(outputs, teacher[0]), weightsOf(outputs, mask)), scale),
    divergence: (exact, outputs, mask) =>
      tf.tidy(() => {
        const weights = weightsOf(outputs, mask) ?? tf.onesLike(rows(outputs[0]));
        const errors = tf.sum(tf.mul(squares(outputs, exact[0]), weights), 1);
        return tf.sum(tf.div(errors, tf.maximum(tf.sum(weights, 1), 1))).dataSync()[0] * scale;
      }),
    score: (outputs, targets, mask) =>
      scoreOf(() => {
        const weights = weightsOf(outputs, mask);
        const errors = tf.abs(tf.sub(rows(outputs[0]), rows(targets)));
        if (!weights) return { metric: tf.mean(errors, 1) };
        return { metric: tf.sum(tf.mul(errors, weights), 1), weight: tf.sum(weights, 1) };
      }),
    metricOf: meanOf,
    noise: standardError,
  };
  return task;
}
