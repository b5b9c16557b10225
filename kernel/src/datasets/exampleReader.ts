import { LutnnError } from "../errors";
import { permutation, type Random } from "../pq/random";
import type { Example, PlacedExample } from "./example";

/** Something that gives chosen examples of a stream. */
export interface ExampleReader {
  /**
   * The examples at these indices, in this order or, with `random`, in an order that follows from it; all but the first
   * `from` of them.
   */
  examples(
    indices: Uint32Array,
    random: Random | null,
    from: number,
    signal?: AbortSignal,
  ): AsyncIterable<PlacedExample>;
}

/** Reads each example by its index; shuffles by index. */
export class IndexedReader implements ExampleReader {
  constructor(private readonly read: (index: number) => Example | Promise<Example>) {}

  async *examples(
    indices: Uint32Array,
    random: Random | null,
    from: number,
    signal?: AbortSignal,
  ): AsyncGenerator<PlacedExample> {
    const order = random ? permutation(indices.length, random) : null;
    for (let i = from; i < indices.length; i++) {
      signal?.throwIfAborted();
      const index = indices[order ? order[i] : i];
      yield { index, example: await this.read(index) };
    }
  }
}

/** Opens a stream that always begins at the first example. */
export type OpenStream = (signal?: AbortSignal) => AsyncIterable<Example> | Iterable<Example>;

/**
 * Reads a stream from its beginning, as often as it must, and never holds more than `buffer` examples: rising indices
 * take one pass; other orders take a pass for every `buffer` examples; shuffling draws each next example at random from
 * a buffer that the stream refills.
 */
export class SequentialReader implements ExampleReader {
  constructor(
    private readonly name: string,
    private readonly open: OpenStream,
    private readonly buffer: number,
  ) {}

  async *examples(
    indices: Uint32Array,
    random: Random | null,
    from: number,
    signal?: AbortSignal,
  ): AsyncGenerator<PlacedExample> {
    let left = from;
    const all = random ? this.shuffled(indices, random, signal) : this.ordered(indices, signal);
    for await (const placed of all) if (left-- <= 0) yield placed;
  }

  /** Those at rising indices (an index may repeat), in one pass. */
  private async *pass(indices: Uint32Array, signal?: AbortSignal): AsyncGenerator<PlacedExample> {
    let at = 0;
    let index = 0;
    for await (const example of this.open(signal)) {
      signal?.throwIfAborted();
      for (; indices[at] === index; at++) yield { index, example };
      if (at === indices.length) return;
      index++;
    }
    throw new LutnnError(
      `${this.name}: the stream must give the examples that its size says (it ended after ${index}, and ${indices[at] + 1} are needed); correct its size`,
    );
  }

  private async *ordered(indices: Uint32Array, signal?: AbortSignal): AsyncGenerator<PlacedExample> {
    for (let at = 0; at < indices.length; ) {
      const run = risingFrom(indices, at);
      if (run >= this.buffer || at + run === indices.length) {
        yield* this.pass(indices.subarray(at, at + run), signal);
        at += run;
        continue;
      }
      const wanted = indices.subarray(at, at + this.buffer);
      const held = new Map<number, PlacedExample>();
      for await (const placed of this.pass(wanted.slice().sort(), signal)) held.set(placed.index, placed);
      for (const index of wanted) yield held.get(index)!;
      at += wanted.length;
    }
  }

  private async *shuffled(
    indices: Uint32Array,
    random: Random,
    signal?: AbortSignal,
  ): AsyncGenerator<PlacedExample> {
    const held: PlacedExample[] = [];
    const draw = () => Math.floor(random() * held.length);
    for await (const placed of this.pass(indices.slice().sort(), signal)) {
      if (held.length < this.buffer) {
        held.push(placed);
        continue;
      }
      const at = draw();
      const out = held[at];
      held[at] = placed;
      yield out;
    }
    while (held.length > 0) {
      const at = draw();
      const out = held[at];
      held[at] = held[held.length - 1];
      held.pop();
      yield out;
    }
  }
}

/** Length of the run of rising (or equal) indices that begins there. */
function risingFrom(indices: Uint32Array, from: number): number {
  let to = from + 1;
  while (to < indices.length && indices[to] >= indices[to - 1]) to++;
  return to - from;
}
