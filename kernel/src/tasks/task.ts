import type * as tf from "@tensorflow/tfjs-node";
import type { TargetSpec } from "./target";

/** How good a network is, in the words of its task. */
export interface Metric {
  /** "accuracy", "mean absolute error" and the like. */
  name: string;
  /** "%", "nats", the data's own unit, or "" for a bare number. */
  unit: string;
  higherIsBetter: boolean;
}

/** What follows from some examples' outputs; both are sums, so that batches add up. */
export interface Score {
  /** Sum of what the metric is the mean of, and of the weights that it is divided by. */
  metric: number;
  weight: number;
}

/**
 * What a network is trained for. It owns loss, metric, divergence from a teacher and the noise of the metric; nobody else
 * asks what the last layer is. Outputs are the network's own, in its order.
 */
export interface Task {
  /** As people say it: "one of 10 classes (softmax output)". */
  readonly description: string;
  readonly metric: Metric;
  /** Throws LutnnError when the data's targets are not of this task; `what` opens the sentence. */
  checkTarget(what: string, target: TargetSpec, dataName: string): void;
  /** Mean loss of a batch, differentiable in the outputs. */
  loss(outputs: tf.Tensor[], targets: tf.Tensor, mask?: tf.Tensor2D): tf.Scalar;
  /** Mean distance of softened outputs from a teacher's, times temperature² where there is one; differentiable. */
  distillation(
    outputs: tf.Tensor[],
    teacher: tf.Tensor[],
    temperature: number,
    mask?: tf.Tensor2D,
  ): tf.Scalar;
  /** Sum over the examples of how far outputs are from exact ones, in {@link divergenceUnit}. */
  divergence(exact: tf.Tensor[], outputs: tf.Tensor[], mask?: tf.Tensor2D): number;
  readonly divergenceUnit: string;
  score(outputs: tf.Tensor[], targets: tf.Tensor, mask?: tf.Tensor2D): Score;
  /** The metric of summed scores, in its unit. */
  metricOf(score: Score): number;
  /** Standard error of a metric over `size` examples, in its unit; for metrics that are not shares from the spread seen. */
  noise(metric: number, size: number): number;
}
