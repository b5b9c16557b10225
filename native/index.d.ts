/** Instruction sets that a microkernel file exists for. */
export type Isa = "scalar" | "avx2" | "avx512" | "avx512vbmi" | "amx" | "neon" | "neondot";

/** Compiled in and supported by this processor, fastest first. */
export function availableIsas(): Isa[];

/** The one that runs: the fastest available, or what LUTNN_FORCE_ISA names (loading throws when it is not available). */
export const isa: Isa;

/**
 * What this processor could do at most with that instruction set, measured in some 20 ms: multiply-adds and lookups with
 * their sums from registers alone, and bytes read from memory. 0 where there is no measurement.
 */
export function peakRates(): {
  multiplyAddsPerNanosecond: number;
  lookupsPerNanosecond: number;
  bytesPerNanosecond: number;
};

/** A replaced layer as its arrays; they are copied into the kernels' own layout when the operator is made. */
export interface Lookup {
  /** C ≥ 1. */
  numCodebooks: number;
  /** K, 2 … 256. */
  numCentroids: number;
  /** V ≥ 1. */
  subvectorLength: number;
  /** M ≥ 1. */
  outputs: number;
  /** float32 (C, K, V) */
  centroids: Float32Array;
  /** int8 (C, K, M) */
  lookupTable: Int8Array;
  /** float32 (M): real value = int8 × scale */
  tableScale: Float32Array;
  /** float32 (M) */
  bias: Float32Array;
}

/** A convolution's window on x (batch, inputChannels, height, width); sub-vectors are (channel, row, column). */
export interface Window {
  /** inputChannels · filterHeight · filterWidth = C · V, and V a multiple of filterHeight · filterWidth. */
  inputChannels: number;
  filterHeight: number;
  filterWidth: number;
  strideHeight: number;
  strideWidth: number;
  dilationHeight: number;
  dilationWidth: number;
  padTop: number;
  padLeft: number;
  padBottom: number;
  padRight: number;
}

/** How an operator is made. */
export interface OperatorOptions {
  /**
   * In which numbers inputs are compared with centroids. "int8" rounds both, with scales that follow each row, or each
   * codebook's channels: faster with AVX-512 VNNI or NEON dot products, and some codes differ (see `mismatch`).
   * Elsewhere the same codes take about as long as "float32", by "scalar" much longer. "tree" compares with thresholds.
   * "integer" has codes that are defined in integers, the same on every instruction set and in other runtimes.
   * Default "float32".
   */
  encoding?: "float32" | "int8" | "tree" | "integer";
  /** For encoding "integer": the quantiser. Centroids of the lookup are not read then, and `mismatch` is refused. */
  integers?: IntegerCodes;
  /** For encoding "tree": codes by comparisons, as Maddness has them, with the same lookup; K is 16. */
  tree?: Tree;
}

/**
 * q = clamp(round(x / inputScale) + inputZeroPoint, 0, 255), the quotient a float32, halves to the even number, NaN to 0;
 * code = argmax_k Σ_v (q_v − inputZeroPoint)·p_kv − halfNorm_k in int32, of equal ones the lowest. V is at most 256.
 */
export interface IntegerCodes {
  /** A float32 above 0. */
  inputScale: number;
  /** 0 … 255 */
  inputZeroPoint: number;
  /** int8 (C, K, V), within ±127 */
  centroids: Int8Array;
  /** int32 (C, K), 0 … 2²³ */
  halfNorms: Int32Array;
}

/**
 * From node 0 of level 0 on, level l compares element dimensions[l] of the sub-vector with its node's threshold and goes on
 * to node 2 i + 1 where it is greater, else to 2 i; after 4 levels that is the code. Centroids then serve `mismatch` only.
 */
export interface Tree {
  /** int32 (C, 4), each below V */
  dimensions: Int32Array;
  /** float32 (C, 15): of level 0, then two of level 1, four of level 2 and eight of level 3 */
  thresholds: Float32Array;
}

/** What follows a layer and is computed along with it, and how. */
export interface RunOptions {
  /** As long as y, and added to it; it may be y itself. */
  residual?: Float32Array;
  /** Negative results become 0, after the residual was added. */
  relu?: boolean;
  /** Threads that share the work, 1 … 256; default 1. The results are the same for any number. */
  threads?: number;
  /** Only the rows, or images of the batch, from `from` to before `to` are computed; the others of y stay as they are. */
  from?: number;
  to?: number;
  /** Added to: the ms that encoding, and that looking up took (2). */
  times?: Float64Array;
}

/** How a long run is cut into pieces. */
export interface PieceOptions extends Omit<RunOptions, "from" | "to"> {
  /** Stops the run before its next piece; the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
  /** ms after which other events get their turn, as nearly as whole rows or images allow; default 20. */
  milliseconds?: number;
}

/**
 * y = scale · Σ_c table[c][code_c(x)] + bias on the rows of a matrix.
 * Every method throws TypeError or RangeError on arrays of the wrong type or length, before anything is written.
 */
export class LutMatMul {
  constructor(lookup: Lookup, options?: OperatorOptions);
  /** x float32 (rows, C·V) → y float32 (rows, M). */
  run(x: Float32Array, rows: number, y: Float32Array, options?: RunOptions): void;
  /**
   * All arguments are read and checked once; the function that is returned runs with them whenever it is called, and
   * throws TypeError when one of the arrays has been transferred or resized in between. It holds on to the arrays.
   */
  bind(x: Float32Array, rows: number, y: Float32Array, options?: RunOptions): () => void;
  /** The same in pieces, between which interrupts, timers and messages get through. Leave the arrays alone meanwhile. */
  runInPieces(x: Float32Array, rows: number, y: Float32Array, options?: PieceOptions): Promise<void>;
  /** x float32 (rows, C·V) → codes uint8 (rows, C). */
  encode(x: Float32Array, rows: number, codes: Uint8Array): void;
  /** codes uint8 (rows, C) → sums int32 (rows, M), the integer sums before scale and bias. */
  lookup(codes: Uint8Array, rows: number, sums: Int32Array): void;
  /** Share, 0 … 1, of the codes of x that are not those of encoding "float32"; "integer" throws TypeError. */
  mismatch(x: Float32Array, rows: number): number;
}

/** The same for a convolution; positions are (batch, output row, output column). */
export class LutConv {
  constructor(lookup: Lookup, window: Window, options?: OperatorOptions);
  /** [output height, output width] for an input of this size. Throws RangeError when the filter does not fit. */
  outputSize(height: number, width: number): [number, number];
  /** x float32 (batch, channels, height, width) → y float32 (batch, M, output height, output width). */
  run(
    x: Float32Array,
    batch: number,
    height: number,
    width: number,
    y: Float32Array,
    options?: RunOptions,
  ): void;
  /** As {@link LutMatMul.bind}. */
  bind(
    x: Float32Array,
    batch: number,
    height: number,
    width: number,
    y: Float32Array,
    options?: RunOptions,
  ): () => void;
  /** The same in pieces of whole images, between which interrupts, timers and messages get through. */
  runInPieces(
    x: Float32Array,
    batch: number,
    height: number,
    width: number,
    y: Float32Array,
    options?: PieceOptions,
  ): Promise<void>;
  /** x → codes uint8 (positions, C). */
  encode(x: Float32Array, batch: number, height: number, width: number, codes: Uint8Array): void;
  /** codes uint8 (positions, C) → sums int32 (positions, M). */
  lookup(codes: Uint8Array, positions: number, sums: Int32Array): void;
  /** Share, 0 … 1, of the codes of x that are not those of encoding "float32"; "integer" throws TypeError. */
  mismatch(x: Float32Array, batch: number, height: number, width: number): number;
}

/**
 * Adds what rows look up in a table of floats: sums[n] += Σ_c table[c][code of n in c], c rising. codes uint8 (rows, C),
 * table float32 (C, K, outputs), sums float32 (rows, outputs). The same to the last bit for every instruction set and any
 * number of threads, 1 … 256 (default 1). Throws TypeError or RangeError as the classes do, codes from K on among them.
 */
export function lookupAdd(
  codes: Uint8Array,
  rows: number,
  table: Float32Array,
  numCodebooks: number,
  numCentroids: number,
  outputs: number,
  sums: Float32Array,
  options?: { threads?: number },
): void;

/**
 * The transposed sum: table[c][code of n in c] += values[n] for all codebooks, rows rising. values float32
 * (rows, outputs), the rest as {@link lookupAdd}.
 */
export function scatterAdd(
  codes: Uint8Array,
  rows: number,
  values: Float32Array,
  numCodebooks: number,
  numCentroids: number,
  outputs: number,
  table: Float32Array,
  options?: { threads?: number },
): void;

/**
 * A real table as INT8, zero point 0: scale = largest |entry| / limit (1 where that rounds to 0) of each output, or with
 * perOutput false of the whole table; values = entry / scale in float32, rounded half to even. table float32 (rows, outputs),
 * a row for each codebook and centroid; values int8 like it, scale float32 (outputs); limit 1 … 127. Returns false, and
 * writes nothing, unless every entry is finite. Throws TypeError or RangeError as the classes do.
 */
export function quantizeTable(
  table: Float32Array,
  rows: number,
  outputs: number,
  perOutput: boolean,
  limit: number,
  values: Int8Array,
  scale: Float32Array,
): boolean;

/**
 * Codes of the rows of x alone: x float32 (rows, C·V), centroids float32 (C, K, V) → codes uint8 (rows, C).
 * For k-means, whose centroids change with every call.
 */
export function encode(
  x: Float32Array,
  rows: number,
  centroids: Float32Array,
  numCodebooks: number,
  numCentroids: number,
  subvectorLength: number,
  codes: Uint8Array,
): void;

/** The same with codes that are defined in integers. */
export function encodeIntegers(
  x: Float32Array,
  rows: number,
  integers: IntegerCodes,
  numCodebooks: number,
  numCentroids: number,
  subvectorLength: number,
  codes: Uint8Array,
): void;
