import * as lutnn from "lutnn";
import { describe, expect, it } from "vitest";

const { datasets, tf } = lutnn;

const rows = Array.from({ length: 7 }, (_, i) => [i, 1 - i]);
const xs = tf.data.array(rows).map((row) => tf.tensor1d(row as number[]));
const zip = (ys: lutnn.tf.data.Dataset<lutnn.tf.TensorContainer>) => tf.data.zip({ xs, ys });
const ints = tf.data.array([0, 1, 2, 0, 1, 2, 0]).map((y) => tf.scalar(y as number, "int32"));

async function batches(data: lutnn.datasets.ExampleSource) {
  const found: [unknown, unknown][] = [];
  for await (const batch of data.batches(4)) {
    found.push([Object.values(batch.inputs)[0].arraySync(), batch.targets.arraySync()]);
    datasets.disposeBatch(batch);
  }
  return found;
}

describe("a tf.data.Dataset", () => {
  it("is a source of examples whose size, inputs and classes are found", async () => {
    const before = tf.memory().numTensors;
    const data = await datasets.from(zip(ints));
    expect([data.size, data.inputs, data.target]).toEqual([
      7,
      [{ name: "input", shape: [2], dtype: "float32" }],
      { kind: "class", classes: 3 },
    ]);
    expect(await batches(data)).toEqual([
      [rows.slice(0, 4), [0, 1, 2, 0]],
      [rows.slice(4).map(([a, b]) => [a, b]), [1, 2, 0]],
    ]);
    expect(await batches(data.select([6, 0]))).toEqual([
      [
        [rows[6], rows[0]],
        [0, 0],
      ],
    ]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("has named inputs, values, one-hot classes, plain numbers", async () => {
    const named = tf.data.generator(function* () {
      for (let i = 0; i < 3; i++) yield { xs: { a: [i], b: tf.tensor1d([i, 2], "int32") }, ys: [i, 0.5] };
    });
    const data = await datasets.from(named, { name: "named" });
    expect([data.size, data.inputs, data.target]).toEqual([
      3,
      [
        { name: "a", shape: [1], dtype: "float32" },
        { name: "b", shape: [2], dtype: "int32" },
      ],
      { kind: "values", length: 2 },
    ]);
    const oneHot = zip(tf.data.array(rows).map(() => tf.tensor1d([0, 1, 0])));
    const target = { kind: "class", classes: 3 } as const;
    expect((await batches(await datasets.from(oneHot, { target, size: 2 })))[0][1]).toEqual([1, 1]);
  });

  it("is accepted where data are", async () => {
    const input = tf.input({ shape: [2] });
    const output = tf.layers
      .dense({ units: 3, activation: "softmax" })
      .apply(input) as lutnn.tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs: output });
    const history = await lutnn.fit(model, zip(ints), { epochs: 2, validation: zip(ints) });
    expect(history.last.validation?.size).toBe(7);
    const { loss } = await lutnn.evaluate(model, zip(ints));
    expect(loss).toBeCloseTo(history.last.validation!.loss, 6);
  });

  it("is refused in one sentence where it says too little", async () => {
    await expect(datasets.from(tf.data.array([[1, 2, 3]]))).rejects.toThrow(
      /tf.data: elements must be \{ xs, ys \} or \[xs, ys\] \(example 0 is not\)/,
    );
    await expect(datasets.from(xs)).rejects.toThrow(/elements must be \{ xs, ys \} or \[xs, ys\]/);
    const matrix = zip(tf.data.array(rows).map(() => tf.zeros([2, 2])));
    await expect(datasets.from(matrix)).rejects.toThrow(/\(got float32 of shape 2×2\); pass \{ target \}/);
    const words = tf.data.array([{ xs: "a", ys: 1 }]);
    await expect(datasets.from(words)).rejects.toThrow(
      /input must be a tensor or numbers \(got string in example 0\)/,
    );
    await expect(datasets.from(tf.data.array([]))).rejects.toThrow(/at least one example/);
  });
});
