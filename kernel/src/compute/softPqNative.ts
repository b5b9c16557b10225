// The soft-PQ lookup by our operators inside TensorFlow (native/src/fronts/tensorflow): the exact gradient at little more than
// the dense layer's cost, in blocks, so that nothing but x is kept for it and windows of images are never laid out.

import * as tf from "@tensorflow/tfjs-node";
import type { LookupTable, TableScaleMode } from "../pq/lookupTable";
import type { ConvWindow } from "./imageWindows";
import type { SoftLookupCall, SoftParameter } from "./softPqCall";
import { runOperator } from "./tensorflowOperator";

/** The operators' `window`; empty for the rows of a matrix. */
const windowNumbers = (window: ConvWindow | null): number[] =>
  window
    ? [
        window.filterHeight,
        window.filterWidth,
        window.strideHeight,
        window.strideWidth,
        window.dilationHeight,
        window.dilationWidth,
        window.padTop,
        window.padLeft,
        window.padBottom,
        window.padRight,
      ]
    : [];

/** See {@link SoftLookupCall}. */
export function softLookupNative(call: SoftLookupCall): tf.Tensor {
  const {
    x,
    window,
    centroids,
    parameter,
    inverseTemperatureLogit,
    distance,
    tableScale,
    tableBits,
    integers,
  } = call;
  const shared = { from_weight: parameter.kind === "weight", window: { int: windowNumbers(window) } };
  const forward = {
    ...shared,
    bits: { int: tableBits === "float" ? 0 : tableBits },
    scale_per_output: tableScale === "output",
  };
  const backward = { ...shared, squared: distance === "squaredL2" };
  const lookup = tf.customGrad((...args) => {
    const inputs = args.slice(0, 4) as tf.Tensor[]; // x, centroids, parameter, θ
    const save = args[4] as tf.GradSaveFunc;
    save(inputs);
    return {
      value: integers
        ? runOperator(
            "LutnnIntegerLookup",
            forward,
            [...inputs.slice(0, 3), integers.scale, integers.zeroPoint],
            1,
          )[0]
        : runOperator("LutnnSoftLookup", forward, inputs.slice(0, 3), 1)[0],
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        runOperator("LutnnSoftLookupGrad", backward, [...saved, dy], 4),
    };
  });
  return lookup(x, centroids, parameter.tensor, inverseTemperatureLogit);
}

/**
 * The table as the forward pass rounds it to integers: int8 (C, K, M) and its scale float32 (M); null where it is not
 * finite. centroids (C, K, V).
 * @param bits at most 8
 */
export function roundedTableNative(
  centroids: tf.Tensor3D,
  { kind, tensor }: SoftParameter,
  mode: TableScaleMode,
  bits: number,
): LookupTable | null {
  const attributes = {
    from_weight: kind === "weight",
    bits: { int: bits },
    scale_per_output: mode === "output",
  };
  const [values, scale] = runOperator("LutnnRoundedTable", attributes, [centroids, tensor], 2);
  const packed = values.dataSync() as Int32Array<ArrayBuffer>;
  const real = scale.dataSync() as Float32Array;
  tf.dispose([values, scale]);
  const entries = centroids.shape[0] * centroids.shape[1] * real.length;
  return Number.isNaN(real[0])
    ? null
    : { values: new Int8Array(packed.buffer, packed.byteOffset, entries), scale: real };
}

/** T_c = P_c W_c exactly as the forward pass computes it: centroids (C, K, V), weight (C·V, M) → (C, K, M). */
export function realTableNative(centroids: tf.Tensor3D, weight: tf.Tensor2D): tf.Tensor3D {
  return runOperator("LutnnTable", {}, [centroids, weight], 1)[0] as tf.Tensor3D;
}
