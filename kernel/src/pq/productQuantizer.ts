import { LutnnError } from "../errors";
import { accelerated } from "./acceleration";
import { encodeReference, type QuantizerShape } from "./reference";

/** Checks K, V and C; `what` opens the error's sentence. */
export function checkQuantizerShape(what: string, shape: QuantizerShape): void {
  const { numCodebooks, numCentroids, subvectorLength } = shape;
  if (!Number.isInteger(numCentroids) || numCentroids < 2 || numCentroids > 256)
    throw new LutnnError(
      `${what}: numCentroids (K) must be an integer from 2 to 256 (got ${numCentroids}); the paper uses 16`,
    );
  if (!Number.isInteger(subvectorLength) || subvectorLength < 1)
    throw new LutnnError(
      `${what}: subvectorLength (V) must be a positive integer (got ${subvectorLength}); the paper uses 9 for 3×3 convolutions, 4 for 1×1 and 32 for dense layers`,
    );
  if (!Number.isInteger(numCodebooks) || numCodebooks < 1)
    throw new LutnnError(`${what}: numCodebooks (C) must be a positive integer (got ${numCodebooks})`);
}

/** Throws unless every number is finite; `what` opens the error's sentence. */
export function checkFinite(what: string, values: Float32Array): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]))
      throw new LutnnError(
        `${what}: all values must be finite (got ${values[i]} at index ${i}); look for a division by zero or an exploding layer`,
      );
}

/** Throws unless every code is below K; `what` opens the error's sentence. */
export function checkCodes(what: string, codes: Uint8Array, numCentroids: number): void {
  const wrong = codes.findIndex((code) => code >= numCentroids);
  if (wrong >= 0)
    throw new LutnnError(
      `${what}: all codes must be below K = ${numCentroids} (got ${codes[wrong]} at index ${wrong}); use what encode gives for these centroids`,
    );
}

/** The sizes of a product quantiser and of what it takes. */
export abstract class SizedQuantizer implements QuantizerShape {
  readonly numCodebooks: number;
  readonly numCentroids: number;
  readonly subvectorLength: number;

  /**
   * @param what opens errors
   * @param centroids (C, K, V)
   */
  constructor(what: string, shape: QuantizerShape, centroids: ArrayLike<number>) {
    checkQuantizerShape(what, shape);
    this.numCodebooks = shape.numCodebooks;
    this.numCentroids = shape.numCentroids;
    this.subvectorLength = shape.subvectorLength;
    const wanted = this.numCodebooks * this.numCentroids * this.subvectorLength;
    if (centroids.length !== wanted)
      throw new LutnnError(
        `${what}: centroids must hold C·K·V numbers (got ${centroids.length}, wanted ${wanted})`,
      );
  }

  /** D = C·V. */
  get inputLength(): number {
    return this.numCodebooks * this.subvectorLength;
  }

  protected rowsOf(what: string, x: ArrayLike<number>, length: number): number {
    if (x.length === 0 || x.length % length !== 0)
      throw new LutnnError(
        `${what}: the array's length must be a positive multiple of ${length} (got ${x.length})`,
      );
    return x.length / length;
  }
}

/**
 * Centroids of a product quantiser.
 * encode: nearest centroid of each sub-vector; decode: back to vectors.
 */
export class ProductQuantizer extends SizedQuantizer {
  /** @param centroids float32 (C, K, V); kept, not copied */
  constructor(
    shape: QuantizerShape,
    readonly centroids: Float32Array,
  ) {
    super("ProductQuantizer", shape, centroids);
  }

  /** x float32 (N, C·V) → codes uint8 (N, C). */
  encode(x: Float32Array): Uint8Array {
    const rows = this.rowsOf("encode", x, this.inputLength);
    const fast = accelerated("encode");
    if (!fast) return encodeReference(x, rows, this.centroids, this);
    const codes = new Uint8Array(rows * this.numCodebooks);
    fast(x, rows, this.centroids, this.numCodebooks, this.numCentroids, this.subvectorLength, codes);
    return codes;
  }

  /** codes uint8 (N, C), each below K → float32 (N, C·V): every sub-vector replaced by its centroid. */
  decode(codes: Uint8Array): Float32Array {
    const rows = this.rowsOf("decode", codes, this.numCodebooks);
    checkCodes("decode", codes, this.numCentroids);
    const x = new Float32Array(rows * this.inputLength);
    const length = this.subvectorLength;
    for (let i = 0; i < codes.length; i++) {
      const from = ((i % this.numCodebooks) * this.numCentroids + codes[i]) * length;
      x.set(this.centroids.subarray(from, from + length), i * length);
    }
    return x;
  }
}
