import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { displaySymbol, type MimeBundle } from "../host/host";
import { permutation, seededRandom } from "../pq/random";
import type { TargetSpec } from "../tasks/target";
import { maskError } from "./example";
import {
  type Batch,
  type BatchOptions,
  type CheckOptions,
  checkBatchSize,
  type ExampleSource,
  type InputSpec,
} from "./examples";
import { type ChangeInputs, type MapOptions, MappedExamples } from "./mapped";
import { Selections } from "./selections";
import { showExamples } from "./show";
import { targetDtype, targetLength, targetTensor } from "./targetTensor";
import { findMaskFault, findNotFinite, findTargetFault } from "./valueFault";

/** One input of all examples; float32 or int32 as its array is. */
export interface InputArray {
  /** Of one example. */
  shape: readonly number[];
  /** (size, …shape) */
  values: Float32Array | Int32Array;
}

/** Examples as arrays: what a reader gives. */
export interface ExampleArrays {
  name: string;
  /** By name; the network's inputs find theirs by it. */
  inputs: Record<string, InputArray>;
  target: TargetSpec;
  /** (size) for classes, else (size, length); int32 for classes and tokens, else float32. */
  targets: Float32Array | Int32Array;
  /** (size, length): 1 where a position of a sequence is real, 0 where it is padding. */
  mask?: Int32Array;
}

const product = (shape: readonly number[]) => shape.reduce((all, length) => all * length, 1);
type Numbers = Float32Array | Int32Array;

/** Examples in memory. The arrays stay the caller's: what changes in them changes the examples. */
export class ArrayExamples extends Selections<ArrayExamples> implements ExampleSource {
  readonly name: string;
  readonly size: number;
  readonly inputs: readonly InputSpec[];
  readonly target: TargetSpec;

  /** Throws LutnnError where lengths or types of the arrays do not agree. */
  constructor(readonly arrays: ExampleArrays) {
    super();
    const { name, inputs, target, targets, mask } = arrays;
    const each = targetLength(target);
    this.name = name;
    this.size = targets.length / each;
    if (this.size === 0) throw new LutnnError(`${name}: at least one example is needed (got none)`);
    if (!Number.isInteger(this.size))
      throw new LutnnError(
        `${name}: targets must hold ${each} numbers an example (got ${targets.length} numbers)`,
      );
    checkType(`${name}: targets`, targets, targetDtype(target));
    this.inputs = Object.entries(inputs).map(([input, { shape, values }]) => {
      checkType(`${name}: ${input}`, values);
      if (values.length !== this.size * product(shape))
        throw new LutnnError(
          `${name}: ${input} must hold size × ${product(shape)} numbers (got ${values.length} for ${this.size} examples)`,
        );
      return { name: input, shape, dtype: values instanceof Int32Array ? "int32" : "float32" };
    });
    if (mask && (mask.length === 0 || mask.length % this.size !== 0))
      throw new LutnnError(
        `${name}: mask must hold as many numbers for each of the ${this.size} examples (got ${mask.length})`,
      );
    this.target =
      target.kind === "values" && target.spread === undefined
        ? { ...target, spread: spreadOf(targets, each) }
        : target;
  }

  protected override classes(): ArrayLike<number> | null {
    return this.target.kind === "class" ? this.arrays.targets : null;
  }

  select(indices: ArrayLike<number>): ArrayExamples {
    this.checkIndices(indices);
    return new ArrayExamples({ ...this.rows(indices), name: this.name, target: this.target });
  }

  /** Copies of the rows at these indices. */
  private rows(indices: ArrayLike<number>): Omit<ExampleArrays, "name" | "target"> {
    const { inputs, targets, mask } = this.arrays;
    const pick = <T extends Numbers>(values: T): T => pickRows(values, values.length / this.size, indices);
    return {
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([name, { shape, values }]) => [name, { shape, values: pick(values) }]),
      ),
      targets: pick(targets),
      ...(mask ? { mask: pick(mask) } : {}),
    };
  }

  /** The same with inputs changed as they are read; see {@link MappedExamples}. */
  map(change: ChangeInputs, options?: MapOptions): MappedExamples {
    return new MappedExamples(this, change, options);
  }

  async *batches(size: number, { seed, first = 0, signal }: BatchOptions = {}): AsyncGenerator<Batch> {
    checkBatchSize(size);
    const order =
      seed === undefined ? null : permutation(this.size, seededRandom(seed, this.name, "shuffle"));
    for (let from = first * size; from < this.size; from += size) {
      signal?.throwIfAborted();
      const count = Math.min(size, this.size - from);
      const indices = Uint32Array.from({ length: count }, (_, i) => (order ? order[from + i] : from + i));
      const { inputs, targets, mask } = this.rows(indices);
      const tensors = Object.entries(inputs).map(([name, { shape, values }]) => {
        const dtype = values instanceof Int32Array ? "int32" : "float32";
        return [name, tf.tensor(values, [count, ...shape], dtype)] as const;
      });
      yield {
        size: count,
        inputs: Object.fromEntries(tensors),
        targets: targetTensor(this.target, targets, count),
        ...(mask ? { mask: tf.tensor2d(mask, [count, mask.length / count], "int32") } : {}),
      };
    }
  }

  async checkValues(
    what: string,
    _signal?: AbortSignal,
    { inputsOnly = false }: CheckOptions = {},
  ): Promise<void> {
    const { inputs, targets, mask } = this.arrays;
    for (const [name, { values }] of Object.entries(inputs)) {
      const fault = findNotFinite(values);
      if (fault)
        throw new LutnnError(
          `${what}: the data must be finite numbers (got ${fault.value} in ${name} of example ${Math.floor((fault.index * this.size) / values.length)} of ${this.name}); correct the data or leave that example out`,
        );
    }
    const hidden = mask && findMaskFault(mask);
    if (hidden)
      throw maskError(this.name, hidden.value, Math.floor((hidden.index * this.size) / mask.length));
    const fault = inputsOnly ? null : findTargetFault(targets, this.target);
    if (fault)
      throw new LutnnError(
        `${what}: the targets must ${fault.rule} (got ${fault.value} in example ${Math.floor((fault.index * this.size) / targets.length)} of ${this.name}); correct the data or what they say of their targets`,
      );
  }

  async fingerprint(): Promise<string> {
    const { inputs, targets, mask } = this.arrays;
    const hash = createHash("sha256").update(
      JSON.stringify([this.name, this.size, this.target, this.inputs]),
    );
    const add = (array: Numbers) =>
      hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    for (const { values } of Object.values(inputs)) add(values);
    add(targets);
    if (mask) add(mask);
    return hash.digest("hex").slice(0, 16);
  }

  [displaySymbol](): Promise<MimeBundle> {
    return showExamples(this);
  }
}

function checkType(what: string, values: unknown, wanted?: "int32" | "float32"): void {
  const found = values instanceof Int32Array ? "int32" : values instanceof Float32Array ? "float32" : null;
  if (found && (!wanted || found === wanted)) return;
  const names = { int32: "an Int32Array", float32: "a Float32Array" };
  const rule = wanted ? names[wanted] : "a Float32Array or Int32Array";
  const got = Object.prototype.toString.call(values).slice(8, -1);
  throw new LutnnError(`${what} must be ${rule} (got ${got}); make one by its \`from\``);
}

/** Rows of `length` numbers at these indices, copied. */
function pickRows<T extends Numbers>(values: T, length: number, indices: ArrayLike<number>): T {
  const make = values.constructor as new (size: number) => T;
  const rows = new make(indices.length * length);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] * length;
    rows.set(values.subarray(from, from + length), i * length);
  }
  return rows;
}

/** The root of the columns' mean variance; undefined where they do not vary, or not all numbers are finite. */
function spreadOf(values: Numbers, columns: number): number | undefined {
  const rows = values.length / columns;
  let sum = 0;
  for (let column = 0; column < columns; column++) {
    let mean = 0;
    for (let i = column; i < values.length; i += columns) mean += values[i] / rows;
    for (let i = column; i < values.length; i += columns) sum += (values[i] - mean) ** 2 / rows;
  }
  const spread = Math.sqrt(sum / columns);
  return Number.isFinite(spread) && spread > 0 ? spread : undefined;
}
