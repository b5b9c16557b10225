import * as lutnn from "lutnn";
import { datasets, tf } from "lutnn";
import { beforeAll, describe, expect, it } from "vitest";

type Examples = datasets.ArrayExamples;
let train: Examples;
let test: Examples;
beforeAll(async () => {
  ({ train, test } = await datasets.diabetes());
});

const columns = 10;
const valuesOf = ({ arrays }: Examples) => arrays.inputs.measurements.values;
const column = (examples: Examples, at: number) =>
  Array.from(valuesOf(examples)).filter((_, i) => i % columns === at);
const mean = (numbers: number[]) => numbers.reduce((sum, one) => sum + one / numbers.length, 0);

describe("diabetes", () => {
  it("has the published examples: 442, targets 25 to 346 with mean 152.13", () => {
    expect([train.size, test.size]).toEqual([354, 88]);
    const targets = [train, test].flatMap(({ arrays }) => [...arrays.targets]);
    expect([Math.min(...targets), Math.max(...targets)]).toEqual([25, 346]);
    expect(mean(targets)).toBeCloseTo(152.1335, 3);
    expect(train.target).toMatchObject({ kind: "values", length: 1 });
  });

  it("has each measurement with mean 0 and deviation 1 over the training examples, and near that over the others", () => {
    for (let at = 0; at < columns; at++) {
      const own = column(train, at);
      expect(mean(own)).toBeCloseTo(0, 5);
      expect(mean(own.map((one) => one ** 2))).toBeCloseTo(1, 5);
      expect(Math.abs(mean(column(test, at)))).toBeLessThan(0.4);
    }
    // Sex is one of two numbers; the correlation of body mass index and progression is the published 0.586.
    expect(new Set(column(train, 1)).size).toBe(2);
    const progress = [...train.arrays.targets];
    const center = mean(progress);
    const spread = Math.sqrt(mean(progress.map((one) => (one - center) ** 2)));
    const correlation = mean(column(train, 2).map((bmi, i) => (bmi * (progress[i] - center)) / spread));
    expect(correlation).toBeCloseTo(0.586, 1);
  });

  it("is the same for everyone, by its function and by its name", async () => {
    const again = await datasets.load("diabetes");
    expect(await again.train.fingerprint()).toBe(await train.fingerprint());
    expect(datasets.names).toContain("diabetes");
  });

  it("is learnt by a small network, better than by its mean", async () => {
    const kernelInitializer = tf.initializers.glorotNormal({ seed: 1 });
    const layers = [
      tf.layers.dense({ units: 16, activation: "relu", inputShape: [10], kernelInitializer }),
      tf.layers.dense({ units: 1, kernelInitializer: tf.initializers.glorotNormal({ seed: 2 }) }),
    ];
    const model = tf.sequential({ layers });
    await lutnn.fit(model, train, { epochs: 150, learningRate: 0.03 });
    const { metric, loss } = await lutnn.evaluate(model, test);
    expect(metric.name).toBe("mean absolute error");
    expect(loss).toBeLessThan(0.7); // of the targets' variance, which always answering the mean would leave
  });
});
