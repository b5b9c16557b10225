import { ArrayExamples } from "../../../kernel/lib/datasets/arrayExamples";
import type { InputSpec } from "../../../kernel/lib/datasets/examples";
import { randomFloats } from "../random";

/** Random examples with inputs as given, whole numbers below 5, and one of three classes to learn. */
export function randomExamples(size: number, inputs: InputSpec[], seed = 50): ArrayExamples {
  const arrays = inputs.map(({ name, shape, dtype }, i) => {
    const values = randomFloats(size * shape.reduce((product, one) => product * one, 1), seed + i);
    const whole = () => Int32Array.from(values, (x) => Math.floor(Math.abs(x) * 5));
    return [name, { shape, values: dtype === "int32" ? whole() : values }] as const;
  });
  return new ArrayExamples({
    name: "random",
    inputs: Object.fromEntries(arrays),
    target: { kind: "class", classes: 3 },
    targets: Int32Array.from({ length: size }, (_, n) => n % 3),
  });
}

/** Examples for the network {@link manyKinds}. */
export const manyExamples = (size: number): ArrayExamples =>
  randomExamples(size, [
    { name: "image", shape: [5, 7, 3], dtype: "float32" },
    { name: "words", shape: [4, 6], dtype: "float32" },
  ]);
