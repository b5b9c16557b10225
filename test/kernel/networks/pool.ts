import { tf } from "lutnn";
import type { Draw } from "./draw";

export type Value = tf.SymbolicTensor;

/** Lengths after the batch. */
export const shapeOf = (value: Value): number[] => value.shape.slice(1) as number[];

const count = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** How inputs of ones and zeros are called. */
export const maskPrefix = "mask";

/** Numbers of one example that a value may have: networks stay tiny. */
const most = 400;

/** The values of a network that is being made, and the layers that made them. */
export class Pool {
  readonly values: Value[];
  readonly inputs: Value[];
  /** Layers that can be used again, and what they were made for. */
  private readonly layers: { layer: tf.layers.Layer; shape: string; dtype: string }[] = [];
  private readonly read = new Set<Value>();

  /** @param names gives every layer of the whole network a name of its own, or one that another level has too */
  constructor(
    inputs: readonly Value[],
    readonly names: () => string,
    /**
     * Whether layers may make masks. Not in and around nested networks: TensorFlow.js hands no mask across their border,
     * laid open it would go on. Nor beside layers that use one: it hands a mask to whatever it computes later.
     */
    readonly masks: boolean,
    /** Whether its network may take further inputs: not one inside another. */
    private readonly outermost = false,
  ) {
    this.inputs = [...inputs];
    this.values = [...inputs];
  }

  /** A further input that says which positions of a sequence are real; null in a nested network. */
  newMask(positions: number, dtype: "float32" | "int32"): Value | null {
    if (!this.outermost) return null;
    const mask = tf.input({ shape: [positions], dtype, name: `${maskPrefix}${this.inputs.length}` });
    this.inputs.push(mask);
    this.values.push(mask);
    return mask;
  }

  /** A value that is fit for a step, later ones more often; null when there is none. */
  pick(draw: Draw, fits: (shape: number[], value: Value) => boolean): Value | null {
    const found = this.values.filter((value) => fits(shapeOf(value), value));
    if (found.length === 0) return null;
    const [a, b] = [draw, draw].map((one) => found.length - 1 - one.integer(0, found.length - 1));
    return found[Math.max(a, b)];
  }

  /** One or two more float32 values for a merge; none where there are none. */
  pickOthers(draw: Draw, x: Value, fits: (shape: number[]) => boolean): Value[] {
    const others: Value[] = [];
    for (let i = draw.integer(1, 2); i > 0; i--) {
      const other = this.pick(
        draw,
        (shape, value) => value.dtype === "float32" && value !== x && !others.includes(value) && fits(shape),
      );
      if (other) others.push(other);
    }
    return others;
  }

  /** Applies a layer and keeps what it makes; null when tf.js refuses, or the value would be large. */
  apply(layer: tf.layers.Layer, inputs: Value | Value[]): Value | null {
    const given = Array.isArray(inputs) ? inputs : [inputs];
    // TensorFlow.js frees a value too early that stands twice in one call and is read by another.
    if (new Set(given).size < given.length) return null;
    let made: Value;
    try {
      made = layer.apply(inputs) as Value;
    } catch {
      return null;
    }
    const shape = shapeOf(made);
    if (shape.some((length) => !(length > 0)) || count(shape) > most) return null;
    if (given.length === 1) this.layers.push({ layer, shape: given[0].shape.join(), dtype: given[0].dtype });
    for (const input of given) this.read.add(input);
    this.values.push(made);
    return made;
  }

  /** A layer that is there already, and a value that it can take. */
  again(draw: Draw): { layer: tf.layers.Layer; input: Value } | null {
    const pairs = this.layers.flatMap(({ layer, shape, dtype }) =>
      this.values
        .filter((value) => value.shape.join() === shape && value.dtype === dtype)
        .map((input) => ({ layer, input })),
    );
    return pairs.length === 0 ? null : draw.of(pairs);
  }

  /** What nothing reads yet. */
  get ends(): Value[] {
    return this.values.filter((value) => !this.read.has(value));
  }
}
