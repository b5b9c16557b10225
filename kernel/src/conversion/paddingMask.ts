import * as tf from "@tensorflow/tfjs-node";
import type { Batch, BatchOptions, ExampleSource } from "../datasets/examples";
import { WrappedExamples } from "../datasets/wrappedExamples";
import type { NetworkGraph } from "../layers/graph";
import { kindOf } from "../layers/kinds/index";
import { outputsOf } from "../training/outputs";

/** The input of a network that says which positions are real, as its attention and pooling read it; null for none or several. */
export function maskInput(graph: NetworkGraph): string | null {
  const masks = graph.nodes.map(({ layer, inputs }) => inputs[kindOf(layer)?.maskArgument ?? -1]);
  const read = new Set(masks.filter((id) => id !== undefined));
  const inputs = graph.inputs.filter(({ id }) => read.has(id));
  return inputs.length === 1 && read.size === 1 ? inputs[0].name : null;
}

/**
 * Examples for a network that receives its mask as an input, where they do not say themselves which positions are padding:
 * what the network does not look at enters no codebook, fit or error either. Where it does, since it is flattened or
 * averaged over all positions, nothing is left out.
 */
export class MaskedByInput extends WrappedExamples<MaskedByInput> {
  constructor(
    origin: ExampleSource,
    private readonly graph: NetworkGraph,
    private readonly input: string,
  ) {
    super(origin);
  }

  protected around(origin: ExampleSource): MaskedByInput {
    return new MaskedByInput(origin, this.graph, this.input);
  }

  async *batches(size: number, options: BatchOptions = {}): AsyncGenerator<Batch> {
    let isHidden: boolean | null = null;
    for await (const batch of this.origin.batches(size, options)) {
      if (batch.mask) {
        yield batch;
        continue;
      }
      isHidden ??= isPaddingHidden(this.graph, batch.inputs, this.input);
      if (isHidden === false) yield batch;
      else yield { ...batch, mask: realPositions(batch.inputs[this.input]) };
    }
  }
}

const realPositions = (mask: tf.Tensor): tf.Tensor2D =>
  tf.tidy(() => tf.cast(tf.notEqual(mask, 0), "int32") as tf.Tensor2D);

/** Examples on which it is tried whether a network looks at padding. */
const triedExamples = 4;
/** Of the largest output: what sums in another order may change. */
const tolerance = 1e-5;

/**
 * Whether a network's outputs at real positions stay the same when something else stands in the padding of its inputs;
 * null where these examples have none.
 */
function isPaddingHidden(graph: NetworkGraph, given: Batch["inputs"], maskName: string): boolean | null {
  let isHidden: boolean | null = null;
  tf.tidy(() => {
    const all = realPositions(given[maskName]);
    const isWhole = tf.min(all, 1).dataSync();
    const padded = [...isWhole.keys()].filter((i) => isWhole[i] === 0);
    if (padded.length === 0) return;
    const tried = tf.tensor1d(padded.slice(0, triedExamples), "int32");
    const real = tf.gather(all, tried);
    const before = graph.inputs.map(({ name }) => tf.gather(given[name], tried));
    const after = before.map((x, i) =>
      graph.inputs[i].name === maskName || x.shape[1] !== real.shape[1] ? x : withOtherPadding(x, real),
    );
    const [wanted, got] = [before, after].map((feeds) => outputsOf(graph.model, feeds, false));
    const isTried = after.some((x, i) => x !== before[i]);
    isHidden = isTried && wanted.every((y, i) => isSameWhereReal(y, got[i], real));
  });
  return isHidden;
}

/** (B, T, …) with other values where `real` (B, T) is 0: what stands in the first position, and one more where that may be. */
function withOtherPadding(x: tf.Tensor, real: tf.Tensor2D): tf.Tensor {
  const first = tf.slice(x, 0, [-1, 1].concat(x.shape.slice(2).fill(-1)));
  const other = tf.broadcastTo(x.dtype === "int32" ? first : tf.add(first, 1), x.shape);
  return tf.where(tf.cast(alongPositions(real, x), "bool"), x, other);
}

function isSameWhereReal(wanted: tf.Tensor, got: tf.Tensor, real: tf.Tensor2D): boolean {
  const isByPosition = wanted.rank >= 2 && wanted.shape[1] === real.shape[1];
  const difference = tf.abs(tf.sub(wanted, got));
  const counted = isByPosition ? tf.mul(difference, alongPositions(real, difference)) : difference;
  return tf.max(counted).dataSync()[0] <= tolerance * tf.max(tf.abs(wanted)).dataSync()[0];
}

/** (B, T) as (B, T, 1, …) beside another tensor. */
const alongPositions = (real: tf.Tensor2D, x: tf.Tensor): tf.Tensor =>
  tf.reshape(real, [...real.shape, ...x.shape.slice(2).fill(1)]);

/** The examples as a conversion of the network reads them. */
export function withPaddingMask(graph: NetworkGraph, data: ExampleSource): ExampleSource {
  const input = maskInput(graph);
  const isGiven = input !== null && data.inputs.some(({ name }) => name === input);
  return isGiven ? new MaskedByInput(data, graph, input) : data;
}
