import type * as tf from "@tensorflow/tfjs-node";
import type { InputGradient } from "../compute/straightThrough";
import { LutnnError } from "../errors";
import { isFixed } from "./fixedShapes";
import type { GraphNode } from "./graph";
import { kindOf, kinds } from "./kinds/index";
import { shapeText } from "./shapeText";

/** A convolution or a dense layer seen as rows times a matrix: y = rows(x)·W + bias, D and the rows channel-major. */
export interface LinearOperator {
  op: "conv1d" | "conv2d" | "dense";
  /** N: rows that one input gives. */
  positions: number;
  /** D */
  inputLength: number;
  /** M */
  outputs: number;
  /** Positions of the filter: 1 for a dense layer. */
  filterArea: number;
  /** x (B, …) → float32 (B·N, D) */
  rows(x: tf.Tensor): tf.Tensor2D;
  /** Some of these rows alone, by their numbers: float32 (numbers, D) */
  rowsAt(x: tf.Tensor, indices: Uint32Array): tf.Tensor2D;
  /** float32 (D, M); the caller disposes. */
  weight(): tf.Tensor2D;
  /** float32 (M), or null without bias */
  bias(): Float32Array | null;
  /**
   * The gradient of what is looked up, given that of x·W: of a convolution's input (a sequence as images of height 1 will
   * do), of a dense layer's rows.
   */
  inputGradient: InputGradient;
}

/** Why a layer cannot be replaced by a lookup, as one sentence; null when it can. */
export function replaceFault(layer: tf.layers.Layer): string | null {
  const kind = kindOf(layer);
  const what = `${layer.name} (${layer.getClassName()})`;
  if (!kind?.lookupTwin)
    return `${what}: a layer that is replaced must be of a kind with a lookup twin (got ${layer.getClassName()}); ${kinds
      .flatMap(({ lookupTwin, classNames }) => (lookupTwin ? classNames : []))
      .join(", ")} have one`;
  const fault = kind.lookupFault?.(layer) ?? null;
  return fault === null ? null : `${what}: ${fault}`;
}

/** Whether a layer has a lookup twin. */
export const isReplaceable = (layer: tf.layers.Layer): boolean => replaceFault(layer) === null;

/** The linear operator of one call of a layer that can be replaced. Throws LutnnError on another. */
export function linearOperator(node: GraphNode): LinearOperator {
  const fault = replaceFault(node.layer);
  if (fault !== null) throw new LutnnError(fault);
  const shape = node.outputShapes[0];
  if (!isFixed(shape))
    throw new LutnnError(
      `${node.key}: the sizes of what the layer makes must be fixed (got ${shapeText(shape)}); give the network's input a fixed size`,
    );
  return kindOf(node.layer)!.linear!(node);
}
