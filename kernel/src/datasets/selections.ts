import { LutnnError } from "../errors";
import { permutation, sampleIndices, seededRandom } from "../pq/random";
import { derived } from "./derivation";

/**
 * What follows from selecting examples by index. Every selection keeps the name of its origin and shares no state with
 * it; seeds are combined with the name, so that two data sets of one seed are shuffled differently.
 */
export abstract class Selections<Self> {
  abstract readonly name: string;
  /** Examples. */
  abstract readonly size: number;

  /** The examples at these indices, in this order. Throws LutnnError on an index that there is not. */
  abstract select(indices: ArrayLike<number>): Self;

  /** The class of each example where there is one and it is known without reading: (size). */
  protected classes(): ArrayLike<number> | null {
    return null;
  }

  /** Throws LutnnError on indices that there are not, or on none at all. */
  protected checkIndices(indices: ArrayLike<number>): void {
    if (indices.length === 0)
      throw new LutnnError(
        `${this.name}: a selection must hold at least one of the ${this.size} examples (got none)`,
      );
    for (let i = 0; i < indices.length; i++)
      if (!Number.isInteger(indices[i]) || indices[i] < 0 || indices[i] >= this.size)
        throw new LutnnError(
          `${this.name}: indices must be integers from 0 to ${this.size - 1} (got ${indices[i]})`,
        );
  }

  private checkCount(verb: string, count: number, least: number): void {
    if (!Number.isInteger(count) || count < least)
      throw new LutnnError(`${this.name}: ${verb} needs an integer of at least ${least} (got ${count})`);
  }

  /** The first `count` examples, all when there are fewer. */
  take(count: number): Self {
    this.checkCount("take", count, 1);
    return derived(this, `.take(${count})`, this.select(range(0, Math.min(count, this.size))));
  }

  /** All but the first `count` examples; at least one must be left. */
  skip(count: number): Self {
    this.checkCount("skip", count, 0);
    return derived(this, `.skip(${count})`, this.select(range(Math.min(count, this.size), this.size)));
  }

  /** In random order. */
  shuffle(seed = 0): Self {
    const order = permutation(this.size, seededRandom(seed, this.name, "shuffle"));
    return derived(this, `.shuffle(${seed})`, this.select(order));
  }

  /** `count` examples chosen at random, in their original order; all when there are fewer. */
  sample(count: number, seed = 0): Self {
    this.checkCount("sample", count, 1);
    const indices = sampleIndices(this.size, count, seededRandom(seed, this.name, "sample"));
    return derived(this, `.sample(${count}, ${seed})`, this.select(indices));
  }

  /**
   * Two parts chosen at random, of about `fraction` and 1 − `fraction`, each in the original order; `count` examples go
   * to the first when given as an integer above 1. Where the class of every example is known, every class keeps its
   * share to within one example (stratified).
   */
  split(fraction: number, seed = 0): [Self, Self] {
    const wanted = fraction > 1 ? fraction : Math.round(fraction * this.size);
    if (!(Number.isInteger(wanted) && wanted > 0 && wanted < this.size))
      throw new LutnnError(
        `split: both parts must be non-empty (asked for ${fraction} of ${this.size} examples); give a fraction between 0 and 1 or a count below ${this.size}`,
      );
    const order = permutation(this.size, seededRandom(seed, this.name, "split"));
    const classes = this.classes();
    const ranked = classes ? interleaved(order, classes) : order;
    const part = (from: number, to: number) => this.select(ranked.slice(from, to).sort());
    return [
      derived(this, `.split(${fraction}, ${seed})[0]`, part(0, wanted)),
      derived(this, `.split(${fraction}, ${seed})[1]`, part(wanted, this.size)),
    ];
  }
}

const range = (from: number, to: number) => Uint32Array.from({ length: to - from }, (_, i) => from + i);

/** An order cut anywhere in which every class has its share on both sides: by relative position within the class. */
function interleaved(order: Uint32Array, classes: ArrayLike<number>): Uint32Array {
  const members = new Map<number, number[]>();
  for (const index of order) {
    const own = members.get(classes[index]);
    if (own) own.push(index);
    else members.set(classes[index], [index]);
  }
  const ranked = [...members.values()].flatMap((own) =>
    own.map((index, position) => ({ index, position: (position + 0.5) / own.length })),
  );
  ranked.sort((a, b) => a.position - b.position || a.index - b.index);
  return Uint32Array.from(ranked, ({ index }) => index);
}
