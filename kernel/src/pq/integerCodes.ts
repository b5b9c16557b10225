// Codes defined in integers, as part of the model: every runtime and instruction set gives the same ones, because nothing in
// a score is rounded. Inputs are bytes by a scale and zero point of the layer, centroids int8 by a scale of their codebook:
//   a·P − ½‖P‖² ≈ inputScale · centroidScale · (Σ (q − zeroPoint)·p − halfNorm),   halfNorm = ½ Σ p² · centroidScale / inputScale
// so that scores compare within a codebook, and neither scale is needed to find the largest.

import { LutnnError } from "../errors";
import { accelerated } from "./acceleration";
import { roundHalfToEven } from "./lookupTable";
import { checkFinite, SizedQuantizer } from "./productQuantizer";
import {
  encodeIntegersReference,
  type InputQuantization,
  type IntegerCodebooks,
  type QuantizerShape,
} from "./reference";
import { bitsOf, middles, numBins, triedShares } from "./sizeBins";

/** In which numbers codes are defined; see DESIGN: "two definitions of a code". */
export type CodeKind = "float32" | "int8";

/** Of a sub-vector with integer codes: sums of products and half norms stay below 2²⁴, where float32 has every integer. */
export const MAX_INTEGER_LENGTH = 256;
/** Half norms are no larger: such a centroid lies so far outside of what bytes hold that it is never the nearest. */
export const MAX_HALF_NORM = 2 ** 23;
/** Largest size of an entry of a centroid. */
export const MAX_CENTROID = 127;
/** Zero points: of inputs that cannot be negative, and of others. */
export const NON_NEGATIVE_ZERO_POINT = 0;
export const SIGNED_ZERO_POINT = 128;

/** Throws LutnnError unless sub-vectors are short enough for integer codes; `what` opens the sentence. */
export function checkIntegerLength(what: string, subvectorLength: number): void {
  if (subvectorLength > MAX_INTEGER_LENGTH)
    throw new LutnnError(
      `${what}: subvectorLength (V) must be at most ${MAX_INTEGER_LENGTH} for codes in int8 (got ${subvectorLength}); choose a smaller one, or codes in float32`,
    );
}

/** Throws LutnnError unless it is a scale above 0 and a byte; `what` opens the sentence. */
export function checkInputQuantization(what: string, { scale, zeroPoint }: InputQuantization): void {
  if (!(scale > 0 && scale < Number.POSITIVE_INFINITY) || Math.fround(scale) !== scale)
    throw new LutnnError(
      `${what}: the input's scale must be a float32 above 0 (got ${scale}); calibrate chooses one`,
    );
  if (!Number.isInteger(zeroPoint) || zeroPoint < 0 || zeroPoint > 255)
    throw new LutnnError(
      `${what}: the input's zero point must be an integer from 0 to 255 (got ${zeroPoint}); calibrate chooses one`,
    );
}

/** How many numbers of x there are of each size. */
function countSizes(x: Float32Array): Uint32Array {
  const counts = new Uint32Array(numBins);
  for (const bits of bitsOf(x)) counts[(bits & 0x7fffffff) >>> 16]++;
  return counts;
}

/** Σ (x − x̂)², about: sizes beyond a limit are cut off, others rounded to steps. */
function squaredError(counts: Uint32Array, limit: number, step: number): number {
  const rounding = step ** 2 / 12;
  let error = 0;
  for (let i = 1; i < counts.length; i++)
    if (counts[i] > 0) {
      const size = middles[i];
      error += counts[i] * (size > limit ? (size - limit) ** 2 : Math.min(size ** 2, rounding));
    }
  return error;
}

/**
 * Scale and zero point for inputs like those of x: the scale whose rounding and cutting off together move them least, in squares,
 * as distances to centroids are measured. Of inputs that cannot be negative all 8 bits serve. Throws LutnnError on numbers
 * that are not finite, and on none.
 */
export function chooseInputQuantization(x: Float32Array, isNonNegative: boolean): InputQuantization {
  if (x.length === 0) throw new LutnnError("chooseInputQuantization: there must be inputs (got none)");
  checkFinite("chooseInputQuantization", x);
  const zeroPoint = isNonNegative ? NON_NEGATIVE_ZERO_POINT : SIGNED_ZERO_POINT;
  const steps = isNonNegative ? 255 : 127;
  const counts = countSizes(x);
  const largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let best = { limit: largest, error: Number.POSITIVE_INFINITY };
  for (const share of triedShares) {
    const limit = largest * share;
    const error = squaredError(counts, limit, limit / steps);
    if (error < best.error) best = { limit, error };
  }
  return { scale: Math.fround(best.limit / steps) || Math.fround(largest / steps) || 1, zeroPoint };
}

/**
 * The integers of some centroids float32 (C, K, V). centroidScale_c = largest |P_c| / 127, p = round(P / centroidScale),
 * halfNorm = min(round(½ Σ p² · (centroidScale / inputScale)), 2²³), each operation rounded to float32 and halves to even,
 * as tf.js computes it while it trains. Throws LutnnError on centroids that are not finite, and on too long ones.
 */
export function quantizeCodebooks(
  centroids: Float32Array,
  shape: QuantizerShape,
  input: InputQuantization,
): IntegerCodebooks {
  checkIntegerLength("quantizeCodebooks", shape.subvectorLength);
  checkInputQuantization("quantizeCodebooks", input);
  checkFinite("quantizeCodebooks", centroids);
  const { numCodebooks, numCentroids, subvectorLength } = shape;
  const made = new Int8Array(centroids.length);
  const halfNorms = new Int32Array(numCodebooks * numCentroids);
  const bookLength = numCentroids * subvectorLength;
  for (let c = 0; c < numCodebooks; c++) {
    let largest = 0;
    for (let i = c * bookLength; i < (c + 1) * bookLength; i++)
      largest = Math.max(largest, Math.abs(centroids[i]));
    const scale = Math.fround(largest / MAX_CENTROID) || 1;
    const ratio = Math.fround(scale / input.scale);
    for (let k = c * numCentroids; k < (c + 1) * numCentroids; k++) {
      let squares = 0;
      for (let i = k * subvectorLength; i < (k + 1) * subvectorLength; i++) {
        const steps = roundHalfToEven(Math.fround(centroids[i] / scale));
        made[i] = Math.min(Math.max(steps, -MAX_CENTROID), MAX_CENTROID);
        squares += made[i] ** 2;
      }
      const halfNorm = Math.fround(0.5 * squares * ratio);
      halfNorms[k] = halfNorm < MAX_HALF_NORM ? roundHalfToEven(halfNorm) : MAX_HALF_NORM;
    }
  }
  return { input, centroids: made, halfNorms };
}

/** A product quantiser whose codes are defined in integers. */
export class IntegerQuantizer extends SizedQuantizer {
  readonly codebooks: IntegerCodebooks;

  /** @param centroids float32 (C, K, V), which are rounded */
  constructor(shape: QuantizerShape, centroids: Float32Array, input: InputQuantization) {
    super("IntegerQuantizer", shape, centroids);
    this.codebooks = quantizeCodebooks(centroids, shape, input);
  }

  /** x float32 (N, C·V) → codes uint8 (N, C). */
  encode(x: Float32Array): Uint8Array {
    const rows = this.rowsOf("encode", x, this.inputLength);
    const fast = accelerated("encodeIntegers");
    if (!fast) return encodeIntegersReference(x, rows, this.codebooks, this);
    const codes = new Uint8Array(rows * this.numCodebooks);
    fast(x, rows, this.codebooks, this, codes);
    return codes;
  }
}
