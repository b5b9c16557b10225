import * as tf from "@tensorflow/tfjs-node";
import { Padding } from "../../layers/kinds/padding";
import { axisWindow } from "../../layers/window";
import type { Draft } from "./draft";
import type { Operation } from "./operation";

/** How a window slides along each axis of space: all lists have one number, or pair, for each. */
export interface Windows {
  filter: number[];
  strides: number[];
  dilations: number[];
  /** Places added before and behind. */
  pads: [number, number][];
}

/** The pads of an operator whose `auto_pad` leaves them to be computed. */
function automatic(
  mode: string,
  lengths: readonly number[],
  windows: Omit<Windows, "pads">,
): [number, number][] {
  return lengths.map((length, i) => {
    const { filter, strides, dilations } = windows;
    const { padBefore, padAfter } = axisWindow(length, filter[i], strides[i], dilations[i], "same");
    return mode === "SAME_LOWER" ? [padAfter, padBefore] : [padBefore, padAfter];
  });
}

/** The windows of a convolution or pooling. @param lengths of the axes of space @param filter where the attribute is left out */
export function windowsOf(
  operation: Operation,
  lengths: readonly number[],
  filter?: readonly number[],
): Windows {
  const ones = lengths.map(() => 1);
  const sizes = operation.ints("kernel_shape") ?? filter?.slice();
  if (sizes?.length !== lengths.length)
    return operation.refuse(
      `kernel_shape must have ${lengths.length} numbers, one for each axis of space`,
      sizes?.join(", ") ?? "none",
      "the file is damaged: export it anew",
    );
  const rest = {
    filter: sizes,
    strides: operation.ints("strides") ?? ones,
    dilations: operation.ints("dilations") ?? ones,
  };
  const mode = operation.string("auto_pad", "NOTSET");
  if (mode === "SAME_UPPER" || mode === "SAME_LOWER")
    return { ...rest, pads: automatic(mode, lengths, rest) };
  const given = mode === "VALID" ? null : operation.ints("pads");
  const pads = lengths.map((_, i): [number, number] => [given?.[i] ?? 0, given?.[i + lengths.length] ?? 0]);
  if (pads.flat().some((length) => length < 0))
    operation.refuse(
      "pads must be 0 or more",
      pads.flat().join(", "),
      "export the network without negative pads",
    );
  return { ...rest, pads };
}

/** Whether tf.js' padding `same` is these pads. */
function isSame(lengths: readonly number[], { filter, strides, dilations, pads }: Windows): boolean {
  return lengths.every((length, i) => {
    const { padBefore, padAfter } = axisWindow(length, filter[i], strides[i], dilations[i], "same");
    return pads[i][0] === padBefore && pads[i][1] === padAfter;
  });
}

/** A tensor (batch, …space, channels) with `value` around its space. */
export function padded(
  draft: Draft,
  operation: Operation,
  x: tf.SymbolicTensor,
  pads: [number, number][],
  value = 0,
): tf.SymbolicTensor {
  if (pads.flat().every((length) => length === 0)) return x;
  return draft.apply(
    operation,
    x,
    (name) =>
      value === 0 && pads.length === 2
        ? tf.layers.zeroPadding2d({ padding: pads as [[number, number], [number, number]], name })
        : new Padding({ paddings: [...pads, [0, 0]], value, name }),
    { suffix: "_pad" },
  );
}

/** The tensor to slide over and tf.js' word for the padding: `same` where it means these pads, else made here of `value`. */
export function withPadding(
  draft: Draft,
  operation: Operation,
  x: tf.SymbolicTensor,
  windows: Windows,
  value = 0,
): { x: tf.SymbolicTensor; padding: "same" | "valid" } {
  const lengths = x.shape.slice(1, -1) as number[];
  if (windows.pads.flat().every((length) => length === 0)) return { x, padding: "valid" };
  if (isSame(lengths, windows)) return { x, padding: "same" };
  return { x: padded(draft, operation, x, windows.pads, value), padding: "valid" };
}
