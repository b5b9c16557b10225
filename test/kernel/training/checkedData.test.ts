import * as lutnn from "lutnn";
import { describe, expect, it } from "vitest";

const { tf } = lutnn;
const L = tf.layers;

const data = (labels: number[], numClasses: number) =>
  new lutnn.datasets.Dataset({
    name: "toy",
    inputShape: [1, 1, 3],
    numClasses,
    images: Float32Array.from(labels.flatMap((label) => [0, 1, 2].map((i) => (i === label ? 1 : 0)))),
    labels: Int32Array.from(labels),
  });
const labels = Array.from({ length: 30 }, (_, n) => n % 3);

/** Three inputs → their softmax, sharpened, behind a reshape. */
function sharp() {
  const dense = L.dense({ units: 3, useBias: false, activation: "softmax" });
  const model = tf.sequential({
    layers: [L.flatten({ inputShape: [1, 1, 3] }), dense, L.reshape({ targetShape: [3] })],
  });
  dense.setWeights([tf.eye(3).mul(40)]);
  return model;
}

describe("a network and its data", () => {
  it("a softmax behind a reshape counts once", async () => {
    const { loss, accuracy } = await lutnn.evaluate(sharp(), data(labels, 3));
    expect(accuracy).toBe(100);
    expect(Math.abs(loss)).toBeLessThan(1e-6); // rounding of float32; counted twice it would be 0.55
  });

  it("one sigmoid output learns two classes", async () => {
    const input = tf.input({ shape: [1, 1, 3] });
    const flat = L.flatten().apply(input);
    const output = L.dense({ units: 1, activation: "sigmoid" }).apply(flat) as lutnn.tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs: output });
    const two = data(
      labels.map((label) => label % 2),
      2,
    );
    await lutnn.fit(model, two, { epochs: 20, learningRate: 0.3 });
    expect((await lutnn.evaluate(model, two)).accuracy).toBe(100);
  });

  it("are checked before anything is learnt", async () => {
    const model = sharp();
    const before = [...model.getWeights()[0].dataSync()];
    const learn = (given: lutnn.datasets.Dataset) => lutnn.fit(model, given, { epochs: 1 });
    await expect(lutnn.evaluate(model, data([1, 2, 3], 3))).rejects.toThrow(
      /evaluate: the targets must be integers from 0 to 2 \(got 3 in example 2 of toy\)/,
    );
    await expect(learn(data([0, 1, 2, 3, 4], 5))).rejects.toThrow(/\(got one of 5 classes from toy\)/);
    const spoiled = data(labels, 3);
    spoiled.images[89] = Number.NaN;
    await expect(learn(spoiled)).rejects.toThrow(
      /the data must be finite numbers \(got NaN in image of example 29 of toy\); correct the data/,
    );
    await expect(learn(spoiled)).rejects.not.toThrow(/learning rate/);
    const held = lutnn.fit(model, data(labels, 3), { epochs: 1, validation: spoiled });
    await expect(held).rejects.toThrow(/got NaN/);
    expect([...model.getWeights()[0].dataSync()]).toEqual(before);
    await expect(lutnn.fit(tf.sequential(), data(labels, 3), { epochs: 1 })).rejects.toThrow(
      lutnn.LutnnError,
    );
  });
});
