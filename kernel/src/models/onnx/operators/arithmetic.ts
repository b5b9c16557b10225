import * as tf from "@tensorflow/tfjs-node";
import { Affine } from "../../../layers/kinds/affine";
import { Elementwise } from "../../../layers/kinds/elementwise";
import { broadcastDims } from "../broadcast";
import { countOf, type Draft, weightTensor } from "../draft";
import { dimsText, type Operation } from "../operation";
import { type Constant, dimsOf, isPerExample, type Traced } from "../value";
import type { Build, Builders } from "./builder";

const damaged = "the file is damaged: export it anew";

/** The numbers of a value changed one by one. */
function rescaled(
  draft: Draft,
  operation: Operation,
  x: Traced,
  scale: number,
  offset: number,
  suffix = "",
): Traced {
  const tensor = draft.apply(operation, x.tensor, (name) => tf.layers.rescaling({ scale, offset, name }), {
    suffix,
  });
  return { ...x, tensor, type: "float32" };
}

export const negative = (draft: Draft, operation: Operation, x: Traced): Traced =>
  rescaled(draft, operation, x, -1, 0, "_negative");

export function reciprocal(draft: Draft, operation: Operation, x: Traced): Traced {
  const make = (name: string) => new Elementwise({ operation: "reciprocal", name });
  return { ...x, tensor: draft.apply(operation, x.tensor, make, { suffix: "_reciprocal" }) };
}

/** The dims of the file that two values make, spread over each other. */
function spreadDims(operation: Operation, a: readonly (number | null)[], b: readonly (number | null)[]) {
  return (
    broadcastDims(a, b) ??
    operation.refuse(
      "inputs must spread over each other, the batch over itself or 1",
      `${a.map((length) => length ?? "N").join("×")} and ${b.map((length) => length ?? "N").join("×")}`,
      damaged,
    )
  );
}

/**
 * x times a constant, or plus it: a fixed number as it is, others as numbers that learn, each for its places.
 * @param as whether the constant is a scale or an offset
 */
export function withConstant(
  draft: Draft,
  operation: Operation,
  x: Traced,
  constant: Constant,
  as: "scale" | "offset",
): Traced {
  if (isPerExample(constant))
    operation.refuse(
      "a number that it computes with must not depend on the length of the batch",
      "one that does",
      "export the network with a batch of fixed length",
    );
  if (countOf(constant) === 1 && constant.dims.length <= x.order.length) {
    const [number] = Array.from(constant.data);
    return as === "scale"
      ? rescaled(draft, operation, x, number, 0)
      : rescaled(draft, operation, x, 1, number);
  }
  const dims = spreadDims(operation, dimsOf(x), constant.dims);
  const ranked = draft.withRank(operation, x, dims.length);
  const spread = draft.expanded(operation, ranked, dims);
  const own = [...Array<number>(dims.length - constant.dims.length).fill(1), ...constant.dims];
  const places = spread.order.slice(1).map((_, i) => spread.order.indexOf(i + 1));
  const batch = spread.order.indexOf(0);
  if (own[batch] !== 1)
    operation.refuse("a constant must be the same for all examples of the batch", own.join("×"), damaged);
  const order = [batch, ...places];
  const isScale = as === "scale";
  const tensor = draft.apply(
    operation,
    spread.tensor,
    (name) =>
      new Affine({ weightShape: places.map((axis) => own[axis]), scale: isScale, offset: !isScale, name }),
    {
      weights: () => [weightTensor(constant, order, own).squeeze([0])],
      weightName: constant.name,
    },
  );
  return { ...spread, tensor, type: "float32" };
}

/** What a layer of tf.js makes of two values, element by element. */
export function merged(
  draft: Draft,
  operation: Operation,
  inputs: readonly Traced[],
  make: (name: string) => tf.layers.Layer,
): Traced {
  const rank = Math.max(...inputs.map(({ order }) => order.length));
  const ranked = inputs.map((input) => draft.withRank(operation, input, rank));
  const dims = ranked.map(dimsOf).reduce((all, one) => spreadDims(operation, all, one));
  const sizes = ranked.map((one) => dimsOf(one).filter((length) => length !== 1).length);
  const { order } = ranked[sizes.indexOf(Math.max(...sizes))];
  const batch = order.indexOf(0);
  for (const one of ranked)
    if (one.order.indexOf(0) !== batch)
      operation.refuse(
        "inputs must have the batch on the same axis",
        inputs.map(dimsText).join(" and "),
        "export the network with the batch first",
      );
  // tf.js spreads axes of length 1 too, but not two that are both shorter than the result.
  const whole = ranked.some((one) => dimsOf(one).every((length, i) => length === dims[i]));
  const aligned = ranked.map((one, i) => {
    const arranged = draft.inOrder(operation, one, order);
    return whole || i > 0 ? arranged : draft.expanded(operation, arranged, dims);
  });
  const tensor = draft.merge(
    operation,
    aligned.map((one) => one.tensor),
    make,
  );
  return { kind: "traced", tensor, order, type: "float32" };
}

const inverse = (constant: Constant): Constant => ({
  ...constant,
  type: "float32",
  data: Float32Array.from(constant.data, (value) => 1 / value),
});

const negated = (constant: Constant): Constant => ({
  ...constant,
  data: Array.from(constant.data, (value) => -value),
});

/** Both inputs, of which at least one is traced. */
const both = (operation: Operation) => [operation.input(0), operation.input(1)] as const;

const square = (draft: Draft, operation: Operation, x: Traced): Traced => ({
  ...x,
  tensor: draft.apply(operation, x.tensor, (name) => new Elementwise({ operation: "square", name })),
});

const add: Build = (draft, operation) => {
  const [a, b] = both(operation);
  if (a.kind === "constant") return withConstant(draft, operation, operation.traced(1), a, "offset");
  if (b.kind === "constant") return withConstant(draft, operation, a, b, "offset");
  if (a === b) return rescaled(draft, operation, a, 2, 0);
  return merged(draft, operation, [a, b], (name) => tf.layers.add({ name }));
};

const subtract: Build = (draft, operation) => {
  const [a, b] = both(operation);
  if (b.kind === "constant") return withConstant(draft, operation, operation.traced(0), negated(b), "offset");
  const minus = negative(draft, operation, b);
  if (a.kind === "constant") return withConstant(draft, operation, minus, a, "offset");
  return merged(draft, operation, [a, minus], (name) => tf.layers.add({ name }));
};

const multiply: Build = (draft, operation) => {
  const [a, b] = both(operation);
  if (a.kind === "constant") return withConstant(draft, operation, operation.traced(1), a, "scale");
  if (b.kind === "constant") return withConstant(draft, operation, a, b, "scale");
  if (a === b) return square(draft, operation, a);
  return merged(draft, operation, [a, b], (name) => tf.layers.multiply({ name }));
};

const divide: Build = (draft, operation) => {
  const [a, b] = both(operation);
  if (b.kind === "constant") return withConstant(draft, operation, operation.traced(0), inverse(b), "scale");
  const below = reciprocal(draft, operation, b);
  if (a.kind === "constant") return withConstant(draft, operation, below, a, "scale");
  return merged(draft, operation, [a, below], (name) => tf.layers.multiply({ name }));
};

/** The largest or smallest of several; of one value and a number, the value kept in bounds. */
const extreme =
  (bound: "minimum" | "maximum", make: (name: string) => tf.layers.Layer): Build =>
  (draft, operation) => {
    const inputs = operation.inputs.map((_, i) => operation.input(i));
    const traced = inputs.filter((value): value is Traced => value.kind === "traced");
    const constants = inputs.filter((value): value is Constant => value.kind === "constant");
    const scalars = constants.filter((one) => countOf(one) === 1);
    if (scalars.length < constants.length)
      operation.refuse(
        "constants must be single numbers",
        constants.map(({ dims }) => dims.join("×")).join(", "),
        "export the network without them",
      );
    const x = traced.length === 1 ? traced[0] : merged(draft, operation, traced, make);
    if (scalars.length === 0) return x;
    const numbers = scalars.map(({ data }) => data[0]);
    const limit = bound === "minimum" ? Math.max(...numbers) : Math.min(...numbers);
    const tensor = draft.apply(
      operation,
      x.tensor,
      (name) => new Elementwise({ operation: "clip", [bound]: limit, name }),
    );
    return { ...x, tensor };
  };

const power: Build = (draft, operation) => {
  const x = operation.traced(0);
  const exponents = operation.wholeNumbers(operation.constant(1, "the exponent"), "the exponent");
  if (exponents.length !== 1)
    operation.refuse(
      "the exponent must be one number",
      `${exponents.length} of them`,
      "export the network without it",
    );
  const [exponent] = exponents;
  if (exponent === 2) return square(draft, operation, x);
  const tensor = draft.apply(
    operation,
    x.tensor,
    (name) => new Elementwise({ operation: "power", exponent, name }),
  );
  return { ...x, tensor };
};

const mean: Build = (draft, operation) => {
  const inputs = operation.inputs.map((_, i) => operation.traced(i));
  return inputs.length === 1
    ? inputs[0]
    : merged(draft, operation, inputs, (name) => tf.layers.average({ name }));
};

const sum: Build = (draft, operation) => {
  const inputs = operation.inputs.map((_, i) => operation.traced(i));
  return inputs.length === 1
    ? inputs[0]
    : merged(draft, operation, inputs, (name) => tf.layers.add({ name }));
};

export const arithmetic: Builders = {
  Add: add,
  Div: divide,
  Max: extreme("minimum", (name) => tf.layers.maximum({ name })),
  Mean: mean,
  Min: extreme("maximum", (name) => tf.layers.minimum({ name })),
  Mul: multiply,
  Neg: (draft, operation) => negative(draft, operation, operation.traced(0)),
  Pow: power,
  Sub: subtract,
  Sum: sum,
};
