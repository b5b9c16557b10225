import {
  convert,
  datasets,
  inference,
  LutnnError,
  Progress,
  plan,
  pq,
  profiles,
  reestimateBatchNorms,
  tf,
} from "lutnn";
import { describe, expect, it, vi } from "vitest";
import { annealedTemperature } from "../../../kernel/lib/conversion/fineTune";
import { tinyData, tinyNetwork } from "../network";

const train = tinyData(120);
const held = tinyData(60, 1);

/** Sums of float32 in other orders. */
const tolerance = 1e-4;

const images = (data: typeof train) => tf.tensor4d(data.images, [data.size, 6, 6, 2]);

/** What a layer of a network receives for some data. */
function inputOf(network: tf.LayersModel, name: string, data: typeof train): tf.Tensor {
  const layer = network.getLayer(name);
  const probe = tf.model({ inputs: network.inputs, outputs: layer.input as tf.SymbolicTensor });
  return tf.tidy(() => probe.predict(images(data)) as tf.Tensor);
}

const means = (x: tf.Tensor): Float32Array =>
  tf.tidy(() => tf.mean(x.reshape([-1, x.shape[x.rank - 1]]), 0).dataSync() as Float32Array);

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

describe("a calibration by least squares", () => {
  it("estimates batch norms on what the converted network gives them", async () => {
    const model = tinyNetwork(4);
    const conversion = convert(model, { layers: ["c2", "c3"] });
    await conversion.calibrate(train, { method: "leastSquares" });
    await conversion.replaceAll();
    const [, , moving] = conversion.model.getLayer("bn2").getWeights();
    const given = moving.dataSync();
    expect(farthest(given, means(inputOf(conversion.model, "bn2", train)))).toBeLessThan(tolerance);
    expect(farthest(given, means(inputOf(model, "bn2", train)))).toBeGreaterThan(10 * tolerance);
    await conversion.restoreAll();
  });

  it("shows its progress within a layer too, rising from layer to layer", async () => {
    const seen: { done: number; layer: string }[] = [];
    const update = vi.spyOn(Progress.prototype, "update").mockImplementation((done, fields) => {
      seen.push({ done, layer: fields?.layer ?? "" });
    });
    try {
      for (const refineSteps of [0, 2]) {
        seen.length = 0;
        const calibrate = { ...profiles.plus.calibrate, refineSteps };
        const conversion = convert(tinyNetwork(4), {
          layers: ["c2", "c3"],
          profile: { ...profiles.plus, calibrate },
        });
        await conversion.calibrate(train);
        const all = seen.map(({ done }) => done);
        expect(all).toEqual([...all].sort((a, b) => a - b));
        for (const [layer, from] of [
          ["c2", 0],
          ["c3", 1],
        ] as const) {
          const within = seen.filter((one) => one.layer === layer && one.done > from && one.done < from + 1);
          expect(within.length).toBeGreaterThan(3);
        }
        expect(all.at(-1)).toBe(2);
      }
    } finally {
      update.mockRestore();
    }
  });

  it("leaves batch norms alone where the profile says so", async () => {
    const model = tinyNetwork(4);
    const calibrate = { ...profiles.plus.calibrate, batchNorm: false };
    const conversion = convert(model, { layers: ["c2"], profile: { ...profiles.plus, calibrate } });
    await conversion.calibrate(train);
    await conversion.replaceAll();
    const moving = (network: tf.LayersModel) => network.getLayer("bn2").getWeights()[2].dataSync();
    expect(moving(conversion.model)).toEqual(moving(model));
    await conversion.restoreAll();
  });
});

describe("verbs that read inputs alone", () => {
  /** The same images, with labels that no class has, with values, and as a stream whose targets are nonsense. */
  const inputs = { image: { shape: [6, 6, 2], values: train.images } };
  const others: [string, datasets.ExampleSource][] = [
    ["classes out of range", new datasets.Dataset({ ...train, labels: new Int32Array(train.size).fill(7) })],
    [
      "values",
      new datasets.ArrayExamples({
        name: "tiny",
        inputs,
        target: { kind: "values", length: 1 },
        targets: new Float32Array(train.size).fill(Number.NaN),
      }),
    ],
    [
      "a stream without targets",
      datasets.indexed({
        name: "tiny",
        size: train.size,
        inputs: train.inputs,
        target: train.target,
        read: (index) => ({
          inputs: { image: train.images.subarray(index * 72, (index + 1) * 72) },
          target: Number.NaN,
        }),
      }),
    ],
  ];

  it.each(others)("calibrate as well by %s, and refuse where targets are read", async (_, data) => {
    const [given, wanted] = [convert(tinyNetwork(4)), convert(tinyNetwork(4))];
    for (const method of ["kmeans", "leastSquares", "maddness"] as const) {
      await given.calibrate(data, { method });
      await wanted.calibrate(train, { method });
      const arrays = (conversion: typeof given) =>
        Object.values(conversion.state.layers).map(({ calibrations }) =>
          Object.values(calibrations[method]!.arrays).map(({ digest }) => digest),
        );
      expect(arrays(given)).toEqual(arrays(wanted));
    }
    await given.replaceAll({ method: "kmeans" });
    expect((await inference.verifyNative(given.model, data, { examples: 2 })).ok).toBe(true);
    for (const verb of [
      () => given.evaluate(data),
      () => given.errorAccumulation(data),
      () => given.fineTune(data, { epochs: 1 }),
    ])
      await expect(verb()).rejects.toThrow(/targets? must|target of an example/);
    await given.restoreAll();
  });

  it("refuse faulty inputs", async () => {
    const images = train.images.slice();
    images[100] = Number.NaN;
    const data = new datasets.Dataset({ ...train, images });
    await expect(convert(tinyNetwork(4)).calibrate(data)).rejects.toThrow(/got NaN in image of example 1/);
    await expect(reestimateBatchNorms(tinyNetwork(4), data)).rejects.toThrow(LutnnError);
  });

  it("re-estimate batch norms, and plan on such data to learn from", async () => {
    const [, [, data]] = others;
    expect((await reestimateBatchNorms(tinyNetwork(4), data)).examples).toBe(train.size);
    const options = {
      validation: held,
      budget: { bytes: 1e9 },
      layers: ["c2"],
      numCentroids: [8],
      subvectorMultiples: [1],
    };
    expect((await plan(tinyNetwork(4), { ...options, data })).layers.length).toBe(1);
    await expect(plan(tinyNetwork(4), { ...options, data: train, validation: data })).rejects.toThrow(
      /targets must/,
    );
  });
});

describe("a later stage", () => {
  it("calibrates on the network as it is by then, not on the dense one", async () => {
    const model = tinyNetwork(4);
    const conversion = convert(model);
    await conversion.calibrate(train, { layers: ["c2", "c3", "c4"] });
    for (const name of ["c2", "c3", "c4"]) await conversion.replace(name);
    await conversion.fineTune(train, { epochs: 1, learningRate: 0.01 });
    const shape = { numCodebooks: 4, numCentroids: 16, subvectorLength: 27 };
    const centroidsOn = async (network: tf.LayersModel) => {
      const rows = inputOf(network, "hidden", train).dataSync() as Float32Array;
      return (await pq.kMeans(rows, shape, { seed: 5 })).centroids;
    };
    const [wanted, dense] = [await centroidsOn(conversion.model), await centroidsOn(model)];
    await conversion.calibrate(train, { layers: ["hidden"], method: "kmeans", seed: 5 });
    const found = conversion.state.layers.hidden.calibrations.kmeans!.arrays.centroids.values;
    expect(farthest(found, wanted)).toBeLessThan(tolerance);
    expect(farthest(found, dense)).toBeGreaterThan(10 * tolerance);
    await conversion.restoreAll();
  });
});

describe("a network that ends in a batch norm", () => {
  it("gives that norm to the last layer, restores it with it, and counts it in the layer's metric", async () => {
    const input = tf.input({ shape: [6, 6, 2] });
    const conv = tf.layers.conv2d({ filters: 4, kernelSize: 3, name: "first" }).apply(input);
    const flat = tf.layers.flatten().apply(conv);
    const dense = tf.layers.dense({ units: 3, name: "last" }).apply(flat);
    const norm = tf.layers.batchNormalization({ name: "end" }).apply(dense) as tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs: norm });
    const conversion = convert(model, { layers: ["last"] });
    await conversion.calibrate(train);
    await conversion.replaceAll();
    const end = (network: tf.LayersModel) => network.getLayer("end").getWeights()[2].dataSync();
    expect(end(conversion.model)).not.toEqual(end(model));
    const { report } = await conversion.errorAccumulation(held);
    const { metric } = await conversion.evaluate(held);
    expect(report.series[0].errors[0].metric).toBeCloseTo(metric.value, 10);
    expect(report.series[0].metric).toBeCloseTo(metric.value, 10);
    await conversion.restoreAll();
    expect(end(conversion.model)).toEqual(end(model));
  });
});

describe("a plan", () => {
  it("says what an option does alone to the output, and what the chosen point really loses", async () => {
    const model = tinyNetwork(4);
    const calibrate = { ...profiles.plus.calibrate, batchNorm: false };
    const profile = { ...profiles.plus, calibrate };
    const made = await plan(model, {
      data: train,
      validation: held,
      budget: { accuracyDrop: 100 },
      layers: ["c4", "hidden"],
      numCentroids: [8],
      subvectorMultiples: [1],
      profile,
    });
    for (const { name, options } of made.layers) {
      const { numCentroids, subvectorLength, harm } = options[0];
      const alone = convert(model, {
        layers: [name],
        numCentroids,
        subvectorLength: { [name]: subvectorLength },
        profile,
      });
      await alone.calibrate(train);
      await alone.replaceAll();
      const { report } = await alone.errorAccumulation(held);
      expect(harm).toBeGreaterThan(0);
      expect(harm / report.series[0].divergence!).toBeCloseTo(1, 2);
      await alone.restoreAll();
    }
    const both = convert(model, { ...made.options, profile });
    await both.calibrate(train);
    await both.replaceAll();
    const before = convert(model, { layers: ["c2"] });
    const drop = (await before.evaluate(held)).metric.value - (await both.evaluate(held)).metric.value;
    expect(made.chosen.measuredDrop).toBeCloseTo(drop, 10);
    await both.restoreAll();
  });
});

describe("settings", () => {
  it("anneal the temperature from 1 to 0.1", () => {
    const steps = [0, 1, 2, 3, 4].map((step) => annealedTemperature(step, 5));
    expect(steps[0]).toBe(1);
    expect(steps[4]).toBeCloseTo(0.1, 12);
    expect(steps.every((value, i) => i === 0 || value < steps[i - 1])).toBe(true);
  });

  it("of the two profiles are these", () => {
    expect(profiles).toEqual({
      paper: {
        name: "paper",
        distance: "l2",
        tableScale: "layer",
        tableBits: 8,
        codes: "float32",
        calibrate: { method: "kmeans", batchNorm: false, ridge: 1e-3, refineSteps: 0 },
        fineTune: {
          learningRate: 1e-3,
          otherLearningRate: null,
          temperature: "learned",
          temperatureLearningRate: 0.1,
          softShare: 1,
          commitment: 0,
          centroidPull: 0,
          distillation: 0,
          distillationTemperature: 4,
        },
        sharedCodebooks: false,
        stages: 1,
      },
      plus: {
        name: "plus",
        distance: "l2",
        tableScale: "output",
        tableBits: 8,
        codes: "int8",
        calibrate: { method: "leastSquares", batchNorm: true, ridge: "heldOut", refineSteps: 0 },
        fineTune: {
          learningRate: 3e-3,
          otherLearningRate: null,
          temperature: "learned",
          temperatureLearningRate: 0.1,
          softShare: 0.5,
          commitment: 0,
          centroidPull: 0,
          distillation: 1,
          distillationTemperature: 4,
        },
        sharedCodebooks: false,
        stages: 1,
      },
    });
  });
});
