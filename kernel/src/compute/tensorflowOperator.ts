import * as tf from "@tensorflow/tfjs-node";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node/dist/nodejs_kernel_backend";
import { LutnnError } from "../errors";

/** Attributes of a TensorFlow operator: `int` and `float` say which number is meant. */
export type OperatorAttributes = Record<
  string,
  { int: number | number[] } | { float: number } | boolean | string | { type: "float32" }
>;

/** tf.js runs on TensorFlow's library, so its operators can be called. */
export const runsOnTensorflow = (): boolean => tf.getBackend() === "tensorflow";

/**
 * Runs an operator of the TensorFlow library that tf.js has loaded, by its own name; outside of any gradient. Needs
 * {@link runsOnTensorflow}. Throws LutnnError with the operator's own sentence where it refuses its inputs.
 */
export function runOperator(
  name: string,
  attributes: OperatorAttributes,
  inputs: tf.Tensor[],
  outputs: number,
): tf.Tensor[] {
  const backend = tf.backend() as NodeJSKernelBackend;
  const { binding } = backend;
  const list = Object.entries(attributes).map(([name, value]) => {
    if (typeof value === "boolean") return { name, type: binding.TF_ATTR_BOOL, value };
    if (typeof value === "string") return { name, type: binding.TF_ATTR_STRING, value };
    if ("int" in value) return { name, type: binding.TF_ATTR_INT, value: value.int };
    if ("float" in value) return { name, type: binding.TF_ATTR_FLOAT, value: value.float };
    return { name, type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
  });
  try {
    return backend.executeMultipleOutputs(name, list, inputs, outputs);
  } catch (error) {
    const [, sentence] = /^Invalid TF_Status: \d+\s+Message: (.*)/s.exec((error as Error).message) ?? [];
    if (sentence === undefined) throw error;
    throw new LutnnError(`${name}: ${sentence}`, { cause: error });
  }
}
