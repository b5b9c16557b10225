import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { displaySymbol, type MimeBundle } from "../host/host";
import { type Random, seededRandom } from "../pq/random";
import type { TargetSpec } from "../tasks/target";
import type { Batch, BatchOptions, CheckOptions, ExampleSource, InputSpec } from "./examples";
import { Selections } from "./selections";
import { showExamples } from "./show";

/** Makes a batch's inputs (size, …) from others of the same names; `random` gives the same numbers for the same batch. */
export type ChangeInputs = (inputs: Record<string, tf.Tensor>, random: Random) => Record<string, tf.Tensor>;

export interface MapOptions {
  /** Of the random numbers that the change is given. Default 0. */
  seed?: number;
  /** The inputs it makes, where they differ in shape or type from those it is given. */
  inputs?: readonly InputSpec[];
}

/**
 * Examples whose inputs are changed as they are read, for example turned or moved at random. The change follows from
 * its seed, the seed of the order and the number of the batch, so that a run that is resumed sees the same.
 */
export class MappedExamples extends Selections<MappedExamples> implements ExampleSource {
  readonly inputs: readonly InputSpec[];

  constructor(
    private readonly origin: ExampleSource,
    private readonly change: ChangeInputs,
    private readonly options: MapOptions = {},
  ) {
    super();
    this.inputs = options.inputs ?? origin.inputs;
  }

  get name(): string {
    return this.origin.name;
  }

  get size(): number {
    return this.origin.size;
  }

  get target(): TargetSpec {
    return this.origin.target;
  }

  select(indices: ArrayLike<number>): MappedExamples {
    return new MappedExamples(this.origin.select(indices), this.change, this.options);
  }

  async *batches(size: number, options: BatchOptions = {}): AsyncGenerator<Batch> {
    const { seed: own = 0 } = this.options;
    let number = options.first ?? 0;
    for await (const batch of this.origin.batches(size, options)) {
      const random = seededRandom(own, this.name, "map", options.seed ?? "in order", number);
      number++;
      const inputs = tf.tidy(() => this.change({ ...batch.inputs }, random));
      const kept = new Set(Object.values(inputs));
      tf.dispose(Object.values(batch.inputs).filter((tensor) => !kept.has(tensor)));
      this.check(inputs, batch.size);
      yield { ...batch, inputs };
    }
  }

  private check(inputs: Record<string, tf.Tensor>, size: number): void {
    for (const { name, shape, dtype } of this.inputs) {
      const wanted = `${[size, ...shape].join("×")} ${dtype}`;
      const made = inputs[name];
      const got = made ? `${made.shape.join("×")} ${made.dtype}` : "nothing";
      if (got !== wanted)
        throw new LutnnError(
          `${this.name}: map must make ${wanted} for the input ${name} (got ${got}); say what it makes by { inputs }`,
        );
    }
  }

  checkValues(what: string, signal: AbortSignal, options?: CheckOptions): Promise<void> {
    return this.origin.checkValues(what, signal, options);
  }

  async fingerprint(): Promise<string> {
    const origin = await this.origin.fingerprint();
    return createHash("sha256")
      .update(JSON.stringify([origin, this.options, String(this.change)]))
      .digest("hex")
      .slice(0, 16);
  }

  map(change: ChangeInputs, options?: MapOptions): MappedExamples {
    return new MappedExamples(this, change, options);
  }

  [displaySymbol](): Promise<MimeBundle> {
    return showExamples(this);
  }
}
