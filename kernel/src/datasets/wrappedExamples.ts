import type { TargetSpec } from "../tasks/target";
import type { Batch, BatchOptions, CheckOptions, ExampleSource, InputSpec } from "./examples";

/** Other examples, whose batches a verb sees in another way; all else is theirs. */
export abstract class WrappedExamples<Self extends ExampleSource> implements ExampleSource {
  constructor(protected readonly origin: ExampleSource) {}

  /** The same way of seeing a part of the examples. */
  protected abstract around(origin: ExampleSource): Self;

  abstract batches(size: number, options?: BatchOptions): AsyncIterable<Batch>;

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

  take(count: number): Self {
    return this.around(this.origin.take(count));
  }

  skip(count: number): Self {
    return this.around(this.origin.skip(count));
  }

  select(indices: ArrayLike<number>): Self {
    return this.around(this.origin.select(indices));
  }

  checkValues(what: string, signal: AbortSignal, options: CheckOptions = {}): Promise<void> {
    return this.origin.checkValues(what, signal, options);
  }

  fingerprint(): Promise<string> {
    return this.origin.fingerprint();
  }
}
