// The two products of a fit of a table, E being the one-hot codes (N, C·K): E·T looks up and adds, Eᵀ·Y adds each row to
// the entries that it looks up. Neither E nor EᵀE exists.

import { accelerated } from "./acceleration";

/** What rows look up in a table float32 (C, K, M). */
export interface TableSums {
  /** uint8 (N, C), each below K */
  codes: Uint8Array;
  /** N */
  rows: number;
  /** C */
  numCodebooks: number;
  /** K */
  numCentroids: number;
  /** M */
  outputs: number;
}

/** sums[n] += Σ_c table[c][code of n in c], c rising: table float32 (C, K, M), sums float32 (N, M). */
export function lookupAdd(shape: TableSums, table: Float32Array, sums: Float32Array): void {
  const { codes, rows, numCodebooks, numCentroids, outputs } = shape;
  const fast = accelerated("lookupAdd");
  if (fast) {
    fast(codes, rows, table, numCodebooks, numCentroids, outputs, sums);
    return;
  }
  for (let n = 0; n < rows; n++)
    for (let c = 0; c < numCodebooks; c++) {
      const entries = (c * numCentroids + codes[n * numCodebooks + c]) * outputs;
      for (let m = 0; m < outputs; m++) sums[n * outputs + m] += table[entries + m];
    }
}

/** table[c][code of n in c] += values[n], n rising: values float32 (N, M), table float32 (C, K, M). */
export function scatterAdd(shape: TableSums, values: Float32Array, table: Float32Array): void {
  const { codes, rows, numCodebooks, numCentroids, outputs } = shape;
  const fast = accelerated("scatterAdd");
  if (fast) {
    fast(codes, rows, values, numCodebooks, numCentroids, outputs, table);
    return;
  }
  for (let n = 0; n < rows; n++)
    for (let c = 0; c < numCodebooks; c++) {
      const entries = (c * numCentroids + codes[n * numCodebooks + c]) * outputs;
      for (let m = 0; m < outputs; m++) table[entries + m] += values[n * outputs + m];
    }
}

/** Additions between two looks at the clock: some ten milliseconds, natively and in plain loops. */
export const additionsPerTurn = (): number => (accelerated("scatterAdd") ? 6e7 : 6e6);
