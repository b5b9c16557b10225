import type { IntegerCodebooks, QuantizerShape } from "./reference";

/** Faster forms of this room's loops, with the same results to the last bit; {@link accelerate} puts them in. */
export interface Acceleration {
  /** x float32 (rows, C·V), centroids float32 (C, K, V) → codes uint8 (rows, C), into `codes` */
  encode(
    x: Float32Array,
    rows: number,
    centroids: Float32Array,
    numCodebooks: number,
    numCentroids: number,
    subvectorLength: number,
    codes: Uint8Array,
  ): void;
  /** x float32 (rows, C·V) → codes uint8 (rows, C) as `encodeIntegersReference` has them, into `codes` */
  encodeIntegers(
    x: Float32Array,
    rows: number,
    codebooks: IntegerCodebooks,
    shape: QuantizerShape,
    codes: Uint8Array,
  ): void;
  /**
   * k-means of the codebooks from `first` on, as many as `centroids` (…, K, V) holds. points float32 (rows, C·V), draws
   * float64 (C, K) in [0, 1).
   */
  kMeans(
    points: Float32Array,
    rows: number,
    numCodebooks: number,
    numCentroids: number,
    subvectorLength: number,
    iterations: number,
    draws: Float64Array,
    first: number,
    centroids: Float32Array,
  ): void;
  /** codes uint8 (rows, C), table float32 (C, K, outputs): adds to sums float32 (rows, outputs), codebooks rising. */
  lookupAdd(
    codes: Uint8Array,
    rows: number,
    table: Float32Array,
    numCodebooks: number,
    numCentroids: number,
    outputs: number,
    sums: Float32Array,
  ): void;
  /** codes uint8 (rows, C), values float32 (rows, outputs): adds to table float32 (C, K, outputs), rows rising. */
  scatterAdd(
    codes: Uint8Array,
    rows: number,
    values: Float32Array,
    numCodebooks: number,
    numCentroids: number,
    outputs: number,
    table: Float32Array,
  ): void;
  /**
   * table float32 (rows, outputs) → values int8 like it, scale float32 (outputs), as `quantizeTable` says; returns false, and
   * writes nothing, unless every entry is finite.
   */
  quantizeTable(
    table: Float32Array,
    rows: number,
    outputs: number,
    perOutput: boolean,
    limit: number,
    values: Int8Array,
    scale: Float32Array,
  ): boolean;
}

/** Answers with what there is by now, or null: each may load late, or not at all. */
type Source = { [Name in keyof Acceleration]?: () => Acceleration[Name] | null };

const sources: Source = {};

/** Says where faster forms come from; without it everything runs as plain loops, in a browser too. */
export function accelerate(source: Source): void {
  Object.assign(sources, source);
}

/** The faster form of a loop, or null. */
export function accelerated<Name extends keyof Acceleration>(name: Name): Acceleration[Name] | null {
  return sources[name]?.() ?? null;
}
