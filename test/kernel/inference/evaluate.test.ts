import * as lutnn from "lutnn";
import { describe, expect, it, vi } from "vitest";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { randomFloats } from "../random";
import { randomExamples } from "./examples";
import { randomWeights } from "./lookupNetwork";

const { tf, InferenceSession } = lutnn;
const L = tf.layers;
type Tensor = lutnn.tf.SymbolicTensor;

/** Loss of file and network: rounding. */
const lossTolerance = 1e-4;

describe("a session's evaluation", () => {
  it("has the network's own figures, with images, whole numbers and several inputs", async () => {
    const image = tf.input({ shape: [5, 7, 2], name: "image" });
    const token = tf.input({ shape: [4], name: "token", dtype: "int32" });
    const x = L.flatten().apply(L.conv2d({ filters: 3, kernelSize: 3 }).apply(image)) as Tensor;
    const y = L.flatten().apply(L.embedding({ inputDim: 5, outputDim: 3 }).apply(token)) as Tensor;
    const both = L.concatenate().apply([x, y]);
    const data = randomExamples(37, [
      { name: "token", shape: [4], dtype: "int32" },
      { name: "image", shape: [5, 7, 2], dtype: "float32" },
    ]);
    for (const activation of ["softmax", "linear"] as const) {
      const model = randomWeights(
        tf.model({
          inputs: [image, token],
          outputs: L.dense({ units: 3, activation }).apply(both) as Tensor,
        }),
      );
      const session = await InferenceSession.create(exportOnnx(model));
      const before = tf.memory().numTensors;
      const got = await session.evaluate(data, { batchSize: 10 });
      expect(tf.memory().numTensors).toBe(before);
      const wanted = await lutnn.evaluate(model, data);
      expect(got.accuracy).toBe(wanted.accuracy);
      expect(got.metric).toEqual(wanted.metric);
      expect(Math.abs(got.loss - wanted.loss)).toBeLessThan(lossTolerance * wanted.loss);
      expect(got.size).toBe(37);
      await session.release();
    }
  });

  it("weighs the loss of a batch by what counts in it, so that padding says nothing", async () => {
    const [examples, length] = [10, 4];
    const input = tf.input({ shape: [length, 2], name: "x" });
    const model = randomWeights(
      tf.model({ inputs: input, outputs: L.dense({ units: 3 }).apply(input) as Tensor }),
    );
    const data = new lutnn.datasets.ArrayExamples({
      name: "tokens",
      inputs: { x: { shape: [length, 2], values: randomFloats(examples * length * 2, 6) } },
      target: { kind: "tokens", length, classes: 3 },
      targets: Int32Array.from({ length: examples * length }, (_, i) => i % 3),
      mask: Int32Array.from({ length: examples * length }, (_, i) => (i < 12 || i % length === 0 ? 1 : 0)),
    });
    const session = await InferenceSession.create(exportOnnx(model));
    const wanted = await lutnn.evaluate(model, data);
    for (const batchSize of [3, 10]) {
      const got = await session.evaluate(data, { batchSize });
      expect(got.metric.value).toBeCloseTo(wanted.metric.value, 10);
      expect(Math.abs(got.loss - wanted.loss)).toBeLessThan(lossTolerance * wanted.loss);
    }
    await session.release();
  });

  it("runs 256 examples at once unless told otherwise", async () => {
    const input = tf.input({ shape: [1], name: "x" });
    const output = L.dense({ units: 3 }).apply(input) as Tensor;
    const session = await InferenceSession.create(exportOnnx(tf.model({ inputs: input, outputs: output })));
    const run = vi.spyOn(session, "run");
    const data = randomExamples(300, [{ name: "x", shape: [1], dtype: "float32" }]);
    await session.evaluate(
      data.map((inputs) => inputs),
      { task: "classification" },
    );
    expect(run.mock.calls.map(([feeds]) => feeds.input.dims[0])).toEqual([256, 44]);
    await session.release();
  });

  it("refuses data that do not fit the file, in one sentence", async () => {
    const input = tf.input({ shape: [5, 7, 2], name: "image" });
    const flat = L.flatten().apply(input);
    const model = tf.model({ inputs: input, outputs: L.dense({ units: 3 }).apply(flat) as Tensor });
    const session = await InferenceSession.create(exportOnnx(model));
    const data = randomExamples(3, [{ name: "x", shape: [5, 6, 2], dtype: "float32" }]);
    await expect(session.evaluate(data)).rejects.toThrow(
      "evaluate: the data's x must fit the file's input input float32 (N, 2, 5, 7) (got examples of 5×6×2 from random); images are turned channels first by themselves",
    );
    const two = ["x", "y"].map((name) => ({ name, shape: [5, 7, 2], dtype: "float32" as const }));
    await expect(session.evaluate(randomExamples(3, two))).rejects.toThrow(
      /must have the file's input input \(got x, y from random\)/,
    );
    await session.release();
  });
});
