import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";

/** Adam (Kingma and Ba, 2015; β 0.9 and 0.999, ε 1e-8) or stochastic gradient descent with momentum 0.9. */
export type Algorithm = "adam" | "sgd";

/** Variables that share a learning rate. */
export interface ParameterGroup {
  variables: tf.Variable[];
  learningRate: number;
  /** With Adam decoupled (AdamW), with SGD added to the gradient. Default 0. */
  weightDecay?: number;
}

const [beta1, beta2, epsilon, momentum] = [0.9, 0.999, 1e-8, 0.9];

/** One group with its slots: all variables and moments as flat vectors, so that a step is few operations. */
class FlatGroup {
  readonly sizes: number[];
  /** Adam: first and second moment; SGD: velocity. Each (Σ sizes). */
  slots: tf.Tensor1D[];

  constructor(
    readonly group: ParameterGroup,
    readonly algorithm: Algorithm,
  ) {
    this.sizes = group.variables.map((variable) => variable.size);
    const total = this.sizes.reduce((sum, size) => sum + size, 0);
    this.slots = Array.from({ length: algorithm === "adam" ? 2 : 1 }, () => tf.zeros([total]));
  }

  /** Moves the variables by one step at a learning rate; `count` is the number of this step, from 1. */
  apply(gradients: tf.NamedTensorMap, learningRate: number, count: number): void {
    const { variables, weightDecay = 0 } = this.group;
    const old = this.slots;
    this.slots = tf.tidy(() => {
      const flat = (tensors: tf.Tensor[]) =>
        tf.concat1d(tensors.map((tensor) => tensor.reshape([-1]) as tf.Tensor1D));
      // A variable that the loss does not reach has no gradient and stays.
      const gradient = flat(variables.map((variable) => gradients[variable.name] ?? tf.zerosLike(variable)));
      let slots: tf.Tensor1D[];
      let change: tf.Tensor1D;
      if (this.algorithm === "adam") {
        const first = tf.add(tf.mul(old[0], beta1), tf.mul(gradient, 1 - beta1)) as tf.Tensor1D;
        const second = tf.add(tf.mul(old[1], beta2), tf.mul(tf.square(gradient), 1 - beta2)) as tf.Tensor1D;
        slots = [first, second];
        const scale = learningRate / (1 - beta1 ** count);
        const root = tf.sqrt(tf.mul(second, 1 / (1 - beta2 ** count)));
        change = tf.div(tf.mul(first, scale), tf.add(root, epsilon));
        if (weightDecay > 0) change = tf.add(change, tf.mul(flat(variables), learningRate * weightDecay));
      } else {
        const pull = weightDecay > 0 ? tf.add(gradient, tf.mul(flat(variables), weightDecay)) : gradient;
        const velocity = tf.add(tf.mul(old[0], momentum), pull) as tf.Tensor1D;
        slots = [velocity];
        change = tf.mul(velocity, learningRate);
      }
      tf.split(change, this.sizes).forEach((part, i) => {
        variables[i].assign(tf.sub(variables[i], part.reshape(variables[i].shape)));
      });
      return slots;
    });
    tf.dispose(old);
  }
}

/**
 * An optimiser over groups of variables. Its state is a step count and flat slots, so that a stopped run goes on bit for
 * bit: tf.js' own Adam keeps powers of β by repeated multiplication and restores them by one power.
 */
export class Optimizer {
  private readonly groups: FlatGroup[];
  private count = 0;

  constructor(groups: ParameterGroup[], algorithm: Algorithm) {
    this.groups = groups
      .filter((group) => group.variables.length > 0)
      .map((group) => new FlatGroup(group, algorithm));
  }

  /**
   * One step on a loss, learning rates times `share`. Returns the loss and keeps no tensor; a loss that is not finite
   * changes nothing.
   */
  step(share: number, loss: () => tf.Scalar): number {
    const variables = this.groups.flatMap(({ group }) => group.variables);
    const { value, grads } = tf.variableGrads(loss, variables);
    const result = value.dataSync()[0];
    if (Number.isFinite(result)) {
      this.count++;
      for (const group of this.groups) group.apply(grads, group.group.learningRate * share, this.count);
    }
    tf.dispose([value, ...Object.values(grads)]);
    return result;
  }

  /** Steps taken and all slots, group by group. */
  state(): { count: number; slots: Float32Array[] } {
    const slots = this.groups.flatMap((group) => group.slots.map((slot) => slot.dataSync() as Float32Array));
    return { count: this.count, slots };
  }

  /** Goes on from a saved state. */
  restore({ count, slots }: { count: number; slots: Float32Array[] }): void {
    const wanted = this.groups.flatMap((group) => group.slots.map((slot) => slot.size));
    if (wanted.join() !== slots.map((slot) => slot.length).join())
      throw new LutnnError(
        `the optimiser's slots must have ${wanted.join(", ") || "no"} numbers (got ${slots.map((slot) => slot.length).join(", ") || "none"})`,
      );
    let at = 0;
    for (const group of this.groups) {
      tf.dispose(group.slots);
      group.slots = group.slots.map(() => tf.tensor1d(slots[at++]));
    }
    this.count = count;
  }

  dispose(): void {
    tf.dispose(this.groups.flatMap((group) => group.slots));
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
