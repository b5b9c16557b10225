import type * as tf from "@tensorflow/tfjs-node";
import type { ConvWindow } from "../compute/imageWindows";

/** The numbers of a setting for some axes of space: one for all, or one each. */
export const perAxis = (value: unknown, axes: number): number[] =>
  Array.from({ length: axes }, (_, i) => (Array.isArray(value) ? (value[i] ?? value[0]) : value) as number);

/** A window that slides along one axis of space. */
export interface AxisWindow {
  filter: number;
  stride: number;
  dilation: number;
  padBefore: number;
  padAfter: number;
  /** Positions that it takes. */
  positions: number;
}

/** How a tf.js window slides along an axis of `length`, with `same` padding made explicit. */
export function axisWindow(
  length: number,
  filter: number,
  stride: number,
  dilation: number,
  padding: unknown,
): AxisWindow {
  const reach = (filter - 1) * dilation + 1;
  const same = padding === "same";
  const positions = same ? Math.ceil(length / stride) : Math.floor((length - reach) / stride) + 1;
  const total = same ? Math.max(0, (positions - 1) * stride + reach - length) : 0;
  const padBefore = Math.floor(total / 2);
  return { filter, stride, dilation, padBefore, padAfter: total - padBefore, positions };
}

/** The windows of a tf.js config with a `kernelSize` (or `poolSize`) along each axis of space. */
export function axisWindows(config: tf.serialization.ConfigDict, lengths: readonly number[]): AxisWindow[] {
  const of = (value: unknown) => perAxis(value ?? 1, lengths.length);
  const [filters, strides, dilations] = [
    of(config.kernelSize ?? config.poolSize),
    of(config.strides),
    of(config.dilationRate),
  ];
  return lengths.map((length, i) => axisWindow(length, filters[i], strides[i], dilations[i], config.padding));
}

/** ONNX's attributes of windows along the axes of space. */
export const windowAttributes = (windows: readonly AxisWindow[]) => ({
  kernel_shape: windows.map(({ filter }) => filter),
  strides: windows.map(({ stride }) => stride),
  pads: [...windows.map(({ padBefore }) => padBefore), ...windows.map(({ padAfter }) => padAfter)],
  dilations: windows.map(({ dilation }) => dilation),
});

/**
 * The window of a tf.js Conv2D config on an input (height, width, channels), or of a Conv1D config on (length, channels),
 * which is one of height 1.
 */
export function convWindow(config: tf.serialization.ConfigDict, inputShape: readonly number[]): ConvWindow {
  const windows = axisWindows(config, inputShape.slice(0, -1));
  const [rows, columns] = windows.length === 1 ? [axisWindow(1, 1, 1, 1, "valid"), windows[0]] : windows;
  return {
    inputChannels: inputShape[inputShape.length - 1],
    filterHeight: rows.filter,
    filterWidth: columns.filter,
    strideHeight: rows.stride,
    strideWidth: columns.stride,
    dilationHeight: rows.dilation,
    dilationWidth: columns.dilation,
    padTop: rows.padBefore,
    padLeft: columns.padBefore,
    padBottom: rows.padAfter,
    padRight: columns.padAfter,
  };
}

/** The shape that a tf.js Conv1D or Conv2D config makes of (batch, …space, channels). */
export function convOutputShape(config: tf.serialization.ConfigDict, input: tf.Shape): tf.Shape {
  const space = input.slice(1, -1);
  const windows = axisWindows(
    config,
    space.map((length) => length ?? 0),
  );
  return [
    input[0],
    ...space.map((length, i) => (length === null ? null : windows[i].positions)),
    config.filters as number,
  ];
}

/** ONNX's attributes of a two-dimensional window. */
export const convAttributes = (window: ConvWindow) => ({
  kernel_shape: [window.filterHeight, window.filterWidth],
  strides: [window.strideHeight, window.strideWidth],
  pads: [window.padTop, window.padLeft, window.padBottom, window.padRight],
  dilations: [window.dilationHeight, window.dilationWidth],
});
