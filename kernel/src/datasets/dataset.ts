import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { permutation, seededRandom } from "../pq/random";
import type { TargetSpec } from "../tasks/target";
import type { Batch, BatchOptions, ExampleSource, InputSpec } from "./examples";

/** What every reader gives: images in memory, channels last. */
export interface DatasetArrays {
  name: string;
  /** [height, width, channels] */
  inputShape: [number, number, number];
  numClasses: number;
  /** float32 (size, height, width, channels) */
  images: Float32Array;
  /** int32 (size), 0 … numClasses − 1 */
  labels: Int32Array;
}

/** Labelled images. Selections share no state with their origin and keep its name. */
export class Dataset implements ExampleSource {
  readonly name: string;
  readonly inputShape: [number, number, number];
  readonly numClasses: number;
  readonly images: Float32Array;
  readonly labels: Int32Array;

  constructor(arrays: DatasetArrays) {
    const { name, inputShape, numClasses, images, labels } = arrays;
    const pixels = inputShape.reduce((product, length) => product * length, 1);
    if (labels.length === 0) throw new LutnnError(`Dataset ${name}: at least one image is needed (got none)`);
    if (images.length !== labels.length * pixels)
      throw new LutnnError(
        `Dataset ${name}: images must hold size × ${pixels} numbers (got ${images.length} for ${labels.length} labels)`,
      );
    this.name = name;
    this.inputShape = inputShape;
    this.numClasses = numClasses;
    this.images = images;
    this.labels = labels;
  }

  get size(): number {
    return this.labels.length;
  }

  get inputs(): readonly InputSpec[] {
    return [{ name: "image", shape: this.inputShape, dtype: "float32" }];
  }

  get target(): TargetSpec {
    return { kind: "class", classes: this.numClasses };
  }

  private get pixels(): number {
    return this.images.length / this.labels.length;
  }

  /** The images at these indices, in this order. */
  select(indices: ArrayLike<number>): Dataset {
    const { pixels } = this;
    const images = new Float32Array(indices.length * pixels);
    const labels = new Int32Array(indices.length);
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i];
      if (!Number.isInteger(index) || index < 0 || index >= this.size)
        throw new LutnnError(
          `Dataset ${this.name}: indices must be integers from 0 to ${this.size - 1} (got ${index})`,
        );
      images.set(this.images.subarray(index * pixels, (index + 1) * pixels), i * pixels);
      labels[i] = this.labels[index];
    }
    return new Dataset({ ...this, images, labels });
  }

  /** The first `count` images, all when there are fewer. */
  take(count: number): Dataset {
    return this.select(Array.from({ length: Math.min(count, this.size) }, (_, index) => index));
  }

  /** All but the first `count` images. */
  skip(count: number): Dataset {
    const from = Math.min(count, this.size);
    return this.select(Array.from({ length: this.size - from }, (_, index) => from + index));
  }

  async fingerprint(): Promise<string> {
    const bytes = (array: Float32Array | Int32Array) =>
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    return createHash("sha256")
      .update(`${this.name} ${this.size} ${this.inputShape.join("×")}`)
      .update(bytes(this.images))
      .update(bytes(this.labels))
      .digest("hex")
      .slice(0, 16);
  }

  /** In random order. */
  shuffle(seed = 0): Dataset {
    return this.select(permutation(this.size, seededRandom(seed, this.name, "shuffle")));
  }

  /**
   * Two parts of about `fraction` and 1 − `fraction` of every class (stratified), in the original order; `count`
   * images go to the first when given as an integer > 1.
   */
  split(fraction: number, seed = 0): [Dataset, Dataset] {
    const wanted = fraction > 1 ? fraction : Math.round(fraction * this.size);
    if (!(wanted > 0 && wanted < this.size))
      throw new LutnnError(
        `split: both parts must be non-empty (asked for ${fraction} of ${this.size} images); give a fraction between 0 and 1 or a count below ${this.size}`,
      );
    const order = permutation(this.size, seededRandom(seed, this.name, "split"));
    const perClass = Array.from({ length: this.numClasses }, () => [] as number[]);
    for (const index of order) perClass[this.labels[index]].push(index);
    // Interleave the classes by their relative position, then cut: every class keeps its share to within one image.
    const ranked = perClass.flatMap((members) =>
      members.map((index, position) => ({ index, position: (position + 0.5) / members.length })),
    );
    ranked.sort((a, b) => a.position - b.position || a.index - b.index);
    const parts = [ranked.slice(0, wanted), ranked.slice(wanted)];
    return parts.map((part) => this.select(part.map(({ index }) => index).sort((a, b) => a - b))) as [
      Dataset,
      Dataset,
    ];
  }

  /**
   * All images in batches of `size`, the last one smaller; in order, or shuffled by `seed` when it is given. `first`
   * skips batches without changing the order of the others.
   */
  async *batches(size: number, { seed, first = 0, signal }: BatchOptions = {}): AsyncGenerator<Batch> {
    if (!Number.isInteger(size) || size < 1)
      throw new LutnnError(`batches: the batch size must be a positive integer (got ${size})`);
    const order =
      seed === undefined ? null : permutation(this.size, seededRandom(seed, this.name, "shuffle"));
    const { pixels } = this;
    for (let from = first * size; from < this.size; from += size) {
      signal?.throwIfAborted();
      const count = Math.min(size, this.size - from);
      const images = new Float32Array(count * pixels);
      const labels = new Int32Array(count);
      for (let i = 0; i < count; i++) {
        const index = order ? order[from + i] : from + i;
        images.set(this.images.subarray(index * pixels, (index + 1) * pixels), i * pixels);
        labels[i] = this.labels[index];
      }
      yield {
        size: count,
        inputs: { image: tf.tensor4d(images, [count, ...this.inputShape]) },
        targets: tf.tensor1d(labels, "int32"),
      };
    }
  }
}
