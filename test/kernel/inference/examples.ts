import { tf } from "lutnn";
import type { Batch, ExampleSource, InputSpec } from "../../../kernel/lib/datasets/examples";
import { randomFloats } from "../random";

/** Random examples with inputs as given, whole numbers below 5, and one of three classes to learn. */
export function randomExamples(size: number, inputs: InputSpec[], seed = 50, from = 0): ExampleSource {
  const examples: ExampleSource = {
    name: "random",
    size,
    inputs,
    target: { kind: "class", classes: 3 },
    async *batches(count) {
      for (let start = 0; start < size; start += count) {
        const length = Math.min(count, size - start);
        const labels = Int32Array.from({ length }, (_, n) => (from + start + n) % 3);
        const batch: Batch = { size: length, inputs: {}, targets: tf.tensor1d(labels, "int32") };
        for (const [i, { name, shape, dtype }] of inputs.entries()) {
          const each = shape.reduce((product, one) => product * one, 1);
          const values = randomFloats((from + start + length) * each, seed + i).slice((from + start) * each);
          const numbers = dtype === "int32" ? values.map((x) => Math.floor(Math.abs(x) * 5)) : values;
          batch.inputs[name] = tf.tensor(numbers, [length, ...shape], dtype);
        }
        yield batch;
      }
    },
    take: (count) => randomExamples(Math.min(count, size), inputs, seed, from),
    skip: (count) => randomExamples(Math.max(0, size - count), inputs, seed, from + count),
    select: () => examples,
    fingerprint: async () => `${seed} ${from} ${size}`,
  };
  return examples;
}

/** Examples for the network {@link manyKinds}. */
export const manyExamples = (size: number): ExampleSource =>
  randomExamples(size, [
    { name: "image", shape: [5, 7, 3], dtype: "float32" },
    { name: "words", shape: [4, 6], dtype: "float32" },
  ]);
