import type { ExportedLookup } from "../layers/lookupLayer";
import { encodeIntegersReference, scaleSumsReference } from "../pq/reference";

/** Best and second-best score closer than this, relative to the larger's terms: runtimes may choose differently. */
export const NEAR_TIE = 1e-5;

/** Choices of near-tied centroids that are tried one by one; beyond, swaps are looked for that bring a row closer. */
const combinationsTried = 256;

/** What becomes of rows scale · sums + bias float32 (count, M) before they leave the layer: its activation. */
export type Finish = (rows: Float32Array, count: number) => Float32Array;

/** How far a row may be from the one that a choice of centroids gives; `finished` is that row. */
export type RowTolerance = (finished: Float32Array, unfinished: Float32Array) => number;

/**
 * Explains output rows of a lookup: a row is explained when it is what the lookup gives with, in every codebook, the
 * nearest centroid or one whose score is within {@link NEAR_TIE} of it (codes in integers have no near ties). Nothing else is: a row that is near to a tie but
 * holds other numbers stays unexplained.
 */
export class NearTies {
  constructor(
    private readonly lookup: ExportedLookup,
    private readonly tolerance: RowTolerance,
    private readonly finish: Finish = (rows) => rows,
  ) {}

  /** @param x float32 (D) @param y float32 (M) */
  explain(x: Float32Array, y: Float32Array): boolean {
    const choices = this.choices(x);
    const combinations = choices.reduce((product, { length }) => product * length, 1);
    return combinations <= combinationsTried ? this.tryAll(choices, y) : this.pursue(choices, y);
  }

  /** For each codebook the centroids that a runtime may choose, the best first: of codes in integers that one alone. */
  private choices(x: Float32Array): number[][] {
    const { integers } = this.lookup;
    if (integers) return Array.from(encodeIntegersReference(x, 1, integers, this.lookup), (k) => [k]);
    const { numCodebooks, numCentroids, subvectorLength, centroids } = this.lookup;
    return Array.from({ length: numCodebooks }, (_, c) => {
      const scores = Array.from({ length: numCentroids }, (_, k) => {
        const at = (c * numCentroids + k) * subvectorLength;
        let score = 0;
        let size = 0;
        for (let v = 0; v < subvectorLength; v++) {
          const [a, p] = [x[c * subvectorLength + v], centroids[at + v]];
          score += p * (a - p / 2);
          size += Math.abs(p * a) + (p * p) / 2;
        }
        return { k, score, size };
      });
      scores.sort((a, b) => b.score - a.score || a.k - b.k);
      const [best] = scores;
      return scores
        .filter(({ score, size }) => best.score - score <= NEAR_TIE * Math.max(best.size, size))
        .map(({ k }) => k);
    });
  }

  /** How far the row of a choice of codes is from y, in units of what is allowed. */
  private distance(codes: readonly number[], y: Float32Array): { within: boolean; squared: number } {
    const { numCentroids, outputs, lookupTable, tableScale, bias } = this.lookup;
    const sums = new Int32Array(outputs);
    codes.forEach((k, c) => {
      const row = (c * numCentroids + k) * outputs;
      for (let m = 0; m < outputs; m++) sums[m] += lookupTable[row + m];
    });
    const unfinished = scaleSumsReference(sums, tableScale, bias);
    const finished = this.finish(unfinished, 1);
    const allowed = this.tolerance(finished, unfinished);
    let within = true;
    let squared = 0;
    for (let m = 0; m < outputs; m++) {
      const difference = Math.abs(finished[m] - y[m]);
      if (!(difference <= allowed)) within = false;
      squared += difference * difference;
    }
    return { within, squared };
  }

  private tryAll(choices: readonly number[][], y: Float32Array): boolean {
    const codes = choices.map(([best]) => best);
    const from = (c: number): boolean => {
      if (c === choices.length) return this.distance(codes, y).within;
      return choices[c].some((k) => {
        codes[c] = k;
        return from(c + 1);
      });
    };
    return from(0);
  }

  /** Takes the swap that brings the row closest, again and again, until it fits or no swap helps. */
  private pursue(choices: readonly number[][], y: Float32Array): boolean {
    const codes = choices.map(([best]) => best);
    let current = this.distance(codes, y);
    while (!current.within) {
      let best: { c: number; k: number; squared: number } | null = null;
      for (const [c, options] of choices.entries())
        for (const k of options) {
          if (k === codes[c]) continue;
          const { squared } = this.distance(
            codes.map((code, at) => (at === c ? k : code)),
            y,
          );
          if (squared < (best?.squared ?? current.squared)) best = { c, k, squared };
        }
      if (!best) return false;
      codes[best.c] = best.k;
      current = this.distance(codes, y);
    }
    return true;
  }
}
