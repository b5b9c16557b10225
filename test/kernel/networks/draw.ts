/**
 * Choices of a plan for one step: numbers that fast-check generates and shrinks, read one after the other. Where they end
 * every further choice is the first one, so that a plan shrinks towards what is simplest.
 */
export class Draw {
  private at = 0;

  constructor(private readonly numbers: readonly number[]) {}

  /** A whole number from `least` to `most`. */
  integer(least: number, most: number): number {
    const number = this.numbers[this.at++] ?? 0;
    return least + (number % (most - least + 1));
  }

  of<T>(options: readonly T[]): T {
    return options[this.integer(0, options.length - 1)];
  }

  /** True in one of `times` cases. */
  sometimes(times: number): boolean {
    return this.integer(0, times - 1) === times - 1;
  }

  /** The same things in another order. */
  shuffled<T>(things: readonly T[]): T[] {
    const rest = [...things];
    return things.map(() => rest.splice(this.integer(0, rest.length - 1), 1)[0]);
  }
}
