// What a file of a few bytes may ask for at most: windows, paddings and shapes are numbers, and what they make takes memory.

import { product } from "./value";

/**
 * The most numbers of one value, for all examples where the file fixes how many: 1 GiB in float32. On some larger ones TensorFlow
 * ends the process.
 */
export const mostNumbers = 2 ** 28;

/** Lengths as errors show them. */
const lengthsText = (lengths: readonly (number | null)[]): string =>
  lengths.map((length) => length?.toLocaleString("en") ?? "N").join("×") || "one number";

/** What is wrong with the lengths of a value after the batch, as the part of a sentence that says what came; null if nothing is. */
export function tooLarge(batch: number | null, lengths: readonly number[]): string | null {
  const count = (batch ?? 1) * product(lengths);
  return count <= mostNumbers ? null : lengthsText([batch, ...lengths]);
}

/** The rule that `tooLarge` is of. */
export const valueRule = (what: string): string =>
  `${what} must have at most ${mostNumbers.toLocaleString("en")} numbers`;

/**
 * The numbers that a file is allowed before it has any itself, and for each that it has: masks and positions are small beside weights, which
 * may be cast, scaled, shifted and turned.
 */
const [atLeast, times] = [2 ** 21, 16];

/**
 * What is left for what is made of a file's constants, all together: sixteen times what they have themselves, and a little. What a shape is
 * filled with one number counts as the file's, since files without their weights have such ones in their places.
 */
export class FoldingRoom {
  private made = 0;
  private filled = 0;

  /** @param numbers that the file's constants have */
  constructor(private numbers: number) {}

  /** Counts a constant of the file that comes later. */
  add(count: number): void {
    this.numbers += count;
  }

  /** The most numbers that may be made, or be filled into shapes. */
  most(isFilled: boolean): number {
    return isFilled ? mostNumbers : Math.min(mostNumbers, atLeast + times * (this.numbers + this.filled));
  }

  /** Whether there is room for a constant of these lengths; null where they are none. */
  has(lengths: readonly number[], isFilled: boolean): boolean | null {
    if (!lengths.every((length) => Number.isInteger(length) && length >= 0)) return null;
    const count = product(lengths);
    return count <= this.most(isFilled) - (isFilled ? this.filled : this.made);
  }

  take(count: number, isFilled: boolean): void {
    if (isFilled) this.filled += count;
    else this.made += count;
  }
}
