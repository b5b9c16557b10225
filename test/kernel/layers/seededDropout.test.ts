import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { expectSameFile, randomWeights } from "../onnx/sameOutputs";
import { randomFloats } from "../random";

const { tf } = lutnn;
const L = tf.layers;
const { SeededDropout } = lutnn.layers;
type Dropout = InstanceType<typeof SeededDropout>;
const folder = mkdtempSync(join(tmpdir(), "lutnn-dropout-"));
afterAll(() => rmSync(folder, { recursive: true }));

const size = 20_000;
const rate = 0.3;
/** Five standard deviations of the share of so many draws. */
const shareTolerance = 5 * Math.sqrt((rate * (1 - rate)) / size);
const ones = () => tf.ones([100, size / 100]);
const inTraining = (layer: Dropout, x: lutnn.tf.Tensor) => layer.call(x, { training: true });
const values = (layer: Dropout) => [...inTraining(layer, ones()).dataSync()];
/** Some places of the mask that the next call in training has. */
const text = (layer: Dropout) => values(layer).slice(0, 60).map(Math.sign).join("");

describe("seeded dropout", () => {
  it("sets a share of the numbers to 0 and makes up for it in the others", () => {
    const got = values(new SeededDropout({ rate }));
    const zeros = got.filter((value) => value === 0).length;
    expect(Math.abs(zeros / size - rate)).toBeLessThan(shareTolerance);
    const kept = Math.fround(1 / (1 - rate));
    expect(new Set(got)).toEqual(new Set([0, kept]));
    // Neighbours in a row and in a column are both 0 as often as independent ones are.
    for (const apart of [1, size / 100]) {
      const both = got.filter((value, i) => value === 0 && got[i + apart] === 0).length;
      expect(Math.abs(both / size - rate ** 2)).toBeLessThan(shareTolerance);
    }
  });

  it("is the identity outside training, and at a rate of 0", () => {
    const x = tf.tensor2d(randomFloats(12, 1), [3, 4]);
    const layer = new SeededDropout({ rate });
    for (const y of [layer.apply(x), layer.call(x, { training: false }), layer.call(x)])
      expect((y as lutnn.tf.Tensor).dataSync()).toEqual(x.dataSync());
    expect(inTraining(new SeededDropout({ rate: 0 }), x).dataSync()).toEqual(x.dataSync());
  });

  it("draws a new mask in each call, the same ones again for the same seed, name, run and step", () => {
    const make = (seed?: number, name = "drop") => new SeededDropout({ rate, seed, name });
    const layer = make();
    const [first, second] = [text(layer), text(layer)];
    expect(second).not.toEqual(first);
    for (const [other, isSame] of [
      [make(0), true],
      [make(1), false],
      [make(0, "other"), false],
    ] as const)
      expect(text(other) === first).toBe(isSame);
    const at = (step: number, run: number) => {
      layer.beginStep(step, run);
      return text(layer);
    };
    const places = [at(0, 0), at(1, 0), at(0, 1), at(7, 3)];
    expect(new Set([...places, second]).size).toBe(5);
    expect([at(7, 3), at(0, 0)]).toEqual([places[3], first]);
  });

  it("hands back the gradient by the mask of its forward pass", () => {
    const layer = new SeededDropout({ rate });
    const x = tf.tensor2d(randomFloats(60, 2), [6, 10]);
    const dy = tf.tensor2d(randomFloats(60, 3), [6, 10]);
    let y: lutnn.tf.Tensor | undefined;
    const gradient = tf.grad((one) => {
      y = inTraining(layer, one);
      tf.keep(y);
      return tf.sum(tf.mul(y, dy));
    })(x);
    const [given, through] = [x.dataSync(), y!.dataSync()];
    const wanted = dy.dataSync().map((one, i) => (through[i] === 0 ? 0 : one / (1 - rate)));
    expect(through.some((one, i) => one === 0 && given[i] !== 0)).toBe(true);
    gradient.dataSync().forEach((one, i) => {
      expect(one).toBeCloseTo(wanted[i], 6);
    });
  });

  it("leaves no tensor behind but its output", () => {
    const [layer, x] = [new SeededDropout({ rate }), ones()];
    const before = tf.memory().numTensors;
    inTraining(layer, x).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    [{ rate: 1 }, /rate must be a number from 0, below 1 \(got 1\)/],
    [{ rate: -0.1 }, /rate must be/],
    [{ rate: Number.NaN }, /rate must be .*\(got NaN\)/],
    [{ rate: 0.1, seed: 0.5 }, /seed must be an integer \(got 0.5\)/],
  ])("refuses %o", (config, message) => {
    expect(() => new SeededDropout(config)).toThrow(message);
    expect(() => new SeededDropout(config)).toThrow(lutnn.LutnnError);
  });
});

/** A network with dropout, alone and in a nested network. */
function network(inner = rate): lutnn.tf.LayersModel {
  const nested = tf.sequential({
    name: "nested",
    layers: [
      L.dense({ units: 6, activation: "relu", inputShape: [6], name: "b" }),
      new SeededDropout({ rate: inner, seed: 4, name: "second" }),
    ],
  });
  const x = tf.input({ shape: [5], name: "x" });
  const apply = (layer: lutnn.tf.layers.Layer, one: lutnn.tf.SymbolicTensor) =>
    layer.apply(one) as lutnn.tf.SymbolicTensor;
  const first = new SeededDropout({ rate, name: "first" });
  const y = apply(nested, apply(first, apply(L.dense({ units: 6, name: "a" }), x)));
  return randomWeights(
    tf.model({ inputs: x, outputs: apply(L.dense({ units: 2, name: "c" }), y), name: "net" }),
  );
}

const weightsOf = (model: lutnn.tf.LayersModel) => model.getWeights().map((one) => [...one.dataSync()]);

describe("a network with seeded dropout", () => {
  it("is stored with rate and seed, and read back with the same masks", async () => {
    const model = network();
    const path = join(folder, "stored");
    await model.save(`file://${path}`);
    const again = await tf.loadLayersModel(`file://${path}/model.json`);
    const x = tf.tensor2d(randomFloats(100, 5), [20, 5]);
    for (const training of [true, false]) {
      const [a, b] = [model, again].map((one) => (one.apply(x, { training }) as lutnn.tf.Tensor).dataSync());
      expect(a).toEqual(b);
    }
  });

  it("has nothing of it in a file", async () => {
    await expectSameFile(network());
  });

  const data = new lutnn.datasets.ArrayExamples({
    name: "numbers",
    inputs: { x: { shape: [5], values: Float32Array.from(randomFloats(200, 6)) } },
    target: { kind: "class", classes: 2 },
    targets: Int32Array.from({ length: 40 }, (_, i) => i % 2),
  });
  const options = { task: "classification", epochs: 3, batchSize: 8, learningRate: 1e-2, seed: 2 } as const;

  it("learns the same from the same seed, whatever was called before", async () => {
    const learnt = async (seed: number, callsBefore: number, inner?: number) => {
      const model = network(inner);
      for (let i = 0; i < callsBefore; i++) model.apply(tf.ones([1, 5]), { training: true });
      await lutnn.fit(model, data.take(1), { ...options, seed }); // of one example there is one order
      return weightsOf(model);
    };
    const first = await learnt(2, 0);
    expect(await learnt(2, 3)).toEqual(first);
    const apart = (other: number[][]) => Math.max(...other[0].map((one, i) => Math.abs(one - first[0][i])));
    expect(apart(await learnt(3, 0))).toBeGreaterThan(1e-4);
    expect(apart(await learnt(2, 0, 0.5))).toBeGreaterThan(1e-4);
  });

  it("goes on from a checkpoint with the masks that it would have had, and not with another rate", async () => {
    const whole = network();
    await lutnn.fit(whole, data, options);
    const broken = network();
    const stop = new AbortController();
    const checkpoint = { folder: join(folder, "run"), everySteps: 1 };
    let batches = 0;
    const counted = data.map((inputs) => {
      if (++batches === 8) stop.abort();
      return inputs;
    });
    await expect(
      lutnn.fit(broken, counted, { ...options, checkpoint, signal: stop.signal }),
    ).rejects.toThrow();
    const other = { ...options, checkpoint };
    await expect(lutnn.fit(network(0.5), counted, other)).rejects.toThrow(/checkpoint/);
    const again = network();
    await lutnn.fit(again, counted, other);
    expect(weightsOf(again)).toEqual(weightsOf(whole));
  });
});
