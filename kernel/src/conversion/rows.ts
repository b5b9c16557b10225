import * as tf from "@tensorflow/tfjs-node";
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

/** Rows (…, D) of a tensor, as numbers. @param rows what makes rows of it @param indices which of them */
export function gatherRows(
  x: tf.Tensor,
  rows: (x: tf.Tensor) => tf.Tensor2D,
  indices: Uint32Array,
): Float32Array {
  return valuesOf(() => tf.gather(rows(x), tf.tensor1d(Int32Array.from(indices), "int32")));
}

/** Takes chosen rows out of batches that come one after the other. */
export class RowSampler {
  private seen = 0;
  private at = 0;
  private readonly parts: Float32Array[] = [];

  /** @param chosen indices among all real rows, rising */
  constructor(
    private readonly call: TargetCall,
    private readonly chosen: Uint32Array,
  ) {}

  /** Takes what is chosen of the next batch. @param x what the call receives */
  add(x: tf.Tensor, size: number, mask: Batch["mask"], rows = this.call.operator.rows): void {
    const real = realRows(this.call, mask);
    const count = real?.length ?? size * this.call.operator.positions;
    const from = this.at;
    while (this.at < this.chosen.length && this.chosen[this.at] < this.seen + count) this.at++;
    if (this.at > from) {
      const local = this.chosen.subarray(from, this.at).map((index) => index - this.seen);
      this.parts.push(gatherRows(x, rows, real ? local.map((index) => real[index]) : local));
    }
    this.seen += count;
  }

  /** float32 (rows, D) */
  values(): Float32Array {
    return concatenate(this.parts);
  }
}

/** Arrays one after the other. */
export function concatenate(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
