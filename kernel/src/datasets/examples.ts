import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import type { TargetSpec } from "../tasks/target";

/** One named input of every example. */
export interface InputSpec {
  name: string;
  /** Of one example, without the batch axis. */
  shape: readonly number[];
  dtype: "float32" | "int32";
}

/** Tensors of some examples; whoever receives a batch disposes of it, see {@link disposeBatch}. */
export interface Batch {
  /** Examples in it. */
  size: number;
  /** (size, …) by name of the input. */
  inputs: Record<string, tf.Tensor>;
  /** As the data set's {@link TargetSpec} says. */
  targets: tf.Tensor;
  /** int32 or bool (size, length): 1 where a position of a sequence is real, 0 where it is padding. */
  mask?: tf.Tensor2D;
}

export interface CheckOptions {
  /** Whoever asks reads no targets: whatever these hold is no fault. Default false. */
  inputsOnly?: boolean;
}

export interface BatchOptions extends CheckOptions {
  /** Shuffles by this seed; in order without. */
  seed?: number;
  /** Skips so many batches without changing the order of the others. */
  first?: number;
  signal?: AbortSignal;
}

/**
 * Examples to learn from: batches of named, typed inputs with targets, in memory or read as they are asked for. Sizes
 * are known, everything follows from seeds, and selections keep the name of their origin.
 */
export interface ExampleSource {
  readonly name: string;
  /** Examples. */
  readonly size: number;
  readonly inputs: readonly InputSpec[];
  readonly target: TargetSpec;
  /** All examples in batches of `size`, the last one smaller. */
  batches(size: number, options?: BatchOptions): AsyncIterable<Batch>;
  /** The first `count` examples, all when there are fewer. */
  take(count: number): ExampleSource;
  /** All but the first `count` examples. */
  skip(count: number): ExampleSource;
  /** The examples at these indices, in this order. */
  select(indices: ArrayLike<number>): ExampleSource;
  /**
   * Throws LutnnError, before anything is learnt, on a value that cannot be learnt from: numbers that are not finite,
   * labels out of range; `what` opens the sentence. Sources that read examples as they are asked for check them then:
   * {@link batches} throws.
   */
  checkValues(what: string, signal: AbortSignal, options?: CheckOptions): Promise<void>;
  /** Equal for equal content: what a run that is resumed must have learnt from. */
  fingerprint(): Promise<string>;
}

export function disposeBatch({ inputs, targets, mask }: Batch): void {
  tf.dispose([Object.values(inputs), targets, mask ?? []]);
}

/** Throws LutnnError on what is no size of a batch. */
export function checkBatchSize(size: number): void {
  if (!Number.isInteger(size) || size < 1)
    throw new LutnnError(`batches: the batch size must be a positive integer (got ${size})`);
}
