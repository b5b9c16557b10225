import * as lutnn from "lutnn";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
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
