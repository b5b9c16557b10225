/** Layers that TensorFlow.js lacks; they train, are stored with a network and exported like its own. */

import type * as tf from "@tensorflow/tfjs-node";
import { Attention } from "./kinds/attention";
import { HardSwish } from "./kinds/hardSwish";

export { Affine, type AffineConfig } from "./kinds/affine";
export { Elementwise, type ElementwiseConfig, type ElementwiseOperation } from "./kinds/elementwise";
export { Expand } from "./kinds/expand";
export { MaskedMean } from "./kinds/maskedMean";
export { MatMul } from "./kinds/matMul";
export { Padding } from "./kinds/padding";
export { PositionEmbedding, type PositionEmbeddingConfig } from "./kinds/positionEmbedding";
export { Reduce, type ReductionName } from "./kinds/reduce";
export { Slice, type SliceConfig } from "./kinds/slice";
export { SeededDropout, type SeededDropoutConfig } from "./seededDropout";
export { Attention, HardSwish };

/** What every layer takes. */
export interface LayerOptions {
  name?: string;
}

/**
 * Attention in several heads on [query, key, value] or [query, key, value, mask], without weights of its own: see
 * {@link Attention}. The layers before and behind it are ordinary dense layers.
 */
export const attention = (options: LayerOptions & { numHeads: number }): tf.layers.Layer =>
  new Attention({ ...options });

/** x · min(max(x / 6 + ½, 0), 1). */
export const hardSwish = (options: LayerOptions = {}): tf.layers.Layer => new HardSwish({ ...options });
