import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import type { TargetSpec } from "../tasks/target";
import type { Batch, InputSpec } from "./examples";
import { targetArray, targetLength, targetTensor } from "./targetTensor";
import { findMaskFault, findNotFinite, findNotInt32, findTargetFault } from "./valueFault";

/** One example as a reader of streams gives it: plain numbers, row by row. */
export interface Example {
  /** By name, each as many numbers as its shape has. */
  inputs: Record<string, ArrayLike<number>>;
  /** The class, or as many numbers as the target has. */
  target: number | ArrayLike<number>;
  /** 1 for a real position of a sequence, 0 for padding; in all examples or in none. */
  mask?: ArrayLike<number>;
}

/** An example and its place in the stream. */
export interface PlacedExample {
  index: number;
  example: Example;
}

/**
 * Examples as one batch of tensors. Throws LutnnError on lengths that do not fit, on numbers that are not finite and on
 * targets that are none; the sentence begins with `name`. With `inputsOnly` targets are not looked at, and are zeros.
 */
export function batchOf(
  name: string,
  specs: readonly InputSpec[],
  target: TargetSpec,
  placed: readonly PlacedExample[],
  inputsOnly = false,
): Batch {
  const size = placed.length;
  const inputs = specs.map((spec) => {
    const length = spec.shape.reduce((product, one) => product * one, 1);
    const values = new (spec.dtype === "int32" ? Int32Array : Float32Array)(size * length);
    placed.forEach(({ index, example }, row) => {
      const given = example.inputs[spec.name];
      checkLength(name, spec.name, index, given, length);
      const broken = spec.dtype === "int32" ? findNotInt32(given) : null;
      if (broken)
        throw new LutnnError(
          `${name}: the data must be integers of 32 bits (got ${broken.value} in ${spec.name} of example ${index}); correct the data, or say that the input is float32`,
        );
      values.set(given, row * length);
    });
    const fault = findNotFinite(values);
    if (fault)
      throw new LutnnError(
        `${name}: the data must be finite numbers (got ${fault.value} in ${spec.name} of example ${placed[Math.floor(fault.index / length)].index}); correct the data or leave that example out`,
      );
    return { spec, values };
  });
  const targets = targetArray(target, size);
  const length = targetLength(target);
  const learnt = inputsOnly ? [] : placed;
  learnt.forEach(({ index, example }, row) => {
    const given = typeof example.target === "number" ? [example.target] : example.target;
    checkLength(name, "the target", index, given, length);
    const fault = findTargetFault(Float64Array.from(given), target);
    if (fault)
      throw new LutnnError(
        `${name}: the targets must ${fault.rule} (got ${fault.value} in example ${index}); correct the data or what they say of their targets`,
      );
    targets.set(given, row * length);
  });
  const mask = maskOf(name, placed);
  const tensors = inputs.map(
    ({ spec, values }) => [spec.name, tf.tensor(values, [size, ...spec.shape], spec.dtype)] as const,
  );
  return {
    size,
    inputs: Object.fromEntries(tensors),
    targets: targetTensor(target, targets, size),
    ...(mask ? { mask } : {}),
  };
}

/** What to say of a mask's number that is none. */
export const maskError = (name: string, value: number, index: number): LutnnError =>
  new LutnnError(
    `${name}: a mask must be 1 for real positions and 0 for padding (got ${value} in example ${index}); correct the data`,
  );

function maskOf(name: string, placed: readonly PlacedExample[]): tf.Tensor2D | null {
  const length = placed.find(({ example }) => example.mask)?.example.mask?.length;
  if (length === undefined) return null;
  const values = new Int32Array(placed.length * length);
  placed.forEach(({ index, example }, row) => {
    checkLength(name, "the mask", index, example.mask, length);
    const fault = findMaskFault(example.mask!);
    if (fault) throw maskError(name, fault.value, index);
    values.set(example.mask!, row * length);
  });
  return tf.tensor2d(values, [placed.length, length], "int32");
}

function checkLength(
  name: string,
  part: string,
  index: number,
  given: ArrayLike<number> | undefined,
  length: number,
): void {
  if (given?.length === length) return;
  const got = given === undefined ? "none" : given.length;
  throw new LutnnError(
    `${name}: ${part} of an example must have ${length} numbers (got ${got} in example ${index}); correct the reader or the shape that it says`,
  );
}
