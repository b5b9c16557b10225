import * as tf from "@tensorflow/tfjs-node";
import { Elementwise, type ElementwiseOperation } from "../../../layers/kinds/elementwise";
import { HardSwish } from "../../../layers/kinds/hardSwish";
import { countOf, type Draft, weightTensor } from "../draft";
import type { Operation } from "../operation";
import { type Constant, dimsOf, fromFront, product, type Traced } from "../value";
import type { Build, Builders } from "./builder";

/** What one layer makes of a value, its axes as they are. */
function through(
  draft: Draft,
  operation: Operation,
  x: Traced,
  make: (name: string) => tf.layers.Layer,
): Traced {
  return { ...x, tensor: draft.apply(operation, x.tensor, make) };
}

const layer =
  (make: (name: string, operation: Operation) => tf.layers.Layer): Build =>
  (draft, operation) =>
    through(draft, operation, operation.traced(0), (name) => make(name, operation));

/** An activation by tf.js' name, known to tf.js though not to its types. */
const named = (activation: string): Build =>
  layer((name) => tf.layers.activation({ activation: activation as "relu", name }));

const elementwise = (operation: ElementwiseOperation): Build =>
  layer((name) => new Elementwise({ operation, name }));

/** A setting that only one value of can be computed. */
function only(operation: Operation, attribute: string, otherwise: number, wanted: number): void {
  const got = operation.float(attribute, otherwise);
  if (Math.abs(got - wanted) > 1e-6 * Math.abs(wanted))
    operation.refuse(`${attribute} must be ${wanted}`, got, "export the network with that value");
}

/** A bound of a Clip, undefined for none. */
function boundOf(operation: Operation, attribute: string, place: number): number | undefined {
  if (operation.has(attribute)) return operation.float(attribute, 0);
  const constant = operation.constantOrNull(place, attribute);
  if (!constant || countOf(constant) === 0) return undefined;
  return constant.data[0];
}

const isLargest = (value: number): boolean => Math.abs(value) >= 3.4e38;

const clip: Build = (draft, operation) => {
  const x = operation.traced(0);
  const [minimum, maximum] = [boundOf(operation, "min", 1), boundOf(operation, "max", 2)];
  if (minimum === 0 && maximum !== undefined)
    return through(draft, operation, x, (name) =>
      tf.layers.reLU(isLargest(maximum) ? { name } : { maxValue: maximum, name }),
    );
  return through(
    draft,
    operation,
    x,
    (name) => new Elementwise({ operation: "clip", minimum, maximum, name }),
  );
};

const hardSigmoid: Build = (draft, operation) => {
  const x = operation.traced(0);
  const [scale, offset] = [operation.float("alpha", 0.2), operation.float("beta", 0.5)];
  if (Math.abs(scale - 0.2) < 1e-6 && offset === 0.5)
    return through(draft, operation, x, (name) => tf.layers.activation({ activation: "hardSigmoid", name }));
  const line = draft.apply(operation, x.tensor, (name) => tf.layers.rescaling({ scale, offset, name }), {
    suffix: "_line",
  });
  return through(draft, operation, { ...x, tensor: line }, (name) => tf.layers.reLU({ maxValue: 1, name }));
};

/** A learned slope below 0, one for all places along axes of length 1. */
const pRelu: Build = (draft, operation) => {
  const x = operation.traced(0);
  const slope: Constant = operation.constant(1, "the slope");
  const rank = x.order.length;
  const own = [...Array<number>(rank - slope.dims.length).fill(1), ...slope.dims];
  const order = Array.from({ length: rank }, (_, axis) => x.order.indexOf(axis));
  if (own[order[0]] !== 1 || own.length > rank)
    operation.refuse("the slope must be the same for all examples", slope.dims.join("×"), "export it anew");
  const lengths = order.slice(1).map((axis) => own[axis]);
  const sharedAxes = lengths.flatMap((length, i) =>
    length === 1 && x.tensor.shape[i + 1] !== 1 ? [i + 1] : [],
  );
  const tensor = draft.apply(operation, x.tensor, (name) => tf.layers.prelu({ sharedAxes, name }), {
    weights: () => [weightTensor(slope, order, own).squeeze([0])],
    weightName: slope.name,
  });
  return { ...x, tensor };
};

/** The value with one axis of the file as its tensor's last. */
function withLast(draft: Draft, operation: Operation, x: Traced, axis: number): Traced {
  if (x.order[axis] === 0)
    operation.refuse("the axis must not be the batch", axis, "export the network with the batch first");
  if (x.order[axis] === x.order.length - 1) return x;
  const rest = x.order.map((one, i) => ({ one, i })).filter(({ i }) => i !== axis);
  rest.sort((a, b) => a.one - b.one);
  const order: number[] = [];
  rest.forEach(({ i }, place) => {
    order[i] = place;
  });
  order[axis] = x.order.length - 1;
  return draft.inOrder(operation, x, order);
}

/** Along one axis; before version 13 over all axes from that one on. */
const softmax =
  (activation: string): Build =>
  (draft, operation) => {
    const x = operation.traced(0);
    const rank = x.order.length;
    const axis = fromFront(operation.int("axis", operation.opset < 13 ? 1 : -1), rank);
    const make = (name: string) =>
      activation === "softmax"
        ? tf.layers.softmax({ axis: -1, name })
        : tf.layers.activation({ activation: activation as "softmax", name });
    const dims = dimsOf(x);
    const over = dims.slice(axis).flatMap((length, i) => (length === 1 ? [] : [axis + i]));
    if (operation.opset >= 13 || over.length <= 1)
      return through(
        draft,
        operation,
        withLast(draft, operation, x, operation.opset < 13 ? (over[0] ?? axis) : axis),
        make,
      );
    const plain = draft.plain(operation, x);
    if (plain.order[0] !== 0 || axis === 0)
      operation.refuse(
        "the axis must stand behind the batch",
        axis,
        "export the network with the batch first",
      );
    const lengths = dims.slice(1) as number[];
    const flat = draft.reshaped(operation, plain.tensor, [
      ...lengths.slice(0, axis - 1),
      product(lengths.slice(axis - 1)),
    ]);
    const made = draft.apply(operation, flat, make);
    return { ...plain, tensor: draft.reshaped(operation, made, lengths) };
  };

/** This library's own (see patterns.ts): exporters that write a softmax out do so over examples' rows. */
const softmaxOfRows: Build = (draft, operation) => {
  const x = operation.traced(0);
  if (x.order.length !== 2 || x.order[0] !== 0)
    operation.refuse(
      "the batch must be the first of two axes",
      dimsOf(x).length,
      "export the network with a Softmax",
    );
  return through(draft, operation, x, (name) => tf.layers.softmax({ axis: -1, name }));
};

const gelu: Build = (draft, operation) =>
  named(operation.string("approximate", "none") === "tanh" ? "gelu_new" : "gelu")(draft, operation);

export const activations: Builders = {
  Abs: elementwise("absolute"),
  Clip: clip,
  Elu: layer((name, operation) => {
    only(operation, "alpha", 1, 1);
    return tf.layers.elu({ alpha: 1, name });
  }),
  Erf: elementwise("erf"),
  Exp: elementwise("exponential"),
  Gelu: gelu,
  HardSigmoid: hardSigmoid,
  HardSwish: layer((name) => new HardSwish({ name })),
  LeakyRelu: layer((name, operation) => tf.layers.leakyReLU({ alpha: operation.float("alpha", 0.01), name })),
  Log: elementwise("logarithm"),
  LogSoftmax: softmax("logSoftmax"),
  Mish: named("mish"),
  PRelu: pRelu,
  Reciprocal: elementwise("reciprocal"),
  Relu: layer((name) => tf.layers.reLU({ name })),
  Selu: named("selu"),
  Sigmoid: named("sigmoid"),
  Softmax: softmax("softmax"),
  SoftmaxOfRows: softmaxOfRows,
  Softplus: named("softplus"),
  Softsign: named("softsign"),
  Sqrt: elementwise("squareRoot"),
  Swish: named("swish"),
  Tanh: named("tanh"),
  ThresholdedRelu: layer((name, operation) =>
    tf.layers.thresholdedReLU({ theta: operation.float("alpha", 1), name }),
  ),
};
