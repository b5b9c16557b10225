import type * as tf from "@tensorflow/tfjs-node";
import type { Head } from "./head";
import type { Score } from "./score";
import type { TargetSpec } from "./target";

/** What tells how good a network is, in the words of its task. */
export interface Metric {
  /** "accuracy", "mean absolute error" and the like. */
  name: string;
  /** "%", the data's own unit, or "" for a bare number. */
  unit: string;
  higherIsBetter: boolean;
}

/**
 * What a network is trained for. It owns loss, metric, divergence from a teacher and the noise of the metric; nobody else
 * asks what the last layer is. Outputs are the network's own, in its order; masks are int32 or bool (N, positions), 0
 * where a position is padding, and count only where outputs have such positions.
 */
export interface Task {
  /** As people say it: "one of 10 classes (softmax of layer fc)". */
  readonly description: string;
  /** True where data must tell which of several tasks it is: until then it has no metric, loss or score. */
  readonly isOpen?: boolean;
  readonly metric: Metric;
  readonly lossUnit: string;
  readonly divergenceUnit: string;
  /**
   * The task on data with these targets: itself, or what the data make of a task that the network's end leaves open.
   * Throws LutnnError when the targets are not of this task; `what` opens the sentence, `dataName` is the data's.
   */
  checkTarget(what: string, target: TargetSpec, dataName: string): Task;
  /** Mean loss of a batch, differentiable in the outputs. Targets as their {@link TargetSpec} says. */
  loss(outputs: tf.Tensor[], targets: tf.Tensor, mask?: tf.Tensor2D): tf.Scalar;
  /**
   * Mean divergence of outputs from a teacher's; where they are probabilities both are softened by a temperature and the
   * result times temperature², so that its gradient keeps its size. Differentiable in the outputs.
   */
  distillation(
    outputs: tf.Tensor[],
    teacher: tf.Tensor[],
    temperature: number,
    mask?: tf.Tensor2D,
  ): tf.Scalar;
  /** Sum over the examples of how far outputs are from exact ones, in {@link divergenceUnit}; keeps no tensor. */
  divergence(exact: tf.Tensor[], outputs: tf.Tensor[], mask?: tf.Tensor2D): number;
  /** Keeps no tensor. */
  score(outputs: tf.Tensor[], targets: tf.Tensor, mask?: tf.Tensor2D): Score;
  /** The metric of summed scores, and its standard error, in the metric's unit. */
  metricOf(score: Score): number;
  noise(score: Score): number;
}

/** A kind of task: what of a network's end it needs, and the task on that. */
export interface TaskKind {
  /** Kinds of targets that it learns from. */
  readonly targets: readonly TargetSpec["kind"][];
  /** Whether a network's end says by itself that this is the task, or one of several; else it must be asked for by name. */
  isNaturalFor(head: Head): boolean;
  /** Why a network that ends so cannot have this task, as "what must be (what is)"; null when it can. */
  refusal(head: Head): string | null;
  build(head: Head): Task;
}
