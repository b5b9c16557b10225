import * as tf from "@tensorflow/tfjs-node";
import { feedOf } from "./exampleFeeds";
import { networkShape, toChannelsLast } from "./layout";
import { InferenceSession } from "./session";
import type { ArrayOf, ElementType, TensorData } from "./tensorData";

/** A file's result as a tensor of tf.js, laid out as it is; int64 becomes int32, bool stays. */
function tensorOf({ data, dims }: TensorData): tf.Tensor {
  const shape = [...dims];
  if (data instanceof Float32Array) return tf.tensor(data, shape);
  if (data instanceof Int32Array) return tf.tensor(data, shape, "int32");
  return tf.tensor(
    Array.from(data as ArrayLike<number | bigint>, Number),
    shape,
    data instanceof Uint8Array ? "bool" : "int32",
  );
}

/** A file's output as a tensor laid out as in tf.js: images channels last; the caller disposes. */
export function networkTensor({ data, dims }: TensorData): tf.Tensor {
  if (dims.length !== 4 || !(data instanceof Float32Array)) return tensorOf({ data, dims });
  return tensorOf({ data: toChannelsLast(data, dims.slice(1)), dims: networkShape(dims) });
}

/**
 * Runs a file that this library wrote on a network's inputs and returns its outputs as laid out in tf.js; the caller
 * disposes. Lookups run as the file's functions.
 * @param inputs in the file's order
 * @param optimize false: the nodes one by one as they stand, so that two files with the same nodes give the same bits
 */
export async function runFile(
  bytes: Uint8Array,
  inputs: readonly tf.Tensor[],
  optimize = false,
): Promise<tf.Tensor[]> {
  const session = await InferenceSession.create(bytes, { optimize, backend: "onnxruntime" });
  try {
    const feeds: Record<string, TensorData> = {};
    for (const [i, input] of session.inputs.entries()) feeds[input.name] = await feedOf(input, inputs[i]);
    const outputs = await session.run<ArrayOf[ElementType]>(feeds);
    return session.outputNames.map((name) => networkTensor(outputs[name]));
  } finally {
    await session.release();
  }
}
