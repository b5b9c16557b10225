import * as tf from "@tensorflow/tfjs-node";
import { Slice } from "../../../layers/kinds/slice";
import { type Draft, vectorOf, weightTensor } from "../draft";
import type { Operation } from "../operation";
import { type Constant, dimsOf } from "../value";
import { type Windows, windowsOf, withPadding } from "../windows";
import type { Build, Builders } from "./builder";

type Pair = [number, number];

/** Every so many-th place of the axes of space. */
function everyOf(draft: Draft, operation: Operation, x: tf.SymbolicTensor, strides: readonly number[]) {
  return strides.reduce((part, step, i) => {
    if (step === 1) return part;
    const length = Math.ceil((part.shape[i + 1] as number) / step);
    return draft.apply(operation, part, (name) => new Slice({ axis: i + 1, start: 0, length, step, name }), {
      suffix: "_steps",
    });
  }, x);
}

/** A convolution as tf.js computes it: its weight as (…filter, channels, M), tensor axes batch, …space, channels. */
interface Convolution {
  windows: Windows;
  weight: Constant;
  bias: Constant | null;
}

/** The layer's weights, the filter's axes first. @param order of the axes of the file's weight */
const weightsOf =
  ({ weight, bias }: Convolution, order: number[]) =>
  () => [weightTensor(weight, order), ...(bias ? [vectorOf(bias)] : [])];

/** One weight for all channels. */
function whole(draft: Draft, operation: Operation, x: tf.SymbolicTensor, convolution: Convolution) {
  const { windows, weight, bias } = convolution;
  const space = windows.filter.length;
  // TensorFlow takes steps or gaps in the filter, not both: then the steps come afterwards.
  const isBoth = windows.strides.some((one) => one > 1) && windows.dilations.some((one) => one > 1);
  const strides = isBoth ? windows.strides.map(() => 1) : windows.strides;
  const padded = withPadding(draft, operation, x, { ...windows, strides });
  const settings = {
    filters: weight.dims[0],
    padding: padded.padding,
    useBias: bias !== null,
    kernelInitializer: "zeros" as const,
  };
  const make = (name: string) =>
    space === 1
      ? tf.layers.conv1d({
          ...settings,
          kernelSize: windows.filter[0],
          strides: strides[0],
          dilationRate: windows.dilations[0],
          name,
        })
      : tf.layers.conv2d({
          ...settings,
          kernelSize: windows.filter as Pair,
          strides: strides as Pair,
          dilationRate: windows.dilations as Pair,
          name,
        });
  const order = [...windows.filter.map((_, i) => i + 2), 1, 0];
  const y = draft.apply(operation, padded.x, make, {
    weights: weightsOf(convolution, order),
    weightName: weight.name,
  });
  return isBoth ? everyOf(draft, operation, y, windows.strides) : y;
}

/** A filter, or several, for each channel of an image by itself. */
function depthwise(draft: Draft, operation: Operation, x: tf.SymbolicTensor, convolution: Convolution) {
  const { windows, weight, bias } = convolution;
  const channels = x.shape[3] as number;
  if (windows.dilations.some((one) => one > 1))
    operation.refuse(
      "dilations must be 1 where every channel has filters of its own, since TensorFlow.js computes no others here",
      windows.dilations.join(", "),
      "cut the network before it with outputs",
    );
  // TensorFlow takes one stride for rows and columns here: others come afterwards.
  const isEven = windows.strides[0] === windows.strides[1];
  const strides = isEven ? windows.strides : [1, 1];
  const padded = withPadding(draft, operation, x, { ...windows, strides });
  const depthMultiplier = weight.dims[0] / channels;
  const y = draft.apply(
    operation,
    padded.x,
    (name) =>
      tf.layers.depthwiseConv2d({
        kernelSize: windows.filter as Pair,
        strides: strides as Pair,
        padding: padded.padding,
        depthMultiplier,
        useBias: bias !== null,
        depthwiseInitializer: "zeros",
        name,
      }),
    {
      weights: () => [
        weightTensor({ ...weight, dims: [channels, depthMultiplier, ...weight.dims.slice(2)] }, [2, 3, 0, 1]),
        ...(bias ? [vectorOf(bias)] : []),
      ],
      weightName: weight.name,
    },
  );
  return isEven ? y : everyOf(draft, operation, y, windows.strides);
}

/** A part of a constant along its first axis. */
function rowsOf(constant: Constant, start: number, rows: number): Constant {
  const size = constant.data.length / constant.dims[0];
  const data = Array.prototype.slice.call(constant.data, start * size, (start + rows) * size);
  return { ...constant, data: Float32Array.from(data), dims: [rows, ...constant.dims.slice(1)] };
}

/** Groups of channels, each with a weight of its own. */
function grouped(
  draft: Draft,
  operation: Operation,
  x: tf.SymbolicTensor,
  { windows, weight, bias }: Convolution,
  group: number,
) {
  const axis = x.shape.length - 1;
  const channels = weight.dims[1];
  const outputs = weight.dims[0] / group;
  const parts = Array.from({ length: group }, (_, i) => {
    const part = draft.apply(
      operation,
      x,
      (name) => new Slice({ axis, start: i * channels, length: channels, name }),
      { weightName: weight.name, suffix: `_group${i + 1}` },
    );
    return whole(draft, operation, part, {
      windows,
      weight: rowsOf(weight, i * outputs, outputs),
      bias: bias && rowsOf(bias, i * outputs, outputs),
    });
  });
  return draft.apply(operation, parts, (name) => tf.layers.concatenate({ axis, name }), {
    weightName: weight.name,
    suffix: "_groups",
  });
}

const conv: Build = (draft, operation) => {
  const given = operation.traced(0);
  const weight = operation.constant(1, "the weight");
  const bias = operation.constantOrNull(2, "the bias");
  const group = operation.int("group", 1);
  const rank = given.order.length;
  if (rank !== 3 && rank !== 4)
    operation.refuse(
      "it must slide along one or two axes of space",
      `${rank - 2} of them`,
      "cut the network before it with outputs",
    );
  const value = draft.image(operation, given);
  const lengths = dimsOf(value).slice(2) as number[];
  const windows = windowsOf(operation, lengths, weight.dims.slice(2));
  const channels = value.tensor.shape[rank - 1] as number;
  if (weight.dims.length !== rank || weight.dims[1] * group !== channels || weight.dims[0] % group !== 0)
    operation.refuse(
      `the weight must have M×${channels / group} and the filter's sizes for ${channels} channels in ${group} groups`,
      weight.dims.join("×"),
      "the file is damaged, or inputShape is not the network's: export it anew, or give another",
    );
  const convolution: Convolution = { windows, weight, bias };
  if (group === 1) return { ...value, tensor: whole(draft, operation, value.tensor, convolution) };
  if (group < channels || rank === 4) {
    const tensor =
      group === channels
        ? depthwise(draft, operation, value.tensor, convolution)
        : grouped(draft, operation, value.tensor, convolution, group);
    return { ...value, tensor };
  }
  // A sequence whose channels have filters of their own: an image of height 1.
  const [length] = lengths;
  const image = draft.reshaped(operation, value.tensor, [1, length, channels]);
  const { filter, strides, pads } = windows;
  const made = depthwise(draft, operation, image, {
    windows: {
      filter: [1, ...filter],
      strides: [strides[0], ...strides],
      dilations: [1, ...windows.dilations],
      pads: [[0, 0], ...pads],
    },
    weight: { ...weight, dims: [weight.dims[0], 1, 1, weight.dims[2]] },
    bias,
  });
  const [, , positions, outputs] = made.shape as number[];
  return { ...value, tensor: draft.reshaped(operation, made, [positions, outputs]) };
};

const convTranspose: Build = (draft, operation) => {
  const given = operation.traced(0);
  const weight = operation.constant(1, "the weight"); // (channels, M, height, width)
  const bias = operation.constantOrNull(2, "the bias");
  const [group, shape] = [operation.int("group", 1), operation.ints("output_shape")];
  if (given.order.length !== 4 || group !== 1 || shape || operation.string("auto_pad", "NOTSET") !== "NOTSET")
    operation.refuse(
      "a transposed convolution must be one of images, of one group, with pads and no output_shape",
      `${given.order.length - 2} axes of space, ${group} groups, ${shape ? "output_shape" : operation.string("auto_pad", "pads")}`,
      "export the network so, or cut it before it with outputs",
    );
  const value = draft.image(operation, given);
  const { filter, strides, dilations, pads } = windowsOf(operation, [1, 1], weight.dims.slice(2));
  const extra = operation.ints("output_padding") ?? [0, 0];
  if (dilations.some((one) => one > 1))
    operation.refuse("dilations must be 1", dilations.join(", "), "cut the network before it with outputs");
  // tf.js' `valid` makes (length − 1)·stride + filter places, and the gap behind the last window where strides are wider.
  const y = draft.apply(
    operation,
    value.tensor,
    (name) =>
      tf.layers.conv2dTranspose({
        filters: weight.dims[1],
        kernelSize: filter as Pair,
        strides: strides as Pair,
        padding: "valid",
        useBias: bias !== null,
        kernelInitializer: "zeros",
        name,
      }),
    {
      weights: () => [weightTensor(weight, [2, 3, 1, 0]), ...(bias ? [vectorOf(bias)] : [])],
      weightName: weight.name,
    },
  );
  const cropping = pads.map(
    ([before, behind], i): Pair => [before, behind - extra[i] + Math.max(0, strides[i] - filter[i])],
  );
  if (cropping.flat().some((length) => length < 0))
    operation.refuse(
      "output_padding must not reach over pads",
      `output_padding ${extra.join(", ")} with pads ${pads.flat().join(", ")}`,
      "cut the network before it with outputs",
    );
  const isWhole = cropping.flat().every((length) => length === 0);
  const tensor = isWhole
    ? y
    : draft.apply(
        operation,
        y,
        (name) => tf.layers.cropping2D({ cropping: cropping as [Pair, Pair], name }),
        { suffix: "_crop" },
      );
  return { ...value, tensor };
};

export const convolutions: Builders = { Conv: conv, ConvTranspose: convTranspose };
