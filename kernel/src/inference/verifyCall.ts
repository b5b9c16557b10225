import type { ExportedLookup } from "../layers/lookupLayer";
import { encodeIntegersReference, encodeReference, lookupReference } from "../pq/reference";
import { NearTies } from "./nearTies";

/** Rows of the same integer sums: scaling rounds twice, a fused multiply-add once; relative to the row's largest. */
const ROUNDING = 1e-6;

/** One call of a replaced layer, native against the TypeScript reference and against the file's function. */
export interface LayerVerification {
  /** The layer's name, with `#2` and so on for later calls of a layer that is used again. */
  layer: string;
  codes: number;
  /** Codes in which native and reference differ. */
  codesDifferent: number;
  sums: number;
  /** Integer sums in which native and reference differ. */
  sumsDifferent: number;
  /** Output rows (positions) compared. */
  rows: number;
  /** Output rows that ONNX Runtime's function gives differently. */
  rowsDifferent: number;
  /** Of those, rows that no choice among nearly equal centroids explains: these are errors. */
  rowsUnexplained: number;
}

/** What was computed for a call, rows as the layer's `inputRows`. */
export interface ComputedCall {
  layer: string;
  lookup: ExportedLookup;
  /** float32 (rows, D) */
  windows: Float32Array;
  /** uint8 (rows, C), native */
  codes: Uint8Array;
  /** codes of the reference → int32 (rows, M), native */
  accumulate(codes: Uint8Array): Int32Array;
  /** float32 (rows, M), native, before the activation */
  native: Float32Array;
  /** float32 (rows, M), ONNX Runtime, before the activation */
  file: Float32Array;
}

/** Entries that differ; what one of the two lacks is different. */
function countDifferent(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) count++;
  return count;
}

const largest = (row: Float32Array): number =>
  row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Compares a call's results with the reference and with each other. */
export function verifyCall(call: ComputedCall): LayerVerification {
  const { lookup, windows, native, file } = call;
  const { outputs } = lookup;
  const length = lookup.numCodebooks * lookup.subvectorLength;
  const rows = windows.length / length;
  const codes = lookup.integers
    ? encodeIntegersReference(windows, rows, lookup.integers, lookup)
    : encodeReference(windows, rows, lookup.centroids, lookup);
  const sums = call.accumulate(codes);
  const wantedSums = lookupReference(codes, rows, lookup.lookupTable, lookup, outputs);
  const ties = new NearTies(lookup, (row) => ROUNDING * largest(row));
  let rowsDifferent = 0;
  let rowsUnexplained = 0;
  for (let n = 0; n < rows; n++) {
    const [ours, theirs] = [native, file].map((y) => y.subarray(n * outputs, (n + 1) * outputs));
    if (countDifferent(ours, theirs) === 0 && ours.length === outputs) continue;
    rowsDifferent++;
    const x = windows.subarray(n * length, (n + 1) * length);
    if (![ours, theirs].every((y) => y.length === outputs && ties.explain(x, y))) rowsUnexplained++;
  }
  return {
    layer: call.layer,
    codes: codes.length,
    codesDifferent: countDifferent(call.codes, codes),
    sums: wantedSums.length,
    sumsDifferent: countDifferent(sums, wantedSums),
    rows,
    rowsDifferent,
    rowsUnexplained,
  };
}

/** Two parts of the same call's verification as one. */
export function addVerifications(a: LayerVerification, b: LayerVerification): LayerVerification {
  return {
    layer: a.layer,
    codes: a.codes + b.codes,
    codesDifferent: a.codesDifferent + b.codesDifferent,
    sums: a.sums + b.sums,
    sumsDifferent: a.sumsDifferent + b.sumsDifferent,
    rows: a.rows + b.rows,
    rowsDifferent: a.rowsDifferent + b.rowsDifferent,
    rowsUnexplained: a.rowsUnexplained + b.rowsUnexplained,
  };
}
