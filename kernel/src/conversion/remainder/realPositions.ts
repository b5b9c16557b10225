import type * as tf from "@tensorflow/tfjs-node";
import { placesIn } from "../rows";

/**
 * Which rows of a batch's value (B, T, …) are of real positions, as a mask (B, T) says: indices into all B·T. Null where all
 * are, or the value has no such positions.
 */
export function realPositions(x: tf.Tensor, mask?: tf.Tensor2D): Uint32Array | null {
  if (!mask || x.rank !== 3 || x.shape[1] !== mask.shape[1]) return null;
  return placesIn(mask);
}
