import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { describeHead, type Head, outputCount } from "./head";
import { numbersTask } from "./numbers";
import { describeTarget } from "./target";
import type { Task, TaskKind } from "./task";

/** Smallest rate whose logarithm is taken. */
const least = 1e-7;

const isRate = ({ nonlinearity, activation }: Head) => nonlinearity === "other" && activation === "softplus";

/**
 * Counts, as whole numbers from 0 that are Poisson distributed: the outputs are their rates (softplus) or, where the task
 * is asked for by name, the logarithms of their rates (linear outputs). Loss, distillation and divergence are the
 * relative entropy y·log(y / rate) − y + rate of Poisson distributions, in nats, which is half the deviance: 0 is exact.
 */
export const counts: TaskKind = {
  targets: ["values"],
  isNaturalFor: isRate,
  refusal(head) {
    if (!isRate(head) && head.nonlinearity !== "none")
      return `the outputs must be rates by softplus or logarithms of rates (they are ${head.activation})`;
    return outputCount(head) === null ? "the number of outputs must be known (it is open)" : null;
  },
  build: (head) => countsTask(head, ""),
};

function countsTask(head: Head, unit: string): Task {
  const count = outputCount(head)!;
  const byLogarithm = !isRate(head);
  const words = count === 1 ? "a count" : `${count} counts`;
  const rates = (outputs: tf.Tensor2D) => (byLogarithm ? tf.exp(outputs) : outputs);
  const logarithms = (values: tf.Tensor2D) => tf.log(tf.maximum(values, least));
  return numbersTask(head, {
    description: `${words} (${describeHead(head, "logarithm of the rate, linear output")})`,
    unit,
    errorUnit: "nats",
    numbers: rates,
    errors: (outputs, wanted) => {
      const logs = byLogarithm ? outputs : logarithms(outputs);
      const entropy = tf.mul(wanted, tf.sub(logarithms(wanted), logs));
      return tf.add(entropy, tf.sub(rates(outputs), wanted));
    },
    checkTarget(what, target, dataName) {
      if (target.kind === "values" && target.counts && target.length === count)
        return countsTask(head, target.unit ?? unit);
      throw new LutnnError(
        `${what}: the targets must be ${words}, whole numbers from 0 (got ${describeTarget(target)} from ${dataName}); say { counts: true } in their target where they are such, or pass { task: "regression" } for other numbers`,
      );
    },
  });
}
