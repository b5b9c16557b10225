import { LutnnError } from "../errors";
import { ColumnsFit } from "./columnsFit";
import { checkCodes, checkQuantizerShape } from "./productQuantizer";
import type { QuantizerShape } from "./reference";
import { takingTurns } from "./turns";

export interface FitTableOptions {
  /** Ridge towards the start, times the mean count of a code (default 1e-3). */
  lambda?: number;
  /** Steps of conjugate gradients at most (default 8: then rows that were not seen fit as well as they do at the end). */
  maxIterations?: number;
  /** An output's steps end when its residual is below this share of what it was (default 1e-3). */
  tolerance?: number;
  signal?: AbortSignal;
  /** Called with the share that is done, rising to 1. */
  onProgress?: (share: number) => void;
}

/** Outputs that are fitted at once. Each is a problem of its own, so this bounds memory and changes no result. */
const outputsAtOnce = 64;

/**
 * Ridge fit of a lookup table from where it starts: T = argmin ‖E T − Y‖² + λ·N/K·‖T − T₀‖², E the one-hot codes
 * (N, C·K), by a few steps of conjugate gradients preconditioned with the counts of the codes. N/K is the mean count of a
 * code, so λ means the same at any N. Beside its arguments it holds some (C, K, 64) numbers; E and EᵀE never exist.
 *
 * codes uint8 (N, C), target float32 (N, M), start float32 (C, K, M) → float32 (C, K, M). The same to the last bit with
 * and without native code, and for any number of threads. Yields to the event loop. Throws LutnnError on arrays that do
 * not fit or are not finite, and the signal's reason within some ten milliseconds when aborted.
 */
export async function fitTable(
  codes: Uint8Array,
  target: Float32Array,
  start: Float32Array,
  shape: QuantizerShape,
  options: FitTableOptions = {},
): Promise<Float32Array> {
  const { lambda = 1e-3, maxIterations = 8, tolerance = 1e-3, signal, onProgress } = options;
  const { rows, outputs } = checkedSizes(codes, target, start, shape);
  checkOption("lambda", lambda);
  checkOption("maxIterations", maxIterations);
  checkOption("tolerance", tolerance);
  const counts = countCodes(codes, shape);
  const table = start.slice();
  const pause = takingTurns(signal);
  const ridge = (lambda * rows) / shape.numCentroids;
  for (let first = 0; first < outputs; first += outputsAtOnce) {
    const count = Math.min(outputsAtOnce, outputs - first);
    const rowsInAll = rows * (maxIterations + 1);
    let rowsDone = 0;
    const columns = new ColumnsFit({
      sums: { ...shape, codes, rows, outputs: count },
      diagonal: Float64Array.from(counts, (n) => n + ridge),
      ridge,
      passed: (n) => {
        rowsDone += n;
        onProgress?.((first + (count * rowsDone) / rowsInAll) / outputs);
        return pause();
      },
    });
    await columns.begin(target, table, outputs, first);
    for (let step = 0; step < maxIterations; step++) if (!(await columns.step(tolerance))) break;
    columns.addChange(table, outputs, first);
    onProgress?.((first + count) / outputs);
  }
  return table;
}

function checkOption(name: string, value: number): void {
  if (!(value >= 0 && value < Number.POSITIVE_INFINITY))
    throw new LutnnError(`fitTable: ${name} must be a number from 0 (got ${value})`);
}

function checkedSizes(
  codes: Uint8Array,
  target: Float32Array,
  start: Float32Array,
  shape: QuantizerShape,
): { rows: number; outputs: number } {
  checkQuantizerShape("fitTable", shape);
  const { numCodebooks, numCentroids } = shape;
  const rows = codes.length / numCodebooks;
  const outputs = start.length / (numCodebooks * numCentroids);
  if (rows === 0 || !Number.isInteger(rows))
    throw new LutnnError(
      `fitTable: the codes must be a non-empty matrix of C = ${numCodebooks} columns (got ${codes.length} codes)`,
    );
  if (outputs === 0 || !Number.isInteger(outputs))
    throw new LutnnError(
      `fitTable: the start must be a table of C·K = ${numCodebooks * numCentroids} rows (got ${start.length} numbers)`,
    );
  if (target.length !== rows * outputs)
    throw new LutnnError(
      `fitTable: the target must hold N·M = ${rows * outputs} numbers (got ${target.length}) for ${rows} rows of codes`,
    );
  checkCodes("fitTable", codes, numCentroids);
  return { rows, outputs };
}

/** How often each code occurs, (C, K). */
function countCodes(codes: Uint8Array, { numCodebooks, numCentroids }: QuantizerShape): Uint32Array {
  const counts = new Uint32Array(numCodebooks * numCentroids);
  for (let i = 0; i < codes.length; )
    for (let c = 0; c < numCodebooks; c++, i++) counts[c * numCentroids + codes[i]]++;
  return counts;
}
