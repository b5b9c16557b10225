import * as tf from "@tensorflow/tfjs-node";
import type { Batch, BatchOptions, CheckOptions, ExampleSource, InputSpec } from "../datasets/examples";
import type { NetworkGraph } from "../layers/graph";
import { kindOf } from "../layers/kinds/index";
import type { TargetSpec } from "../tasks/target";

/** The input of a network that says which positions are real, as its attention and pooling read it; null for none or several. */
export function maskInput(graph: NetworkGraph): string | null {
  const masks = graph.nodes.map(({ layer, inputs }) => inputs[kindOf(layer)?.maskArgument ?? -1]);
  const read = new Set(masks.filter((id) => id !== undefined));
  const inputs = graph.inputs.filter(({ id }) => read.has(id));
  return inputs.length === 1 && read.size === 1 ? inputs[0].name : null;
}

/**
 * Examples for a network that receives its mask as an input, where they do not say themselves which positions are padding:
 * what the network does not look at enters no codebook, fit or error either.
 */
export class MaskedByInput implements ExampleSource {
  constructor(
    private readonly origin: ExampleSource,
    private readonly input: string,
  ) {}

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

  async *batches(size: number, options: BatchOptions = {}): AsyncGenerator<Batch> {
    for await (const batch of this.origin.batches(size, options)) {
      if (batch.mask) yield batch;
      else yield { ...batch, mask: realPositions(batch.inputs[this.input]) };
    }
  }

  take(count: number): MaskedByInput {
    return new MaskedByInput(this.origin.take(count), this.input);
  }

  skip(count: number): MaskedByInput {
    return new MaskedByInput(this.origin.skip(count), this.input);
  }

  select(indices: ArrayLike<number>): MaskedByInput {
    return new MaskedByInput(this.origin.select(indices), this.input);
  }

  checkValues(what: string, signal: AbortSignal, options: CheckOptions = {}): Promise<void> {
    return this.origin.checkValues(what, signal, options);
  }

  fingerprint(): Promise<string> {
    return this.origin.fingerprint();
  }
}

const realPositions = (mask: tf.Tensor): tf.Tensor2D =>
  tf.tidy(() => tf.cast(tf.notEqual(mask, 0), "int32") as tf.Tensor2D);

/** The examples as a conversion of the network reads them. */
export function withPaddingMask(graph: NetworkGraph, data: ExampleSource): ExampleSource {
  const input = maskInput(graph);
  const isGiven = input !== null && data.inputs.some(({ name }) => name === input);
  return isGiven ? new MaskedByInput(data, input) : data;
}
