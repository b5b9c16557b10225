import * as tf from "@tensorflow/tfjs-node";

/** Learning rate as a share of the initial one, at a step of a run of `steps`. */
export type Schedule = (step: number, steps: number) => number;

/** Half a cosine from 1 to 0, changing with every step (SGDR without restarts). */
export const cosine: Schedule = (step, steps) => 0.5 * (1 + Math.cos((Math.PI * step) / steps));

/** Adam whose learning rate can change between steps. */
class ScheduledAdam extends tf.AdamOptimizer {
  setLearningRate(rate: number): void {
    this.learningRate = rate;
  }
}

/** Variables that share a learning rate. */
export interface ParameterGroup {
  variables: tf.Variable[];
  learningRate: number;
}

/** Adam (β 0.9 and 0.999, ε 1e-8) over groups of variables, each with its own learning rate on a common schedule. */
export class GroupedAdam {
  private readonly optimizers: { group: ParameterGroup; adam: ScheduledAdam }[];
  readonly variables: tf.Variable[];

  constructor(
    groups: ParameterGroup[],
    private readonly schedule: Schedule,
    private readonly steps: number,
  ) {
    const used = groups.filter((group) => group.variables.length > 0);
    this.optimizers = used.map((group) => ({
      group,
      adam: new ScheduledAdam(group.learningRate, 0.9, 0.999, 1e-8),
    }));
    this.variables = used.flatMap((group) => group.variables);
  }

  /** One step on a loss; returns the loss and keeps no tensor. A loss that is not finite changes no variable. */
  step(index: number, loss: () => tf.Scalar): number {
    const { value, grads } = tf.variableGrads(loss, this.variables);
    const result = value.dataSync()[0];
    const share = this.schedule(index, this.steps);
    for (const { group, adam } of Number.isFinite(result) ? this.optimizers : []) {
      adam.setLearningRate(group.learningRate * share);
      adam.applyGradients(
        group.variables.map((variable) => ({ name: variable.name, tensor: grads[variable.name] })),
      );
    }
    tf.dispose([value, ...Object.values(grads)]);
    return result;
  }

  dispose(): void {
    for (const { adam } of this.optimizers) adam.dispose();
  }
}

/** The tf.Variables behind layer weights. */
export function variablesOf(weights: tf.layers.Layer["weights"]): tf.Variable[] {
  return weights.map((weight) => {
    const value = weight.read();
    if (!(value instanceof tf.Variable)) throw new TypeError(`${weight.name} is not a variable`);
    return value;
  });
}
