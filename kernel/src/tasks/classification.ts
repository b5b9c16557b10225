import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { describeHead, type Head } from "./head";
import { crossEntropy, logProbabilities, relativeEntropy } from "./rows";
import { meanOf, scoreOf, standardError } from "./score";
import { describeTarget } from "./target";
import type { Task, TaskKind } from "./task";

/** One of many classes: softmax outputs or logits, cross-entropy, accuracy. */
export const classification: TaskKind = {
  targets: ["class"],
  isNaturalFor: ({ nonlinearity }) => nonlinearity === "softmax" || nonlinearity === "none",
  refusal({ nonlinearity, activation, units, positions }) {
    if (nonlinearity !== "softmax" && nonlinearity !== "none")
      return `the outputs must be a softmax or logits (they are ${activation})`;
    if (positions !== 1) return `there must be one position (there are ${positions ?? "any number"})`;
    return units !== null && units >= 2
      ? null
      : `there must be at least 2 outputs (there are ${units ?? "any number"})`;
  },
  build(head: Head): Task {
    const classes = head.units!;
    const probabilities = head.nonlinearity === "softmax";
    const logs = ([output]: tf.Tensor[]) =>
      logProbabilities(tf.reshape(output, [-1, classes]) as tf.Tensor2D, probabilities);
    const task: Task = {
      description: `one of ${classes} classes (${describeHead(head, "logits")})`,
      metric: { name: "accuracy", unit: "%", higherIsBetter: true },
      lossUnit: "nats",
      divergenceUnit: "nats",
      checkTarget(what, target, dataName) {
        if (target.kind === "class" && target.classes <= classes) return task;
        throw new LutnnError(
          `${what}: the targets must be one of at most ${classes} classes, as the network has ${classes} outputs (got ${describeTarget(target)} from ${dataName}); give the last layer as many outputs as there are classes, or other data`,
        );
      },
      loss: (outputs, targets) =>
        tf.mean(crossEntropy(logs(outputs), tf.reshape(targets, [-1]) as tf.Tensor1D)),
      distillation: (outputs, teacher, temperature) =>
        tf.mul(tf.mean(relativeEntropy(logs(teacher), logs(outputs), temperature)), temperature ** 2),
      divergence: (exact, outputs) =>
        tf.tidy(() => tf.sum(relativeEntropy(logs(exact), logs(outputs), 1)).dataSync()[0]),
      score: ([output], targets) =>
        scoreOf(() => {
          const chosen = tf.argMax(tf.reshape(output, [-1, classes]), 1);
          return { metric: tf.mul(tf.equal(chosen, tf.reshape(targets, [-1])).toFloat(), 100) };
        }),
      metricOf: meanOf,
      noise: standardError,
    };
    return task;
  },
};
