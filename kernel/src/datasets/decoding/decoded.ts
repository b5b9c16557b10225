import { permutation, type Random } from "../../pq/random";
import type { PlacedExample } from "../example";
import type { ExampleReader } from "../exampleReader";
import { StreamedExamples, type StreamInfo } from "../streamed";
import { decodeElsewhere, poolSize } from "./pool";
import type { Item, Recipe } from "./recipe";

/** A set of files, each of which is an example, or of records in files. */
export interface DecodedSet {
  /** Its one input is what the recipe makes. */
  info: StreamInfo;
  recipe: Recipe;
  itemOf: (index: number) => Item;
  targetOf: (index: number) => number;
  /** Of what is random in the recipe. */
  seed: number;
}

/** Bytes of numbers that a thread makes in one piece, and examples at most. */
const pieceBytes = 4 << 20;
const mostInPiece = 64;
/** Pieces that are in the making for each thread, so that it never waits. */
const ahead = 2;

/**
 * Examples that threads of their own decode and augment while the main loop trains. As many as a few pieces are held,
 * whatever the size of the set. What is random follows from the set's seed, the order's and the example's index, so that
 * a run that is resumed sees the same, and the number of threads changes nothing.
 */
export const decoded = (set: DecodedSet): StreamedExamples =>
  new StreamedExamples(set.info, new DecodedReader(set));

class DecodedReader implements ExampleReader {
  private readonly length: number;
  private readonly piece: number;

  constructor(private readonly set: DecodedSet) {
    this.length = set.info.inputs[0].shape.reduce((product, length) => product * length, 1);
    this.piece = Math.max(1, Math.min(mostInPiece, Math.floor(pieceBytes / (4 * this.length))));
  }

  async *examples(
    indices: Uint32Array,
    random: Random | null,
    from: number,
    signal?: AbortSignal,
  ): AsyncGenerator<PlacedExample> {
    const pass = random ? String(random()) : "in order";
    const order = random ? permutation(indices.length, random) : null;
    const queue: { chosen: number[]; values: Promise<Float32Array> }[] = [];
    let next = from;
    const [{ name }] = this.set.info.inputs;
    for (;;) {
      for (; queue.length < ahead * poolSize && next < indices.length; next += this.piece) {
        const count = Math.min(this.piece, indices.length - next);
        const chosen = Array.from({ length: count }, (_, i) => indices[order ? order[next + i] : next + i]);
        const values = this.decode(chosen, pass);
        values.catch(() => undefined); // thrown where it is waited for, if it still is
        queue.push({ chosen, values });
      }
      const piece = queue.shift();
      if (!piece) return;
      const values = await piece.values;
      for (const [i, index] of piece.chosen.entries()) {
        signal?.throwIfAborted();
        const input = values.subarray(i * this.length, (i + 1) * this.length);
        yield { index, example: { inputs: { [name]: input }, target: this.set.targetOf(index) } };
      }
    }
  }

  private decode(chosen: readonly number[], pass: string): Promise<Float32Array> {
    const { recipe, itemOf, seed, info } = this.set;
    return decodeElsewhere({
      recipe,
      items: chosen.map(itemOf),
      seeds: chosen.map((index) => [seed, info.name, "augment", pass, index].join("/")),
      length: this.length,
    });
  }
}
