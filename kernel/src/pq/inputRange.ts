// Bytes for the inputs of a dense layer: a range around 0 that need not be symmetric, chosen from what many batches hold.

import { LutnnError } from "../errors";
import type { InputQuantization } from "./reference";
import { bitsOf, middles, numBins, triedShares } from "./sizeBins";

/** Steps between the least and the largest byte. */
const steps = 255;
/** Steps to each side of 0 where it is in the middle. */
const symmetricSteps = 127;

/** The sizes of the numbers of one sign. */
class Side {
  /** By bin: how many numbers. */
  readonly counts = new Float64Array(numBins);
  largest = 0;

  /** Σ 1, Σ size and Σ size² of the bins from each on, and of none at the end. */
  tails(): { count: Float64Array; sum: Float64Array; squares: Float64Array } {
    const [count, sum, squares] = [0, 1, 2].map(() => new Float64Array(numBins + 1));
    for (let i = numBins - 1; i >= 0; i--) {
      const [size, number] = [middles[i], this.counts[i]];
      const isThere = number > 0; // the last bins hold no finite number
      count[i] = count[i + 1] + number;
      sum[i] = sum[i + 1] + (isThere ? number * size : 0);
      squares[i] = squares[i + 1] + (isThere ? number * size * size : 0);
    }
    return { count, sum, squares };
  }
}

const binOf = (size: number): number => (bitsOf(Float32Array.of(size))[0] & 0x7fffffff) >>> 16;

/** How often numbers of each sign and size were seen. */
export class ValueCounts {
  private readonly sides = { negative: new Side(), positive: new Side() };
  /** Numbers so far. */
  count = 0;
  /** Whether one of them was no finite number. */
  hasOthers = false;

  add(x: Float32Array): void {
    const { negative, positive } = this.sides;
    const bits = bitsOf(x);
    let [least, most] = [-negative.largest, positive.largest];
    for (let i = 0; i < x.length; i++) {
      const bin = (bits[i] & 0x7fffffff) >>> 16;
      (bits[i] >>> 31 ? negative : positive).counts[bin]++;
      if (x[i] < least) least = x[i];
      if (x[i] > most) most = x[i];
      if (!Number.isFinite(x[i])) this.hasOthers = true;
    }
    [negative.largest, positive.largest] = [-least, most];
    this.count += x.length;
  }

  /** The least and the largest number, 0 among them. */
  get range(): [number, number] {
    return [-this.sides.negative.largest || 0, this.sides.positive.largest];
  }

  /** What cutting sizes off and rounding them cost, in squares; side 0 is that of negative numbers. */
  private errors(what: string) {
    if (this.count === 0 || this.hasOthers)
      throw new LutnnError(
        `${what}: there must be finite numbers to choose a range for (got ${this.count === 0 ? "none" : "others"})`,
      );
    const tails = [this.sides.negative, this.sides.positive].map((side) => side.tails());
    return {
      /** Σ (size − limit)² of the sizes beyond. */
      cutOff(side: number, limit: number): number {
        const { count, sum, squares } = tails[side];
        const from = binOf(limit) + 1;
        return squares[from] - 2 * limit * sum[from] + limit ** 2 * count[from];
      },
      /** Σ of a step's mean squared rounding, or of the square of what becomes 0. */
      rounding(step: number): number {
        const small = binOf(step / Math.sqrt(12)) + 1;
        return tails.reduce(
          (all, { count, squares }) => all + (squares[0] - squares[small]) + (count[small] * step ** 2) / 12,
          0,
        );
      },
    };
  }

  /**
   * The step of 127 bytes to each side of 0 whose rounding and cutting off together move these numbers least, in squares. Throws
   * LutnnError where there are none, or one is not finite.
   */
  symmetricScale(): number {
    const errors = this.errors("symmetricScale");
    const largest = Math.max(this.sides.negative.largest, this.sides.positive.largest);
    let best = { step: 0, error: Number.POSITIVE_INFINITY };
    for (const share of largest > 0 ? triedShares : []) {
      const limit = share * largest;
      const step = limit / symmetricSteps;
      const error = errors.cutOff(0, limit) + errors.cutOff(1, limit) + errors.rounding(step);
      if (error < best.error) best = { step, error };
    }
    return Math.fround(best.step) || 1;
  }

  /**
   * Scale and zero point whose rounding and cutting off together move these numbers least, in squares; 0 is a byte, and the
   * least one where none is negative. Throws LutnnError where there are none, or one is not finite.
   */
  quantization(): InputQuantization {
    const { cutOff, rounding } = this.errors("quantization");
    const sides = [this.sides.negative, this.sides.positive];
    const tried = sides.map(({ largest }, side) =>
      (largest > 0 ? triedShares : [0]).map((share) => {
        const limit = share * largest;
        return { limit, error: cutOff(side, limit) };
      }),
    );
    let best = { below: 0, step: 0, error: Number.POSITIVE_INFINITY };
    for (const below of tried[0])
      for (const above of tried[1]) {
        const step = (below.limit + above.limit) / steps;
        const error = below.error + above.error + rounding(step);
        if (error < best.error) best = { below: below.limit, step, error };
      }
    const scale = Math.fround(best.step) || 1;
    return { scale, zeroPoint: Math.min(Math.round(best.below / scale), steps) };
  }
}
