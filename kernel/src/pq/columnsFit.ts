import { LutnnError } from "../errors";
import { additionsPerTurn, lookupAdd, scatterAdd, type TableSums } from "./tableSums";

/** The problem (EᵀE + ridge) X = Eᵀ(Y − E T₀) for some outputs; E the one-hot codes (N, C·K). */
export interface ColumnsProblem {
  /** Codes and sizes; `outputs` is the number of columns. */
  sums: TableSums;
  /** float64 (C·K): how often each code occurs, plus the ridge */
  diagonal: Float64Array;
  ridge: number;
  /** Called after a pass over so many rows, and waited for: the event loop's turn, and the place to abort. */
  passed: (rows: number) => Promise<void>;
}

/** Rows that are summed up in float32 before the sum goes over to double precision. */
const rowsPerSum = 4096;

/**
 * Conjugate gradients from X = 0, preconditioned with the diagonal, for all columns at once; each has its own steps and
 * its own end, so a column's result does not depend on the others. Arrays are (C·K, columns).
 */
export class ColumnsFit {
  private readonly width: number;
  private readonly size: number;
  private readonly change: Float64Array;
  private readonly residual: Float64Array;
  private readonly product: Float64Array;
  private readonly direction: Float32Array;
  /** What a chunk of rows gives, and these rows (rows, columns). */
  private readonly chunkSums: Float32Array;
  private readonly chunkRows: Float32Array;
  /** Per column: rᵀz with z the preconditioned residual r; ‖r‖² now and at the beginning. */
  private slope: Float64Array;
  private squares: Float64Array;
  private begun: Float64Array;

  constructor(private readonly problem: ColumnsProblem) {
    const { diagonal, sums } = problem;
    const width = sums.outputs;
    const size = diagonal.length * width;
    this.width = width;
    this.size = size;
    this.change = new Float64Array(size);
    this.residual = new Float64Array(size);
    this.product = new Float64Array(size);
    this.direction = new Float32Array(size);
    this.chunkSums = new Float32Array(size);
    this.chunkRows = new Float32Array(Math.min(rowsPerSum, sums.rows) * width);
    this.slope = new Float64Array(width);
    this.squares = new Float64Array(width);
    this.begun = this.squares;
  }

  /**
   * The residual at the start and the first direction: columns `first`, … of the target (N, outputs) and of the start
   * (C·K, outputs). Throws LutnnError where they are not finite.
   */
  async begin(target: Float32Array, start: Float32Array, outputs: number, first: number): Promise<void> {
    const { residual, direction, size, width } = this;
    for (let k = 0, i = 0; i < size; k++)
      for (let m = 0; m < width; m++, i++) direction[i] = -start[k * outputs + first + m];
    await this.sumOverRows(residual, (rows, from) => {
      for (let n = from, to = 0; to < rows.length; n++)
        for (let m = 0; m < width; m++) rows[to++] = target[n * outputs + first + m];
    });
    const wrong = residual.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0)
      throw new LutnnError(
        `fitTable: target and start must be finite (got a sum of ${residual[wrong]} for output ${first + (wrong % width)}); look for a division by zero or an exploding layer`,
      );
    direction.fill(0);
    this.turn();
    this.begun = this.squares;
  }

  /** One step for every column whose residual is above that share of what it was; false when none is left. */
  async step(tolerance: number): Promise<boolean> {
    const { change, residual, product, direction, begun, size, width } = this;
    const { ridge } = this.problem;
    const isLeft = this.squares.map((square, m) => (square > tolerance ** 2 * begun[m] ? 1 : 0));
    if (!isLeft.includes(1)) return false;
    await this.sumOverRows(product, (rows) => rows.fill(0));
    const curvature = new Float64Array(width);
    for (let i = 0; i < size; )
      for (let m = 0; m < width; m++, i++) {
        product[i] += ridge * direction[i];
        curvature[m] += product[i] * direction[i];
      }
    const length = this.slope.map((slope, m) => (isLeft[m] && curvature[m] > 0 ? slope / curvature[m] : 0));
    for (let i = 0; i < size; )
      for (let m = 0; m < width; m++, i++) {
        change[i] += length[m] * direction[i];
        residual[i] -= length[m] * product[i];
      }
    this.turn();
    return true;
  }

  /** Adds what was found to columns `first`, … of a table (C·K, outputs). */
  addChange(table: Float32Array, outputs: number, first: number): void {
    const { change, size, width } = this;
    for (let k = 0, i = 0; i < size; k++)
      for (let m = 0; m < width; m++, i++) table[k * outputs + first + m] += change[i];
  }

  /** The next direction: the preconditioned residual, kept conjugate to the direction before. */
  private turn(): void {
    const { residual, direction, size, width } = this;
    const { diagonal } = this.problem;
    const before = this.slope;
    const slope = new Float64Array(width);
    const squares = new Float64Array(width);
    const weights = diagonal.map((value) => (value > 0 ? 1 / value : 0)); // a code that never occurs stays
    for (let k = 0, i = 0; i < size; k++)
      for (let m = 0; m < width; m++, i++) {
        const square = residual[i] ** 2;
        squares[m] += square;
        slope[m] += square * weights[k];
      }
    const keep = slope.map((value, m) => (before[m] > 0 ? value / before[m] : 0));
    for (let k = 0, i = 0; i < size; k++)
      for (let m = 0; m < width; m++, i++) direction[i] = residual[i] * weights[k] + keep[m] * direction[i];
    this.slope = slope;
    this.squares = squares;
  }

  /**
   * sums = Eᵀ(R + E·direction); `fill` writes R for the rows from a given one on. In chunks of rows: what a pass needs
   * stays in the caches, and no float32 sum is long.
   */
  private async sumOverRows(
    sums: Float64Array,
    fill: (rows: Float32Array, from: number) => void,
  ): Promise<void> {
    const { direction, chunkSums, chunkRows } = this;
    const { sums: shape, passed } = this.problem;
    const { codes, rows, numCodebooks, outputs } = shape;
    const perTurn = Math.ceil(additionsPerTurn() / (numCodebooks * outputs));
    sums.fill(0);
    for (let first = 0; first < rows; first += rowsPerSum) {
      const end = Math.min(rows, first + rowsPerSum);
      chunkSums.fill(0);
      for (let from = first; from < end; from += perTurn) {
        const count = Math.min(perTurn, end - from);
        const own = codes.subarray(from * numCodebooks, (from + count) * numCodebooks);
        const part = { ...shape, codes: own, rows: count };
        const values = chunkRows.subarray(0, count * outputs);
        fill(values, from);
        lookupAdd(part, direction, values);
        scatterAdd(part, values, chunkSums);
        await passed(count);
      }
      for (let i = 0; i < sums.length; i++) sums[i] += chunkSums[i];
    }
  }
}
