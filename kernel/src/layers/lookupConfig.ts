import type { SoftDistance } from "../compute/softPq";
import type { CodeKind } from "../pq/integerCodes";
import type { TableBits, TableScaleMode } from "../pq/lookupTable";
import type { InputQuantization, IntegerCodebooks, QuantizerShape } from "../pq/reference";

/** How a layer looks up; part of its serialised config. */
export interface LookupConfig {
  /** K */
  numCentroids: number;
  /** V */
  subvectorLength: number;
  /**
   * Where the table comes from: `weight` recomputes P·W from the layer's weight (the paper), `table` holds the table
   * itself as the trained parameter (after a least-squares fit).
   */
  tableSource: "weight" | "table";
  tableScale: TableScaleMode;
  /** More than 8 is for training alone. */
  tableBits: TableBits;
  distance: SoftDistance;
  /** In which numbers codes are defined, in training and inference alike. Default "float32". */
  codes?: CodeKind;
}

/** The arrays of a lookup layer; exactly one of `weight` and `table` is there, as the config's tableSource says. */
export interface LookupWeights {
  /** float32 (C, K, V) */
  centroids: Float32Array;
  /** float32 (D, M), D channel-major */
  weight?: Float32Array;
  /** float32 (C, K, M) */
  table?: Float32Array;
  /** float32 (M); null for a layer without bias */
  bias: Float32Array | null;
  /** How inputs become bytes; there where the config's codes are "int8". */
  input?: InputQuantization;
  /** θ; the inverse temperature is softplus(θ) + 1 */
  inverseTemperatureLogit: number;
}

/** What inference needs of a replaced layer. */
export interface ExportedLookup extends QuantizerShape {
  /** M */
  outputs: number;
  /** float32 (C, K, V) */
  centroids: Float32Array;
  /** The quantiser, where codes are defined in integers; then `centroids` are what it was rounded from. */
  integers?: IntegerCodebooks;
  /** int8 (C, K, M) */
  lookupTable: Int8Array;
  /** float32 (M) */
  tableScale: Float32Array;
  /** float32 (M); zeros for a layer without bias */
  bias: Float32Array;
}
