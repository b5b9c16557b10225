import * as lutnn from "lutnn";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fastBatchNorm } from "../../../kernel/lib/layers/fastBatchNorm";
import { randomFloats } from "../random";

const { tf } = lutnn;
const L = tf.layers;

/** float32 against double precision, over a few thousand numbers. */
const tolerance = 1e-5;

const warnings: string[] = [];
const listen = (warning: Error) => warnings.push(warning.message);
beforeEach(() => {
  warnings.length = 0;
  process.on("warning", listen);
});
afterEach(() => process.off("warning", listen));
const told = async () => {
  await new Promise(setImmediate);
  return warnings;
};

/** A small network on digits whose batch norms have this momentum. */
function network(momentum: number) {
  const input = tf.input({ shape: [8, 8, 1] });
  let x = input;
  for (const filters of [12, 24]) {
    const kernelInitializer = tf.initializers.heNormal({ seed: filters });
    x = L.conv2d({ filters, kernelSize: 3, useBias: false, kernelInitializer }).apply(x) as typeof x;
    x = L.batchNormalization({ momentum, name: `bn${filters}` }).apply(x) as typeof x;
    x = L.reLU().apply(x) as typeof x;
  }
  x = L.flatten().apply(x) as typeof x;
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 3 });
  const outputs = L.dense({ units: 10, kernelInitializer }).apply(x) as typeof x;
  return tf.model({ inputs: input, outputs, name: "net" });
}

describe("batch norms whose moving statistics lag behind", () => {
  it("are told by fit and evaluate with figures and remedy, once, and remembered", async () => {
    const { train, test } = await lutnn.datasets.digits();
    const model = network(0.99);
    const history = await lutnn.fit(model, train.take(600), { epochs: 2 });
    const before = await lutnn.evaluate(model, test);
    const sentence =
      /: the moving statistics of batch norm bn\d\d( \(and 1 more\))? must be near those of the data \(its mean is [\d.]+ standard deviations away, its variance [\d.]+ times the data's; accuracy is ([\d.]+) % by the data's statistics and ([\d.]+) % by its own\); call lutnn\.reestimateBatchNorms\(model, data\), train for more steps, or lower its momentum \(0\.99\)$/;
    expect(history.outcome.warning).toMatch(sentence);
    expect(before.warning).toMatch(sentence);
    const [, , byData, own] = sentence.exec(before.warning!)!.map(Number);
    expect(byData - own).toBeGreaterThan(10);
    expect(await told()).toEqual([history.outcome.warning]);
    expect(await lutnn.batchNormWarning(model)).toBe(before.warning);
    expect(await lutnn.batchNormWarning(model, test)).toMatch(/^net: the moving statistics/);

    const tensors = tf.memory().numTensors;
    const weights = () => model.trainableWeights.map((weight) => [...weight.read().dataSync()]);
    const kept = weights();
    expect(await lutnn.reestimateBatchNorms(model, train)).toEqual({
      layers: ["bn12", "bn24"],
      examples: 1437,
    });
    expect(tf.memory().numTensors).toBe(tensors);
    expect(weights()).toEqual(kept);
    expect(await lutnn.batchNormWarning(model)).toBeNull(); // the finding was about other statistics
    const after = await lutnn.evaluate(model, test);
    expect(after.warning).toBeUndefined();
    expect(after.accuracy).toBeGreaterThan(byData - 5);
  });

  it("are not told of where they are near", async () => {
    const { train, test } = await lutnn.datasets.digits();
    const model = network(0.5);
    const history = await lutnn.fit(model, train.take(600), { epochs: 2 });
    expect(history.outcome.warning).toBeUndefined();
    expect((await lutnn.evaluate(model, test)).warning).toBeUndefined();
    expect(await told()).toEqual([]);
  });
});

describe("reestimateBatchNorms", () => {
  it("sets mean and variance of all that a batch norm sees, whatever the batches, and its axis", async () => {
    const [rows, height, width] = [23, 3, 5];
    const input = tf.input({ shape: [height, width, 2] });
    const first = L.batchNormalization({ name: "first" }).apply(input);
    const second = L.batchNormalization({ axis: 1, scale: false, name: "second" }).apply(first);
    const model = tf.model({ inputs: input, outputs: L.flatten().apply(second) as lutnn.tf.SymbolicTensor });
    const values = randomFloats(rows * height * width * 2, 5).map((value, i) => value * 3 + (i % 2) * 7);
    const data = new lutnn.datasets.ArrayExamples({
      name: "d",
      inputs: { x: { shape: [height, width, 2], values } },
      target: { kind: "values", length: 1 },
      targets: new Float32Array(rows),
    });
    expect(await lutnn.reestimateBatchNorms(model, data, { batchSize: 7 })).toEqual({
      layers: ["first", "second"],
      examples: rows,
    });
    const statistics = (name: string) =>
      model
        .getLayer(name)
        .weights.slice(-2)
        .map((weight) => [...weight.read().dataSync()]);
    const [mean, variance] = statistics("first");
    for (const channel of [0, 1]) {
      const own = [...values].filter((_, i) => i % 2 === channel);
      const average = own.reduce((a, b) => a + b) / own.length;
      const spread = own.reduce((sum, value) => sum + (value - average) ** 2, 0) / own.length;
      expect(Math.abs(mean[channel] - average)).toBeLessThan(tolerance * 10);
      expect(Math.abs(variance[channel] - spread)).toBeLessThan(tolerance * spread);
    }
    expect(statistics("second")[0]).toHaveLength(height);
    // One batch of all: the second one's inputs are then normalised over the channels' rows and columns.
    await lutnn.reestimateBatchNorms(model, data, { batchSize: rows });
    const total = statistics("second")[0].reduce((a, b) => a + b);
    expect(Math.abs(total)).toBeLessThan(1e-4); // sums of float32
  });

  it("takes so many examples and no more", async () => {
    const { train } = await lutnn.datasets.digits();
    const result = await lutnn.reestimateBatchNorms(network(0.9), train, { examples: 100, batchSize: 30 });
    expect(result.examples).toBe(120); // whole batches
    await expect(lutnn.reestimateBatchNorms(network(0.9), train, { examples: 0 })).rejects.toThrow(
      /examples must be a positive integer \(got 0\)/,
    );
  });
});

describe("the fast batch norm", () => {
  it.each([0.9, 0.5, 0])("moves its statistics as the stock layer does, momentum %d", (momentum) => {
    const x = tf.tensor4d(
      randomFloats(7 * 3 * 5 * 4, 1).map((value, i) => 2 * value + (i % 4)),
      [7, 3, 5, 4],
    );
    const layers = [L.batchNormalization({ momentum }), fastBatchNorm(L.batchNormalization({ momentum }))];
    const results = layers.map((layer) => {
      for (const factor of [1, 3]) layer.apply(tf.mul(x, factor), { training: true });
      const y = layer.apply(x, { training: true }) as lutnn.tf.Tensor;
      return [...layer.getWeights(), y].map((tensor) => [...tensor.dataSync()]);
    });
    results[0].forEach((stock, i) => {
      stock.forEach((value, at) => {
        expect(Math.abs(results[1][i][at] - value)).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)));
      });
    });
    // By hand: the mean moves from 0 by 1 − momentum of the way to each batch's mean.
    const own = [...x.dataSync()].filter((_, i) => i % 4 === 2);
    const mean = own.reduce((a, b) => a + b) / own.length;
    const moved = [1, 3, 1].reduce((old, factor) => momentum * old + (1 - momentum) * factor * mean, 0);
    expect(Math.abs(results[1][2][2] - moved)).toBeLessThan(1e-4);
  });
});
