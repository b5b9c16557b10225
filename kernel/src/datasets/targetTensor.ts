import * as tf from "@tensorflow/tfjs-node";
import type { TargetSpec } from "../tasks/target";

/** Numbers of one example's target; 1 for a class. */
export function targetLength(target: TargetSpec): number {
  switch (target.kind) {
    case "class":
      return 1;
    case "labels":
      return target.count;
    default:
      return target.length;
  }
}

/** Classes and tokens are int32, answers and values float32. */
export const targetDtype = ({ kind }: TargetSpec): "int32" | "float32" =>
  kind === "class" || kind === "tokens" ? "int32" : "float32";

/** An array for the targets of `size` examples. */
export function targetArray(target: TargetSpec, size: number): Float32Array | Int32Array {
  const length = size * targetLength(target);
  return targetDtype(target) === "int32" ? new Int32Array(length) : new Float32Array(length);
}

/** The targets of `size` examples as {@link TargetSpec} says: (size) for a class, else (size, length). */
export function targetTensor(target: TargetSpec, values: Float32Array | Int32Array, size: number): tf.Tensor {
  const shape = target.kind === "class" ? [size] : [size, targetLength(target)];
  return tf.tensor(values, shape, targetDtype(target));
}
