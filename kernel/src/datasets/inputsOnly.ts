import type { Batch, BatchOptions, CheckOptions, ExampleSource } from "./examples";
import { WrappedExamples } from "./wrappedExamples";

/**
 * Examples for a verb that reads their inputs alone: targets that are none of their kind are no fault of theirs. The
 * batches' targets say nothing.
 */
export class InputsOnly extends WrappedExamples<InputsOnly> {
  protected around(origin: ExampleSource): InputsOnly {
    return new InputsOnly(origin);
  }

  batches(size: number, options: BatchOptions = {}): AsyncIterable<Batch> {
    return this.origin.batches(size, { ...options, inputsOnly: true });
  }

  override checkValues(what: string, signal: AbortSignal, options: CheckOptions = {}): Promise<void> {
    return super.checkValues(what, signal, { ...options, inputsOnly: true });
  }
}
