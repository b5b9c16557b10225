import { type FitTableOptions, fitTable } from "./fitTable";
import type { QuantizerShape } from "./reference";
import { lookupAdd } from "./tableSums";

/** Ridges that are tried, rising; the first is the one that is taken where there are rows enough. */
export const ridges: readonly number[] = [1e-3, 0.05, 0.2, 0.8, 3];

/** Of each block of rows the last fifth is held out: neighbours, as the tokens of a sentence, stay together. */
const longestBlock = 1000;
const heldOutShare = 0.2;
/** Outputs that are looked at, evenly spread: the ridge is one for all. */
const mostOutputs = 64;

/** The columns of rows (N, outputs), some of both. */
function take(
  values: Float32Array,
  outputs: number,
  rows: readonly number[],
  columns: readonly number[],
): Float32Array {
  const taken = new Float32Array(rows.length * columns.length);
  let at = 0;
  for (const row of rows) for (const column of columns) taken[at++] = values[row * outputs + column];
  return taken;
}

function takeCodes(codes: Uint8Array, numCodebooks: number, rows: readonly number[]): Uint8Array {
  const taken = new Uint8Array(rows.length * numCodebooks);
  rows.forEach((row, i) => {
    taken.set(codes.subarray(row * numCodebooks, (row + 1) * numCodebooks), i * numCodebooks);
  });
  return taken;
}

/**
 * The ridge λ of {@link fitTable} by which a table fitted on four fifths of the rows errs least on the rest, of
 * {@link ridges}; a larger one is only tried while the one before it was better. Arguments as fitTable takes them. The same
 * with and without native code.
 */
export async function heldOutRidge(
  codes: Uint8Array,
  target: Float32Array,
  start: Float32Array,
  shape: QuantizerShape,
  options: Pick<FitTableOptions, "signal" | "onProgress"> = {},
): Promise<number> {
  const { signal, onProgress } = options;
  const { numCodebooks, numCentroids } = shape;
  const rows = codes.length / numCodebooks;
  const outputs = start.length / (numCodebooks * numCentroids);
  const block = Math.max(1, Math.min(longestBlock, Math.floor(rows / 5)));
  const isHeldOut = (row: number) => row % block >= (1 - heldOutShare) * block;
  const all = Array.from({ length: rows }, (_, row) => row);
  const [learnt, held] = [all.filter((row) => !isHeldOut(row)), all.filter(isHeldOut)];
  if (learnt.length === 0 || held.length === 0) return ridges[0];
  const count = Math.min(outputs, mostOutputs);
  const columns = Array.from({ length: count }, (_, i) => Math.floor((i * outputs) / count));
  const entries = Array.from({ length: numCodebooks * numCentroids }, (_, entry) => entry);
  const startTaken = take(start, outputs, entries, columns);
  const [codesLearnt, codesHeld] = [learnt, held].map((some) => takeCodes(codes, numCodebooks, some));
  const [wanted, wantedHeld] = [learnt, held].map((some) => take(target, outputs, some, columns));
  let best = { ridge: ridges[0], error: Number.POSITIVE_INFINITY };
  for (const [i, ridge] of ridges.entries()) {
    const table = await fitTable(codesLearnt, wanted, startTaken, shape, {
      lambda: ridge,
      signal,
      onProgress: (share) => onProgress?.((i + share) / ridges.length),
    });
    const sums = new Float32Array(held.length * count);
    lookupAdd({ ...shape, codes: codesHeld, rows: held.length, outputs: count }, table, sums);
    const error = sums.reduce((sum, value, at) => sum + (value - wantedHeld[at]) ** 2, 0);
    if (error >= best.error) break;
    best = { ridge, error };
  }
  onProgress?.(1);
  return best.ridge;
}
