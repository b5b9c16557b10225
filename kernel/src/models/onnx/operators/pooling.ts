import * as tf from "@tensorflow/tfjs-node";
import { Affine } from "../../../layers/kinds/affine";
import type { Draft } from "../draft";
import type { Operation } from "../operation";
import { dimsOf, type Traced } from "../value";
import { padded, type Windows, windowsOf, withPadding } from "../windows";
import type { Build, Builders } from "./builder";

type Pair = [number, number];

/** Lower than every number of a network: what maxima do not see. */
const lowest = -3.4028234663852886e38;

/** Images and sequences, batch, space, channels in the tensor. */
function imageOf(draft: Draft, operation: Operation): Traced {
  const given = operation.traced(0);
  const rank = given.order.length;
  if (rank !== 3 && rank !== 4)
    operation.refuse(
      "it must pool over one or two axes of space",
      `${rank - 2} of them`,
      "cut the network before it with outputs",
    );
  return draft.image(operation, given);
}

/** The windows with as many places behind as the last of them needs: ceil_mode made explicit. */
function withCeiling(operation: Operation, lengths: readonly number[], windows: Windows): Windows {
  if (operation.int("ceil_mode", 0) === 0) return windows;
  const pads = lengths.map((length, i): Pair => {
    const { filter, strides } = windows;
    const [before, behind] = windows.pads[i];
    const free = length + before + behind - filter[i];
    let positions = Math.ceil(free / strides[i]) + 1;
    // A window must begin on the input or its padding before it.
    if ((positions - 1) * strides[i] >= length + before) positions--;
    return [before, (positions - 1) * strides[i] + filter[i] - length - before];
  });
  return { ...windows, pads: pads.map(([before, behind]): Pair => [before, Math.max(0, behind)]) };
}

/** Windows over the image; the attributes that no pooling of tf.js has are refused. */
function poolingWindows(operation: Operation, lengths: readonly number[]): Windows {
  const windows = windowsOf(operation, lengths);
  if (windows.dilations.some((one) => one > 1))
    operation.refuse(
      "dilations must be 1, since TensorFlow.js pools with no others",
      windows.dilations.join(", "),
      "cut the network before it with outputs",
    );
  if (
    operation.node.output.filter((name) => name !== "").length > 1 ||
    operation.int("storage_order", 0) !== 0
  )
    operation.refuse(
      "it must have one output, the maxima",
      "the places too",
      "export the network without them",
    );
  return withCeiling(operation, lengths, windows);
}

function pool(
  draft: Draft,
  operation: Operation,
  x: tf.SymbolicTensor,
  { filter, strides }: Windows,
  padding: "same" | "valid",
  suffix = "",
): tf.SymbolicTensor {
  const isMax = operation.opType === "MaxPool";
  return draft.apply(
    operation,
    x,
    (name) => {
      if (filter.length === 1) {
        const settings = { poolSize: filter[0], strides: strides[0], padding, name };
        return isMax ? tf.layers.maxPooling1d(settings) : tf.layers.averagePooling1d(settings);
      }
      const settings = { poolSize: filter as Pair, strides: strides as Pair, padding, name };
      return isMax ? tf.layers.maxPooling2d(settings) : tf.layers.averagePooling2d(settings);
    },
    { suffix },
  );
}

const maxPool: Build = (draft, operation) => {
  const value = imageOf(draft, operation);
  const windows = poolingWindows(operation, dimsOf(value).slice(2) as number[]);
  const { x, padding } = withPadding(draft, operation, value.tensor, windows, lowest);
  return { ...value, tensor: pool(draft, operation, x, windows, padding) };
};

/** How many places of an axis each window covers, out of `from` to `to`, of which the axis itself is 0 to `length`. */
function counts(
  length: number,
  from: number,
  to: number,
  filter: number,
  stride: number,
  [before, behind]: Pair,
) {
  const positions = Math.floor((length + before + behind - filter) / stride) + 1;
  return Array.from({ length: positions }, (_, i) => {
    const first = i * stride - before;
    return Math.min(first + filter, to) - Math.max(first, from);
  });
}

/**
 * Means of what a window covers: of the input alone, or of its pads too (`count_include_pad`). Places that ceil_mode adds
 * never count. tf.js' `same` is the first; all else is a mean with zeros, times filter area / places that count.
 */
const averagePool: Build = (draft, operation) => {
  const value = imageOf(draft, operation);
  const lengths = dimsOf(value).slice(2) as number[];
  const own = windowsOf(operation, lengths);
  const windows = poolingWindows(operation, lengths);
  const withPads = operation.int("count_include_pad", 0) !== 0;
  const isPadded = windows.pads.flat().some((length) => length > 0);
  if (!withPads || !isPadded) {
    const { x, padding } = withPadding(draft, operation, value.tensor, windows);
    if (padding === "same" || !isPadded)
      return { ...value, tensor: pool(draft, operation, x, windows, padding) };
  }
  const x = padded(draft, operation, value.tensor, windows.pads);
  const perAxis = lengths.map((length, i) => {
    const [before, behind] = withPads ? own.pads[i] : [0, 0];
    return counts(length, -before, length + behind, windows.filter[i], windows.strides[i], windows.pads[i]);
  });
  const factors = perAxis.map((axis, i) => axis.map((count) => windows.filter[i] / count));
  const means = pool(draft, operation, x, windows, "valid");
  if (factors.flat().every((factor) => factor === 1)) return { ...value, tensor: means };
  const places = factors.reduce((all, axis) => all.flatMap((one) => axis.map((other) => one * other)), [1]);
  const weightShape = [...factors.map((axis) => axis.length), 1];
  const tensor = draft.apply(
    operation,
    means,
    (name) => new Affine({ weightShape, offset: false, trainable: false, name }),
    { weights: () => [tf.tensor(places, weightShape)], suffix: "_counts" },
  );
  return { ...value, tensor };
};

/** One number for each channel; the axes of space stay, of length 1. */
const globalPool =
  (isMax: boolean): Build =>
  (draft, operation) => {
    const value = imageOf(draft, operation);
    const isImage = value.order.length === 4;
    const pooled = draft.apply(operation, value.tensor, (name) => {
      if (isImage)
        return isMax ? tf.layers.globalMaxPooling2d({ name }) : tf.layers.globalAveragePooling2d({ name });
      return isMax ? tf.layers.globalMaxPooling1d({ name }) : tf.layers.globalAveragePooling1d({ name });
    });
    const channels = pooled.shape[1] as number;
    const lengths = [
      ...dimsOf(value)
        .slice(2)
        .map(() => 1),
      channels,
    ];
    return { ...value, tensor: draft.reshaped(operation, pooled, lengths) };
  };

export const poolings: Builders = {
  AveragePool: averagePool,
  GlobalAveragePool: globalPool(false),
  GlobalMaxPool: globalPool(true),
  MaxPool: maxPool,
};
