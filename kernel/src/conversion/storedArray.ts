import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";

/** Element types that a conversion keeps. */
export type StoredValues = Float32Array | Float64Array | Int32Array | Uint8Array;

/** An array outside tf.js' memory that never changes, known by its content. */
export class StoredArray {
  private known?: string;
  private sum?: number;

  constructor(
    readonly shape: readonly number[],
    readonly values: StoredValues,
  ) {}

  /** SHA-256 over type, shape and content. */
  get digest(): string {
    const { values, shape } = this;
    this.known ??= createHash("sha256")
      .update(`${values.constructor.name} ${shape.join("×")}\n`)
      .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
      .digest("hex");
    return this.known;
  }

  /** CRC-32 of the content: cheaper than a digest, enough to tell the states of one conversion apart. */
  get checksum(): number {
    this.sum ??= crc32(this.values);
    return this.sum;
  }

  get bytes(): number {
    return this.values.byteLength;
  }

  /** The same content as an array of floats, which most of them are. */
  get floats(): Float32Array {
    return this.values instanceof Float32Array ? this.values : Float32Array.from(this.values);
  }
}

/** A layer's weights, in the layer's order. */
export type LayerWeights = readonly StoredArray[];

export function weightsOf(layer: tf.layers.Layer): LayerWeights {
  return layer.getWeights().map((weight) => new StoredArray(weight.shape, weight.dataSync() as Float32Array));
}

/** Throws LutnnError on weights that are not of the layer's shapes. */
export function setWeights(layer: tf.layers.Layer, weights: LayerWeights): void {
  const shapes = (list: readonly { shape: readonly (number | null)[] }[]) =>
    list.map(({ shape }) => `[${shape.join(", ")}]`).join(", ") || "none";
  const [wanted, got] = [shapes(layer.weights), shapes(weights)];
  if (wanted !== got)
    throw new LutnnError(
      `${layer.name}: the weights that were stored must be of the shapes ${wanted} (got ${got}); the stored conversion is damaged`,
    );
  tf.tidy(() => layer.setWeights(weights.map(({ shape, floats }) => tf.tensor(floats, shape as number[]))));
}

/** Named arrays, such as what a method has learnt of a layer. */
export type NamedArrays = Readonly<Record<string, StoredArray>>;
