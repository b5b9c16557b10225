import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { describeHead, type Head, outputCount } from "./head";
import { answerDivergence, answerEntropy, answerLogits } from "./rows";
import { meanOf, scoreOf, standardError } from "./score";
import { describeTarget, type TargetSpec } from "./target";
import type { Task, TaskKind } from "./task";

function refusal(head: Head): string | null {
  return head.nonlinearity === "sigmoid" || head.nonlinearity === "none"
    ? null
    : `the outputs must be a sigmoid or logits (they are ${head.activation})`;
}

/** `count` answers an example: sigmoid outputs or logits, binary cross-entropy, the share that is right. */
function answersTask(
  head: Head,
  count: number,
  description: string,
  fits: (target: TargetSpec) => boolean,
  wanted: string,
): Task {
  const probabilities = head.nonlinearity === "sigmoid";
  const rows = (tensor: tf.Tensor) => tf.reshape(tensor, [-1, count]) as tf.Tensor2D;
  const logits = ([output]: tf.Tensor[]) => answerLogits(rows(output), probabilities);
  const task: Task = {
    description: `${description} (${describeHead(head, "logits")})`,
    metric: { name: "accuracy", unit: "%", higherIsBetter: true },
    lossUnit: "nats",
    divergenceUnit: "nats",
    checkTarget(what, target, dataName) {
      if (fits(target)) return task;
      throw new LutnnError(
        `${what}: the targets must be ${wanted}, as the network's outputs are ${task.description} (got ${describeTarget(target)} from ${dataName}); change the last layer, or give other data`,
      );
    },
    loss: (outputs, targets) => tf.mean(answerEntropy(logits(outputs), rows(targets).toFloat())),
    distillation: (outputs, teacher, temperature) =>
      tf.mul(tf.mean(answerDivergence(logits(teacher), logits(outputs), temperature)), temperature ** 2),
    divergence: (exact, outputs) =>
      tf.tidy(() => tf.sum(tf.mean(answerDivergence(logits(exact), logits(outputs), 1), 1)).dataSync()[0]),
    score: (outputs, targets) =>
      scoreOf(() => {
        const said = tf.greater(logits(outputs), 0);
        const right = tf.equal(said, tf.greater(rows(targets), 0.5)).toFloat();
        return { metric: tf.mul(tf.mean(right, 1), 100) };
      }),
    metricOf: meanOf,
    noise: standardError,
  };
  return task;
}

/** Yes or no: one sigmoid output or one logit; learns from two classes (1 is yes) or one answer. */
export const yesNo: TaskKind = {
  targets: ["class", "labels"],
  isNaturalFor: ({ nonlinearity }) => nonlinearity === "sigmoid" || nonlinearity === "none",
  refusal(head) {
    const count = outputCount(head);
    return count === 1 ? refusal(head) : `there must be one output (there are ${count ?? "any number"})`;
  },
  build: (head) =>
    answersTask(
      head,
      1,
      "yes or no",
      (target) =>
        (target.kind === "class" && target.classes === 2) || (target.kind === "labels" && target.count === 1),
      "one of 2 classes or a yes-or-no answer",
    ),
};

/** Several yes-or-no answers: sigmoid outputs or logits, each for itself; losses and divergences are means over them. */
export const labels: TaskKind = {
  targets: ["labels"],
  isNaturalFor: ({ nonlinearity }) => nonlinearity === "sigmoid" || nonlinearity === "none",
  refusal(head) {
    const count = outputCount(head);
    return count !== null && count > 1
      ? refusal(head)
      : `there must be at least 2 outputs of known number (there are ${count ?? "any number"})`;
  },
  build(head) {
    const count = outputCount(head)!;
    const fits = (target: TargetSpec) => target.kind === "labels" && target.count === count;
    return answersTask(head, count, `${count} yes-or-no answers`, fits, `${count} yes-or-no answers`);
  },
};
