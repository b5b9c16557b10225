import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { EarlyStop } from "../../../kernel/lib/training/earlyStop";
import { randomFloats } from "../random";

const { tf } = lutnn;
const L = tf.layers;
const root = mkdtempSync(join(tmpdir(), "lutnn-values-"));
afterAll(() => rmSync(root, { recursive: true }));

/** float32 against double precision. */
const tolerance = 1e-5;

const rows = 45;
const numbers = randomFloats(rows * 3, 1);
/** y = 2a − b + 3 of three numbers a, b, c. */
const line = new lutnn.datasets.ArrayExamples({
  name: "line",
  inputs: { x: { shape: [3], values: numbers } },
  target: { kind: "values", length: 1, unit: "m" },
  targets: Float32Array.from({ length: rows }, (_, n) => 2 * numbers[3 * n] - numbers[3 * n + 1] + 3),
});
const linear = () => {
  const input = tf.input({ shape: [3] });
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
  const output = L.dense({ units: 1, kernelInitializer }).apply(input) as lutnn.tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: output, name: "linear" });
};

/** The examples' order in every epoch of a run. */
async function ordersOf(seed: number): Promise<number[][]> {
  const orders: number[][] = [];
  const data = line.map((inputs) => inputs);
  const batches = data.batches.bind(data);
  data.batches = async function* (size, options) {
    const order: number[] = [];
    if (options?.first === 0) orders.push(order);
    for await (const batch of batches(size, options)) {
      const x = batch.inputs.x.arraySync() as number[][];
      order.push(...x.map(([first]) => numbers.findIndex((value, i) => i % 3 === 0 && value === first) / 3));
      yield batch;
    }
  };
  await lutnn.fit(linear(), data, { epochs: 3, batchSize: 7, seed });
  return orders;
}

describe("a run's order", () => {
  it("is another one in every epoch and for every seed, each example once, and repeatable", async () => {
    const orders = await ordersOf(1);
    expect(orders).toHaveLength(3);
    for (const order of orders)
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
    const others = await ordersOf(2);
    const texts = [...orders, ...others].map((order) => order.join());
    expect(new Set(texts).size).toBe(6);
    expect(await ordersOf(1)).toEqual(orders);
  });
});

describe("weight decay", () => {
  it.each(["adam", "sgd"] as const)(
    "shrinks weights and nothing else, whatever layers are called (%s)",
    async (algorithm) => {
      const input = tf.input({ shape: [3] });
      let x = L.dense({ units: 4, biasInitializer: "ones", name: "kernel" }).apply(input) as typeof input;
      x = L.batchNormalization({ name: "weight" }).apply(x) as typeof x;
      x = L.prelu({ alphaInitializer: "ones", name: "table" }).apply(x) as typeof x;
      const model = tf.model({ inputs: input, outputs: x });
      // A loss whose gradient is zero: what is left is the decay alone.
      const base = lutnn.taskOf(model, "regression");
      const flat: lutnn.Task = {
        ...base,
        checkTarget: () => flat,
        loss: ([output]) => tf.mul(tf.sum(output), 0),
        score: () => ({ metric: 1, weight: 1, metricSquares: 1, products: 1, weightSquares: 1 }),
      };
      const before = model.trainableWeights.map((weight) => [...weight.read().dataSync()]);
      await lutnn.fit(model, line, {
        epochs: 1,
        batchSize: rows,
        task: flat,
        algorithm,
        schedule: "constant",
        learningRate: 0.1,
        weightDecay: 0.5,
      });
      const names = model.trainableWeights.map(({ originalName }) => originalName.split("/").pop());
      expect(names).toEqual(["kernel", "bias", "gamma", "beta", "alpha"]);
      model.trainableWeights.forEach((weight, i) => {
        const factor = names[i] === "kernel" ? 1 - 0.1 * 0.5 : 1;
        weight
          .read()
          .dataSync()
          .forEach((value, at) => {
            expect(Math.abs(value - factor * before[i][at]), names[i]).toBeLessThan(
              factor === 1 ? 1e-12 : tolerance,
            );
          });
      });
    },
  );
});

describe("early stopping", () => {
  const metric = { name: "mean absolute error", unit: "m", higherIsBetter: false };
  const accuracy = { name: "accuracy", unit: "%", higherIsBetter: true };

  it("asks for more than minimumGain, in the direction of what counts", () => {
    const stop = (m: lutnn.Metric, options: Partial<lutnn.EarlyStopping>) =>
      new EarlyStop("fit", m, { patience: 1, ...options });
    expect(stop(accuracy, {}).isBetter(50, undefined)).toBe(true);
    const byAccuracy = stop(accuracy, { minimumGain: 2 });
    expect([51.9, 52, 52.1, 48].map((value) => byAccuracy.isBetter(value, 50))).toEqual([
      false,
      false,
      true,
      false,
    ]);
    const byError = stop(metric, { minimumGain: 2 });
    expect([48.1, 48, 47.9, 52].map((value) => byError.isBetter(value, 50))).toEqual([
      false,
      false,
      true,
      false,
    ]);
    const byLoss = stop(accuracy, { metric: "loss", minimumGain: 0.5 });
    expect([1.6, 1.4, 3].map((value) => byLoss.isBetter(value, 2))).toEqual([false, true, false]);
    expect(() => stop(metric, { metric: "accuracy" })).toThrow(
      /fit: earlyStopping.metric must be "loss" or "mean absolute error", the task's metric \(got "accuracy"\)/,
    );
  });

  it("ends a run that gains less", async () => {
    const run = (minimumGain: number) =>
      lutnn.fit(linear(), line, {
        epochs: 8,
        validation: line,
        learningRate: 0.01,
        schedule: "constant",
        earlyStopping: { patience: 2, minimumGain },
      });
    const [patient, greedy] = [await run(0), await run(1000)];
    expect([patient.epochs.length, patient.outcome.best]).toEqual([8, 8]);
    expect([greedy.epochs.length, greedy.outcome.best, greedy.outcome.stoppedEarly]).toEqual([3, 1, true]);
  });
});

describe("a regression", () => {
  it("is learnt, shown, logged and evaluated in the words of its task", async () => {
    const model = linear();
    const log = join(root, "log");
    const history = await lutnn.fit(model, line, {
      epochs: 60,
      batchSize: 9,
      learningRate: 0.1,
      validation: line,
      log,
      checkpoint: join(root, "run"),
    });
    const [weight, bias] = model.getWeights().map((tensor) => [...tensor.dataSync()]);
    [2, -1, 0].forEach((wanted, i) => {
      expect(Math.abs(weight[i] - wanted)).toBeLessThan(0.05);
    });
    expect(Math.abs(bias[0] - 3)).toBeLessThan(0.05);
    const { metric, loss, accuracy, size } = await lutnn.evaluate(model, line, { batchSize: 7 });
    const errors = Array.from({ length: rows }, (_, n) => {
      const [a, b, c] = numbers.subarray(3 * n, 3 * n + 3);
      return weight[0] * a + weight[1] * b + weight[2] * c + bias[0] - (2 * a - b + 3);
    });
    const mean = errors.reduce((sum, error) => sum + Math.abs(error), 0) / rows;
    const spread = (values: number[], middle: number) =>
      values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / rows;
    expect([metric.name, metric.unit, accuracy, size]).toEqual([
      "mean absolute error",
      "m",
      Number.NaN,
      rows,
    ]);
    expect(Math.abs(metric.value - mean)).toBeLessThan(tolerance);
    expect(Math.abs(metric.noise - Math.sqrt(spread(errors.map(Math.abs), mean) / rows))).toBeLessThan(
      tolerance,
    );
    const targets = [...line.arrays.targets];
    const variance = spread(targets, targets.reduce((a, b) => a + b) / rows);
    expect(Math.abs(loss - spread(errors, 0) / variance)).toBeLessThan(tolerance);
    expect(history.last.validation?.metric.value).toBeCloseTo(metric.value, 5);
    const { panels } = history.figure().chart;
    expect(panels.map(({ axis }) => axis)).toEqual([
      "loss (of the targets' variance)",
      "mean absolute error (m)",
    ]);
    const [first] = readFileSync(join(log, "metrics.jsonl"), "utf8").split("\n");
    expect(Object.keys(JSON.parse(first))).toEqual([
      "step",
      "epoch",
      "loss",
      "meanAbsoluteError",
      "validationLoss",
      "validationMeanAbsoluteError",
    ]);
    const again = await lutnn.fit(linear(), line, {
      epochs: 60,
      batchSize: 9,
      learningRate: 0.1,
      validation: line,
      checkpoint: join(root, "run"),
    });
    expect(again.epochs).toEqual(history.epochs);
  });

  it("of large numbers does not look like one that diverges", async () => {
    const data = new lutnn.datasets.ArrayExamples({
      ...line.arrays,
      target: { kind: "values", length: 1 },
      targets: line.arrays.targets.map((value) => value * 1e5),
    });
    const { epochs } = await lutnn.fit(linear(), data, { epochs: 2 });
    expect(epochs[0].loss).toBeLessThan(10);
    const streamed = lutnn.datasets.indexed({
      name: "line",
      size: rows,
      inputs: line.inputs,
      target: { kind: "values", length: 1 }, // of unknown spread: the loss is in squares of the unit
      read: (n) => ({ inputs: { x: numbers.subarray(3 * n, 3 * n + 3) }, target: data.arrays.targets[n] }),
    });
    expect((await lutnn.fit(linear(), streamed, { epochs: 1 })).last.loss).toBeGreaterThan(1e9);
  });
});

describe("several inputs and masks", () => {
  it("find their inputs by name, in whatever order", async () => {
    const [a, b] = ["a", "b"].map((name) => tf.input({ shape: [1], name }));
    const minus = L.dense({ units: 1, useBias: false, weights: [tf.tensor2d([[-1]])] }).apply(b);
    const sum = L.add().apply([a, minus as lutnn.tf.SymbolicTensor]) as lutnn.tf.SymbolicTensor;
    const model = tf.model({ inputs: [a, b], outputs: sum });
    const data = new lutnn.datasets.ArrayExamples({
      name: "pairs",
      inputs: {
        b: { shape: [1], values: Float32Array.of(1, 2, 3) },
        a: { shape: [1], values: Float32Array.of(5, 5, 5) },
      },
      target: { kind: "values", length: 1 },
      targets: Float32Array.of(4, 3, 1),
    });
    expect((await lutnn.evaluate(model, data)).metric.value).toBeCloseTo(1 / 3, 6);
    const renamed = new lutnn.datasets.ArrayExamples({
      ...data.arrays,
      inputs: { c: data.arrays.inputs.b, a: data.arrays.inputs.a },
    });
    await expect(lutnn.evaluate(model, renamed)).rejects.toThrow(
      /evaluate: the data must have the network's input b of 1 \(got c, a from pairs\)/,
    );
  });

  it("tokens are learnt, padding says nothing, and batches of any size evaluate the same", async () => {
    const [examples, length] = [30, 4];
    const ids = Int32Array.from({ length: examples * length }, (_, i) => (i * 7 + (i >> 2)) % 5);
    const mask = ids.map((_, i) => (i % length <= (i >> 2) % length ? 1 : 0));
    const make = (padding: number) =>
      new lutnn.datasets.ArrayExamples({
        name: "tokens",
        inputs: { ids: { shape: [length], values: ids } },
        target: { kind: "tokens", length, classes: 5 },
        targets: ids.map((id, i) => (mask[i] ? (id + 1) % 5 : padding)),
        mask,
      });
    const network = () => {
      const input = tf.input({ shape: [length], dtype: "int32" });
      const embeddingsInitializer = tf.initializers.randomNormal({ seed: 1 });
      const x = L.embedding({ inputDim: 5, outputDim: 6, embeddingsInitializer }).apply(input);
      const kernelInitializer = tf.initializers.glorotUniform({ seed: 2 });
      const y = L.dense({ units: 5, kernelInitializer }).apply(x) as lutnn.tf.SymbolicTensor;
      return tf.model({ inputs: input, outputs: y });
    };
    const trained = async (padding: number) => {
      const model = network();
      await lutnn.fit(model, make(padding), { epochs: 40, batchSize: 8, learningRate: 0.05 });
      return model;
    };
    const [model, other] = [await trained(0), await trained(3)];
    const values = (one: lutnn.tf.LayersModel) => one.getWeights().map((weight) => [...weight.dataSync()]);
    expect(values(other)).toEqual(values(model));
    expect((await lutnn.evaluate(model, make(1))).accuracy).toBe(100);
    const fresh = network(); // its losses differ from token to token
    const [whole, parts] = [
      await lutnn.evaluate(fresh, make(1)),
      await lutnn.evaluate(fresh, make(2), { batchSize: 7 }),
    ];
    expect(parts.metric.value).toBeCloseTo(whole.metric.value, 10);
    expect(Math.abs(whole.loss - parts.loss)).toBeLessThan(tolerance);
    const nothing = new lutnn.datasets.ArrayExamples({
      ...make(0).arrays,
      mask: new Int32Array(mask.length),
    });
    await expect(lutnn.evaluate(model, nothing)).rejects.toThrow(/at least one target must count/);
  });
});

describe("an annealed temperature", () => {
  it("goes from 1 down to 0.1, by the same factor in every step", async () => {
    const { train } = await lutnn.datasets.digits();
    const model = lutnn.models.smallCnn({ inputShape: [8, 8, 1], numClasses: 10, width: 4 });
    const conversion = lutnn.convert(model, { layers: ["conv2"] });
    const data = train.take(80);
    await conversion.calibrate(data, { method: "kmeans" });
    await conversion.replaceAll();
    const layer = conversion.model.getLayer("conv2");
    if (!(layer instanceof lutnn.LookupLayer)) throw new TypeError("conv2 is not replaced");
    const seen: number[] = [];
    const set = lutnn.LookupLayer.prototype.setTemperature;
    lutnn.LookupLayer.prototype.setTemperature = function (value) {
      seen.push(value);
      set.call(this, value);
    };
    try {
      await conversion.fineTune(data, { epochs: 2, batchSize: 20, temperature: "annealed" });
    } finally {
      lutnn.LookupLayer.prototype.setTemperature = set;
    }
    expect(seen).toHaveLength(8);
    expect(seen[0]).toBe(1);
    expect(seen[7]).toBeCloseTo(0.1, 12);
    seen.slice(1).forEach((value, i) => {
      expect(value / seen[i]).toBeCloseTo(0.1 ** (1 / 7), 12);
    });
  });
});
