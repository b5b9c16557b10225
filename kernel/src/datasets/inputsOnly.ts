import type { TargetSpec } from "../tasks/target";
import type { Batch, BatchOptions, CheckOptions, ExampleSource, InputSpec } from "./examples";

/**
 * Examples for a verb that reads their inputs alone: targets that are none of their kind are no fault of theirs. The
 * batches' targets say nothing.
 */
export class InputsOnly implements ExampleSource {
  constructor(private readonly origin: ExampleSource) {}

  get name(): string {
    return this.origin.name;
  }

  get size(): number {
    return this.origin.size;
  }

  get inputs(): readonly InputSpec[] {
    return this.origin.inputs;
  }

  get target(): TargetSpec {
    return this.origin.target;
  }

  batches(size: number, options: BatchOptions = {}): AsyncIterable<Batch> {
    return this.origin.batches(size, { ...options, inputsOnly: true });
  }

  take(count: number): InputsOnly {
    return new InputsOnly(this.origin.take(count));
  }

  skip(count: number): InputsOnly {
    return new InputsOnly(this.origin.skip(count));
  }

  select(indices: ArrayLike<number>): InputsOnly {
    return new InputsOnly(this.origin.select(indices));
  }

  checkValues(what: string, signal: AbortSignal, options: CheckOptions = {}): Promise<void> {
    return this.origin.checkValues(what, signal, { ...options, inputsOnly: true });
  }

  fingerprint(): Promise<string> {
    return this.origin.fingerprint();
  }
}
