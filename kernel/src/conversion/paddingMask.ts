import * as tf from "@tensorflow/tfjs-node";
import type { Batch, BatchOptions, ExampleSource } from "../datasets/examples";
import { WrappedExamples } from "../datasets/wrappedExamples";
import type { NetworkGraph } from "../layers/graph";
import { kindOf } from "../layers/kinds/index";

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
export class MaskedByInput extends WrappedExamples<MaskedByInput> {
  constructor(
    origin: ExampleSource,
    private readonly input: string,
  ) {
    super(origin);
  }

  protected around(origin: ExampleSource): MaskedByInput {
    return new MaskedByInput(origin, this.input);
  }

  async *batches(size: number, options: BatchOptions = {}): AsyncGenerator<Batch> {
    for await (const batch of this.origin.batches(size, options)) {
      if (batch.mask) yield batch;
      else yield { ...batch, mask: realPositions(batch.inputs[this.input]) };
    }
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
