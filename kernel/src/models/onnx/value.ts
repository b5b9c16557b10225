import type * as tf from "@tensorflow/tfjs-node";

/** Element types as this library tells them apart; `bool` is 0 or 1. */
export type NumberType = "float32" | "int64" | "bool";

/** A tensor that is known: a weight, or what follows from weights and lengths. */
export interface Constant {
  kind: "constant";
  type: NumberType;
  dims: number[];
  /** Row-major as the file has it. */
  data: ArrayLike<number>;
  /** What comes on top for each example in the batch: a number that is read from a length is data + perExample · N. */
  perExample?: ArrayLike<number>;
  /** Of the file's tensor that it is, for names of layers. */
  name?: string;
}

/** A value that follows from the network's inputs. */
export interface Traced {
  kind: "traced";
  /** Batch first, all other lengths fixed. */
  tensor: tf.SymbolicTensor;
  /** Which axis of the tensor (0 is the batch) each axis of the file's value holds, as `onnx/layout.ts` has it. */
  order: readonly number[];
  type: NumberType;
  /** For whole numbers that stand for places: what they are compared with gives rows of zeros and a one. */
  oneHot?: { indices: Traced; depth: number };
}

export type Value = Constant | Traced;

/** Lengths of a traced value in the file's order of axes; null for the batch. */
export const dimsOf = ({ tensor, order }: Traced): (number | null)[] =>
  order.map((axis) => tensor.shape[axis]);

/** Lengths after the batch in the tensor's order. */
export const lengthsAfterBatch = (tensor: tf.SymbolicTensor): number[] => tensor.shape.slice(1) as number[];

export const product = (lengths: readonly number[]): number =>
  lengths.reduce((all, length) => all * length, 1);

/** The axis counted from the front. */
export const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** Whether a number of it depends on the length of the batch. */
export const isPerExample = ({ perExample }: Constant): boolean =>
  perExample !== undefined && Array.from(perExample).some((one) => one !== 0);

export const scalarConstant = (value: number, type: NumberType = "float32"): Constant => ({
  kind: "constant",
  type,
  dims: [],
  data: [value],
});
