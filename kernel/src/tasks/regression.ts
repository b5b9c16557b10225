import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { describeHead, type Head, outputCount } from "./head";
import { numbersTask } from "./numbers";
import { describeTarget } from "./target";
import type { Task, TaskKind } from "./task";

/**
 * Numbers: mean squared error and mean absolute error. Where the data tell the spread of their values, loss,
 * distillation and divergence are relative to its square, so that they do not depend on the unit: 1 is what always
 * answering the mean would reach.
 */
export const regression: TaskKind = {
  targets: ["values"],
  isNaturalFor: ({ nonlinearity }) => nonlinearity === "none",
  refusal: (head) => (outputCount(head) === null ? "the number of outputs must be known (it is open)" : null),
  build: (head) => regressionTask(head, "", undefined),
};

function regressionTask(head: Head, unit: string, spread: number | undefined): Task {
  const count = outputCount(head)!;
  const scale = spread ? 1 / spread ** 2 : 1;
  return numbersTask(head, {
    description: `${count === 1 ? "a number" : `${count} numbers`} (${describeHead(head, "linear output")})`,
    unit,
    errorUnit: spread ? "of the targets' variance" : unit ? `${unit}²` : "squared error",
    numbers: (outputs) => outputs,
    errors: (outputs, wanted) => tf.mul(tf.squaredDifference(outputs, wanted), scale),
    checkTarget(what, target, dataName) {
      if (target.kind === "values" && target.length === count)
        return regressionTask(head, target.unit ?? unit, target.spread ?? spread);
      throw new LutnnError(
        `${what}: the targets must be ${count === 1 ? "a number" : `${count} numbers`}, as the network has ${count} outputs to learn numbers by (got ${describeTarget(target)} from ${dataName}); give the last layer as many outputs, or other data`,
      );
    },
  });
}
