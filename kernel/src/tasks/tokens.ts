import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { describeHead, type Head } from "./head";
import { crossEntropy, logProbabilities, relativeEntropy } from "./rows";
import { meanOf, scoreOf, standardError } from "./score";
import { describeTarget } from "./target";
import type { Task, TaskKind } from "./task";

/** One of many classes at every position: softmax outputs or logits; padding and targets below 0 never count. */
export const tokens: TaskKind = {
  targets: ["tokens"],
  isNaturalFor: ({ nonlinearity }) => nonlinearity === "softmax" || nonlinearity === "none",
  refusal({ nonlinearity, activation, units, positions }) {
    if (nonlinearity !== "softmax" && nonlinearity !== "none")
      return `the outputs must be a softmax or logits (they are ${activation})`;
    if (positions === 1) return "there must be positions, each with outputs of its own (there is one)";
    return units !== null && units >= 2
      ? null
      : `there must be at least 2 outputs a position (there are ${units ?? "any number"})`;
  },
  build(head: Head): Task {
    const { positions } = head;
    const classes = head.units!;
    const probabilities = head.nonlinearity === "softmax";
    const logs = ([output]: tf.Tensor[]) =>
      logProbabilities(tf.reshape(output, [-1, classes]) as tf.Tensor2D, probabilities);
    /** (N · positions): 1 where a token is real. */
    const real = ([output]: tf.Tensor[], mask?: tf.Tensor2D): tf.Tensor1D => {
      const count = output.size / classes;
      if (!mask) return tf.ones([count]);
      if (mask.size !== count)
        throw new LutnnError(
          `a token task: the mask must have ${count / output.shape[0]} positions as the outputs (got ${mask.shape[1]})`,
        );
      return tf.reshape(mask, [-1]).toFloat() as tf.Tensor1D;
    };
    const learnt = (outputs: tf.Tensor[], targets: tf.Tensor, mask?: tf.Tensor2D): tf.Tensor1D =>
      tf.mul(real(outputs, mask), tf.greaterEqual(tf.reshape(targets, [-1]), 0).toFloat());
    const mean = (values: tf.Tensor1D, weights: tf.Tensor1D): tf.Scalar =>
      tf.div(tf.sum(tf.mul(values, weights)), tf.maximum(tf.sum(weights), 1));
    /** Sums of each example's tokens: (N). */
    const byExample = (values: tf.Tensor, size: number) => tf.sum(tf.reshape(values, [size, -1]), 1);
    const where = positions === null ? "at every position" : `at each of ${positions} positions`;
    const task: Task = {
      description: `one of ${classes} classes ${where} (${describeHead(head, "logits")})`,
      metric: { name: "accuracy", unit: "%", higherIsBetter: true },
      lossUnit: "nats a token",
      divergenceUnit: "nats a token",
      checkTarget(what, target, dataName) {
        const fits =
          target.kind === "tokens" &&
          target.classes <= classes &&
          (positions === null || target.length === positions);
        if (fits) return task;
        throw new LutnnError(
          `${what}: the targets must be one of at most ${classes} classes ${where}, as the network's outputs are (got ${describeTarget(target)} from ${dataName}); change the last layer, or give other data`,
        );
      },
      loss: (outputs, targets, mask) =>
        mean(
          crossEntropy(logs(outputs), tf.reshape(targets, [-1]) as tf.Tensor1D),
          learnt(outputs, targets, mask),
        ),
      distillation: (outputs, teacher, temperature, mask) =>
        tf.mul(
          mean(relativeEntropy(logs(teacher), logs(outputs), temperature), real(outputs, mask)),
          temperature ** 2,
        ),
      divergence: (exact, outputs, mask) =>
        tf.tidy(() => {
          const size = outputs[0].shape[0];
          const weights = real(outputs, mask);
          const sums = byExample(tf.mul(relativeEntropy(logs(exact), logs(outputs), 1), weights), size);
          return tf.sum(tf.div(sums, tf.maximum(byExample(weights, size), 1))).dataSync()[0];
        }),
      score: (outputs, targets, mask) =>
        scoreOf(() => {
          const size = outputs[0].shape[0];
          const weights = learnt(outputs, targets, mask);
          const chosen = tf.argMax(tf.reshape(outputs[0], [-1, classes]), 1);
          const right = tf.mul(tf.equal(chosen, tf.reshape(targets, [-1])).toFloat(), weights);
          return { metric: tf.mul(byExample(right, size), 100), weight: byExample(weights, size) };
        }),
      metricOf: meanOf,
      noise: standardError,
    };
    return task;
  },
};
