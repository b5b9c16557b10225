import type * as tf from "@tensorflow/tfjs-node";
import type { TableBits, TableScaleMode } from "../pq/lookupTable";
import type { ConvWindow } from "./imageWindows";
import type { InputQuantizationTensors } from "./integerCodes";

/** Distance inside the soft assignment: the released code's ‖a − P‖ (`l2`) or the paper's ‖a − P‖² (`squaredL2`). */
export type SoftDistance = "l2" | "squaredL2";

/** The trained parameter: the weight (C·V, M) of a table P·W, or the table (C, K, M) itself. */
export type SoftParameter = { kind: "weight"; tensor: tf.Tensor2D } | { kind: "table"; tensor: tf.Tensor3D };

/** A checked call of the soft-PQ lookup, as every form of it takes it. */
export interface SoftLookupCall {
  /** float32 (N, C·V), or images (B, height, width, channels) with a window */
  x: tf.Tensor2D | tf.Tensor4D;
  window: ConvWindow | null;
  /** float32 (C, K, V) */
  centroids: tf.Tensor3D;
  parameter: SoftParameter;
  inverseTemperatureLogit: tf.Scalar;
  distance: SoftDistance;
  tableScale: TableScaleMode;
  tableBits: TableBits;
  /** Of codes that are defined in integers; null for those in float32. */
  integers: InputQuantizationTensors | null;
}
