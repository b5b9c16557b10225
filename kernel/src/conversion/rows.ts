import type * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../compute/valuesOf";
import type { Batch, ExampleSource } from "../datasets/examples";
import { disposeBatch } from "../datasets/examples";
import { sampleIndices, seededRandom } from "../pq/random";
import type { TargetCall } from "./targets";

/** Whether a call gives one row for each position of the sequences that a mask is about. */
function isMasked({ node, operator }: TargetCall, length: number): boolean {
  return node.outputShapes[0].length === 3 && operator.positions === length;
}

/** Rows of a batch that are real, as indices into all its rows: padding is left out. Null where all are. */
export function realRows(call: TargetCall, mask?: Batch["mask"]): Uint32Array | null {
  if (!mask || !isMasked(call, mask.shape[1])) return null;
  return placesIn(mask);
}

/** Where a mask (B, T) says real: indices into all B·T. */
export function placesIn(mask: tf.Tensor2D): Uint32Array {
  const real = mask.dataSync();
  return Uint32Array.from(real.keys()).filter((row) => real[row] !== 0);
}

/** How many they are. */
export const countRows = (call: TargetCall, { size, mask }: Pick<Batch, "size" | "mask">): number =>
  realRows(call, mask)?.length ?? size * call.operator.positions;

/** Rows that a call gives for a data set, padding left out; a pass over the data where they have a mask. */
export async function countRealRows(
  calls: readonly TargetCall[],
  data: ExampleSource,
  batchSize: number,
  signal: AbortSignal,
): Promise<Map<TargetCall, number>> {
  const counts = new Map(calls.map((call) => [call, 0]));
  for await (const batch of data.batches(batchSize, { signal })) {
    const { mask } = batch;
    if (!mask) {
      disposeBatch(batch);
      return new Map(calls.map((call) => [call, data.size * call.operator.positions]));
    }
    for (const call of calls) counts.set(call, counts.get(call)! + countRows(call, batch));
    disposeBatch(batch);
  }
  return counts;
}

/** Which of all rows are taken: `wanted` of them, evenly likely, in rising order. */
export const chooseRows = (name: string, total: number, wanted: number, seed: number): Uint32Array =>
  sampleIndices(total, wanted, seededRandom(seed, name, "rows", wanted));

/** Numbers that rows may take at once, beside those that are kept. */
const numbersAtOnce = 2 ** 22;

/** How many rows of so many numbers are made at once. */
export const rowsAtOnce = (length: number): number => Math.max(1, Math.floor(numbersAtOnce / length));

/** What a call receives, in one batch. */
export interface ReceivedBatch extends Pick<Batch, "size" | "mask"> {
  x: tf.Tensor;
}

/** Rows of what a call receives, known by their place among all real rows of the batches, and made as they are asked for. */
export class ReceivedRows {
  /** How many real rows the batches up to each have. */
  private readonly ends: number[] = [];
  private readonly real: (Uint32Array | null)[];

  constructor(
    private readonly call: TargetCall,
    private readonly batches: readonly ReceivedBatch[],
  ) {
    this.real = batches.map(({ mask }) => realRows(call, mask));
    let end = 0;
    for (const [b, { size }] of batches.entries()) {
      end += this.real[b]?.length ?? size * call.operator.positions;
      this.ends.push(end);
    }
  }

  get count(): number {
    return this.ends[this.ends.length - 1] ?? 0;
  }

  /**
   * Some rows, or what is made of them, as numbers: float32 (places, length).
   * @param places rising
   * @param made from rows (…, D) of one batch: (…, length)
   */
  gather(places: Uint32Array, length: number, made = (rows: tf.Tensor2D) => rows): Float32Array {
    const out = new Float32Array(places.length * length);
    const most = rowsAtOnce(this.call.operator.inputLength);
    let at = 0;
    for (const [b, { x }] of this.batches.entries()) {
      const begin = b === 0 ? 0 : this.ends[b - 1];
      const real = this.real[b];
      while (at < places.length && places[at] < this.ends[b]) {
        let to = at;
        while (to < places.length && places[to] < this.ends[b] && to - at < most) to++;
        const local = places.subarray(at, to).map((place) => (real ? real[place - begin] : place - begin));
        out.set(
          valuesOf(() => made(this.call.operator.rowsAt(x, local))),
          at * length,
        );
        at = to;
      }
    }
    return out;
  }
}

/** Takes chosen rows out of batches that come one after the other. */
export class RowSampler {
  /** float32 (rows, D), those chosen so far at the beginning */
  readonly values: Float32Array;
  private seen = 0;
  private at = 0;

  /** @param chosen indices among all real rows, rising */
  constructor(
    private readonly call: TargetCall,
    private readonly chosen: Uint32Array,
  ) {
    this.values = new Float32Array(chosen.length * call.operator.inputLength);
  }

  /** Takes what is chosen of the next batch. */
  add(batch: ReceivedBatch): void {
    const received = new ReceivedRows(this.call, [batch]);
    const from = this.at;
    while (this.at < this.chosen.length && this.chosen[this.at] < this.seen + received.count) this.at++;
    const local = this.chosen.subarray(from, this.at).map((index) => index - this.seen);
    const length = this.call.operator.inputLength;
    if (local.length > 0) this.values.set(received.gather(local, length), from * length);
    this.seen += received.count;
  }
}

/** Arrays one after the other. */
export function concatenate(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0];
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
