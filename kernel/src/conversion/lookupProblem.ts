import * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../compute/valuesOf";
import { yieldToEvents } from "../host/signal";
import type { ActivationStream } from "./activations";
import type { LookupProblem } from "./fitLookup";
import { concatenate, ReceivedRows, rowsAtOnce } from "./rows";
import type { Target } from "./targets";

/** Which rows a lookup is fitted on. */
export interface ProblemRows {
  /** Of so many that the first call receives from the stream, the numbers of those taken, rising. */
  rows(total: number): Uint32Array;
  /** Rows that later calls of the layer receive in the reference: float32 (…, D) each. */
  later?: readonly Float32Array[];
  signal: AbortSignal;
}

/**
 * A layer's lookup as a problem to be solved: on the rows that the last network of a stream gives its first call, to what
 * the layer makes of the same rows in the first network, the reference.
 */
export async function lookupProblem(
  { operator, calls: [call], nonNegative, ...shape }: Target,
  stream: ActivationStream,
  { rows, later = [], signal }: ProblemRows,
): Promise<LookupProblem> {
  const { inputLength, outputs } = operator;
  const received = new ReceivedRows(call, stream.received(call.node, stream.networks - 1));
  const chosen = rows(received.count);
  const again = concatenate(later);
  const inputs = (indices: Uint32Array): Float32Array => {
    const own = indices.filter((index) => index < chosen.length);
    const out = received.gather(
      own.map((index) => chosen[index]),
      inputLength,
    );
    if (own.length === indices.length) return out;
    const others = indices.subarray(own.length);
    const laterRows = new Float32Array(others.length * inputLength);
    others.forEach((index, i) => {
      const from = (index - chosen.length) * inputLength;
      laterRows.set(again.subarray(from, from + inputLength), i * inputLength);
    });
    return concatenate([out, laterRows]);
  };
  const weight = operator.weight();
  const linear = (x: tf.Tensor2D) => tf.matMul(x, weight) as tf.Tensor2D;
  try {
    const reference = new ReceivedRows(call, stream.received(call.node, 0));
    const wanted = new Float32Array(chosen.length * outputs);
    const most = rowsAtOnce(inputLength);
    for (let from = 0; from < chosen.length; from += most) {
      const part = chosen.subarray(from, from + most);
      wanted.set(reference.gather(part, outputs, linear), from * outputs);
      await yieldToEvents(signal);
    }
    const laterRows = again.length / inputLength;
    const laterWanted =
      laterRows > 0 ? valuesOf(() => linear(tf.tensor2d(again, [laterRows, inputLength]))) : null;
    return {
      shape,
      nonNegative,
      outputs,
      rows: chosen.length + laterRows,
      inputs,
      wanted: laterWanted ? concatenate([wanted, laterWanted]) : wanted,
      weight: valuesOf(() => weight.clone()),
    };
  } finally {
    weight.dispose();
  }
}
