import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert, datasets, profiles, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { lookupProblem } from "../../../kernel/lib/conversion/lookupProblem";
import { type ReceivedBatch, ReceivedRows, RowSampler } from "../../../kernel/lib/conversion/rows";
import type { Target, TargetCall } from "../../../kernel/lib/conversion/targets";
import { temperatureLogit } from "../../../kernel/lib/layers/temperature";
import { tinyData, tinyNetwork } from "../network";

const data = tinyData(24);
const numbers = (model: tf.LayersModel, layer: string): number[][] =>
  model
    .getLayer(layer)
    .getWeights()
    .map((weight) => [...weight.dataSync()]);

/** A network of two replaced layers, c2 and hidden, whose θ is the last of their weights. */
async function replaced() {
  const conversion = convert(tinyNetwork(5), { layers: ["c2", "hidden"], profile: "paper" });
  await conversion.calibrate(data);
  await conversion.replaceAll();
  return conversion;
}

describe("a step of fine-tuning", () => {
  const theta = (all: number[][]) => all[all.length - 1][0];
  const others = (all: number[][]) => all.slice(0, -1);

  it("moves every weight at the learning rate and each temperature at its own", async () => {
    const conversion = await replaced();
    const names = ["c1", "c2", "hidden", "logits"];
    const before = names.map((name) => numbers(conversion.model, name));
    // Adam's first step is the learning rate itself, whatever the gradient.
    await conversion.fineTune(data, {
      epochs: 1,
      batchSize: 24,
      learningRate: 1e-3,
      temperatureLearningRate: 0.25,
      schedule: "constant",
    });
    const after = names.map((name) => numbers(conversion.model, name));
    for (const at of [1, 2]) expect(Math.abs(theta(after[at]) - theta(before[at]))).toBeCloseTo(0.25, 3);
    for (const [at, some] of before.entries())
      for (const [w, weights] of (at === 1 || at === 2 ? others(some) : some).entries()) {
        const moves = weights.map((value, i) => Math.abs(after[at][w][i] - value));
        // Where a gradient is there at all, that is: a centroid that no row is near has none.
        const moved = moves.filter((value) => value > 0);
        expect(moved.length).toBeGreaterThan(weights.length / 2);
        for (const value of moved) expect(value).toBeLessThan(1.01e-3);
      }
    await conversion.restoreAll();
  });

  it("moves what is no lookup's at its own learning rate, where one is given", async () => {
    const conversion = await replaced();
    const names = ["c1", "c2", "hidden", "logits"];
    const before = names.map((name) => numbers(conversion.model, name));
    // The first of steps that rise to the learning rate takes a quarter of it.
    const rates = { learningRate: 4e-3, otherLearningRate: 4e-5, warmupSteps: 3 };
    await conversion.fineTune(data, { epochs: 1, batchSize: 24, ...rates, schedule: "constant" });
    const after = names.map((name) => numbers(conversion.model, name));
    // Adam's first step is the learning rate itself; float32 rounds what is left of it in a weight near 1.
    for (const [at, rate] of [1e-5, 1e-3, 1e-3, 1e-5].entries()) {
      const moves = before[at].flatMap((weights, w) =>
        w === before[at].length - 1 && rate === 1e-3
          ? []
          : weights.map((value, i) => Math.abs(after[at][w][i] - value)),
      );
      expect(Math.max(...moves) / rate).toBeCloseTo(1, 1);
    }
    await conversion.restoreAll();
  });

  it.each([
    [{ fixed: 0.5 }, 0.5],
    ["annealed", 0.1],
  ] as const)("leaves a temperature that is %j where it is put", async (temperature, last) => {
    const conversion = await replaced();
    await conversion.fineTune(data, { epochs: 2, batchSize: 12, temperature });
    for (const name of ["c2", "hidden"])
      expect(theta(numbers(conversion.model, name))).toBeCloseTo(temperatureLogit(last), 4);
    await conversion.restoreAll();
  });

  it.each([0, 1.5, Number.NaN])("refuses the temperature %j", async (fixed) => {
    const conversion = await replaced();
    await expect(conversion.fineTune(data, { epochs: 1, temperature: { fixed } })).rejects.toThrow(
      /^fineTune: temperature must be .* above 0 and at most 1/,
    );
    await conversion.fineTune(data, { epochs: 1, batchSize: 24, temperature: { fixed: 1 } });
    await conversion.restoreAll();
  });
});

describe("a fine-tuning that goes on", () => {
  it("knows its settings again in whatever order a profile names them", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lutnn-order-"));
    const { fineTune, ...rest } = profiles.paper;
    const turned = Object.fromEntries(Object.entries(fineTune).reverse()) as typeof fineTune;
    const histories: number[] = [];
    for (const profile of [profiles.paper, { ...rest, fineTune: turned }]) {
      const conversion = convert(tinyNetwork(5), { layers: ["c2"], profile });
      await conversion.calibrate(data);
      await conversion.replaceAll();
      const { epochs } = await conversion.fineTune(data, { epochs: 1, batchSize: 12, checkpoint: folder });
      histories.push(epochs[0].seconds);
      await conversion.restoreAll();
    }
    expect(histories[1]).toBe(histories[0]); // it was over already
    rmSync(folder, { recursive: true });
  });
});

describe("what a calibration forgets", () => {
  it("is all training, or nothing where layers are named", async () => {
    const conversion = await replaced();
    await conversion.restore("hidden");
    await conversion.fineTune(data, { epochs: 1 });
    await conversion.calibrate(data, { layers: ["hidden"] });
    expect(conversion.state.tuned).toBe(true);
    expect(conversion.state.training).toEqual({ data: "tiny", examples: 24, seed: 0 });
    expect(conversion.state.layers.c2.calibrations.kmeans!.trained).toBeDefined();
    expect(conversion.state.layers.hidden.calibrations.kmeans!.origin!.examples).toBe(24);
    expect(Object.keys(conversion.state.weights).length).toBeGreaterThan(0);
    await conversion.calibrate(data.take(20), { seed: 7 });
    expect(conversion.state.tuned).toBe(false);
    expect(conversion.state.layers.c2.calibrations.kmeans!.trained).toBeUndefined();
    expect(conversion.state.layers.c2.calibrations.kmeans!.origin).toEqual({
      data: "tiny",
      examples: 20,
      seed: 7,
    });
    expect(conversion.state.weights).toEqual({});
    await conversion.restoreAll();
    expect([...conversion.states].map(({ label }) => label)).toEqual([
      "convert",
      "calibrate by k-means",
      "replace all layers",
      "restore hidden",
      "fine-tune",
      "calibrate by k-means: hidden",
      "calibrate by k-means",
      "restore c2",
    ]);
  });
});

/** A call of a dense layer on sequences of 3 positions of 2 numbers, its batches of 2 and of 1 example. */
const call = {
  node: { outputShapes: [[null, 3, 4]] },
  operator: {
    inputLength: 2,
    positions: 3,
    rowsAt: (x: tf.Tensor, rows: Uint32Array) =>
      tf.gather(x.reshape([-1, 2]), tf.tensor1d(Int32Array.from(rows), "int32")) as tf.Tensor2D,
  },
} as unknown as TargetCall;
const batches = (masks?: number[][][]): ReceivedBatch[] =>
  [2, 1].map((size, b) => ({
    size,
    x: tf.tensor3d(
      Float32Array.from({ length: 6 * size }, (_, i) => 100 * b + i),
      [size, 3, 2],
    ),
    ...(masks ? { mask: tf.tensor2d(masks[b], [size, 3], "int32") } : {}),
  }));

describe("rows of what a call receives", () => {
  const all = [0, 2, 4, 6, 8, 10, 100, 102, 104].map((first) => [first, first + 1]);

  it("are found by their place among all batches", () => {
    const rows = new ReceivedRows(call, batches());
    expect(rows.count).toBe(9);
    for (const places of [[0], [5], [6], [8], [0, 5, 6, 8], [1, 2, 7], [0, 1, 2, 3, 4, 5, 6, 7, 8]])
      expect([...rows.gather(Uint32Array.from(places), 2)]).toEqual(places.flatMap((place) => all[place]));
    const doubled = rows.gather(Uint32Array.of(4, 6), 1, (x) => tf.mul(tf.sum(x, 1, true), 2) as tf.Tensor2D);
    expect([...doubled]).toEqual([2 * 17, 2 * 201]);
    expect(new ReceivedRows(call, []).count).toBe(0);
  });

  it("are found among the real ones alone", () => {
    const rows = new ReceivedRows(
      call,
      batches([
        [
          [1, 0, 1],
          [0, 0, 1],
        ],
        [[0, 1, 0]],
      ]),
    );
    expect(rows.count).toBe(4);
    const real = [all[0], all[2], all[5], all[7]];
    for (const places of [[0], [3], [0, 1, 2, 3], [1, 3]])
      expect([...rows.gather(Uint32Array.from(places), 2)]).toEqual(places.flatMap((place) => real[place]));
  });

  it("are taken out of batches as these come", () => {
    for (const places of [[0, 5, 6, 8], [6], [2], [], [0, 1, 2, 3, 4, 5, 6, 7, 8]]) {
      const sampler = new RowSampler(call, Uint32Array.from(places));
      for (const batch of batches()) sampler.add(batch);
      expect([...sampler.values]).toEqual(places.flatMap((place) => all[place]));
    }
  });
});

describe("a layer's lookup as a problem", () => {
  it("has the rows of its first call and those of later ones, one of them too", async () => {
    const weight = tf.tensor2d([1, 10, 100, 1000], [2, 2]);
    const [mine, dense] = [batches(), batches()];
    dense[0].x = tf.mul(dense[0].x, 2);
    const target = {
      operator: { ...call.operator, outputs: 2, weight: () => weight.clone() },
      calls: [call],
      numCodebooks: 1,
      numCentroids: 2,
      subvectorLength: 2,
    } as unknown as Target;
    const stream = {
      networks: 2,
      received: (_: unknown, network: number) => (network === 0 ? dense : mine),
    } as unknown as Parameters<typeof lookupProblem>[1];
    for (const later of [
      [],
      [Float32Array.of(7, 8)],
      [Float32Array.of(7, 8, 9, 10), Float32Array.of(11, 12)],
    ]) {
      const problem = await lookupProblem(target, stream, {
        rows: (total) => Uint32Array.of(1, total - 1),
        later,
        signal: new AbortController().signal,
      });
      const again = later.flatMap((rows) => [...rows]);
      expect(problem.rows).toBe(2 + again.length / 2);
      const inputs = [2, 3, 104, 105, ...again];
      const every = Uint32Array.from({ length: problem.rows }, (_, i) => i);
      expect([...problem.inputs(every)]).toEqual(inputs);
      for (let i = 0; i < problem.rows; i++)
        expect([...problem.inputs(Uint32Array.of(i))]).toEqual(inputs.slice(2 * i, 2 * i + 2));
      // What the reference's rows give: those of its own network, and later calls' as they are.
      const reference = [4, 6, 104, 105, ...again];
      const wanted = Array.from({ length: problem.rows }, (_, i) => {
        const [a, b] = reference.slice(2 * i, 2 * i + 2);
        return [a + 100 * b, 10 * a + 1000 * b];
      }).flat();
      expect([...problem.wanted]).toEqual(wanted);
      expect([...problem.weight]).toEqual([1, 10, 100, 1000]);
    }
  });
});

describe("a profile", () => {
  it("whose fits are refined changes centroids, and lowers the error of the layer's output", async () => {
    const local: number[] = [];
    const centroids: number[][] = [];
    const many = tinyData(240);
    for (const refineSteps of [0, 40]) {
      const profile = { ...profiles.plus, calibrate: { ...profiles.plus.calibrate, refineSteps } };
      const conversion = convert(tinyNetwork(3), { layers: ["hidden"], numCentroids: 4, profile });
      await conversion.calibrate(many);
      await conversion.replaceAll();
      const { report } = await conversion.errorAccumulation(many);
      local.push(report.series[0].errors[0].local!.relative);
      centroids.push([...conversion.state.layers.hidden.calibrations.leastSquares!.arrays.centroids.floats]);
      await conversion.restoreAll();
    }
    expect(centroids[1]).not.toEqual(centroids[0]);
    expect(local[1]).toBeLessThan(0.98 * local[0]);
  });
});

describe("a layer that is used twice", () => {
  it("is calibrated on a single example", async () => {
    const input = tf.input({ shape: [4], name: "x" });
    const shared = tf.layers.dense({ units: 4, name: "shared" });
    const twice = shared.apply(shared.apply(input)) as tf.SymbolicTensor;
    const head = tf.layers.dense({ units: 1, name: "head" }).apply(twice) as tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs: head });
    const one = new datasets.ArrayExamples({
      name: "one",
      inputs: { x: { shape: [4], values: Float32Array.of(1, -2, 3, 0.5) } },
      target: { kind: "values", length: 1 },
      targets: new Float32Array(1),
    });
    const conversion = convert(model, { layers: ["shared"], numCentroids: 2, task: "regression" });
    await conversion.calibrate(one, { method: "leastSquares" });
    await conversion.replaceAll();
    const x = tf.tensor2d([[1, -2, 3, 0.5]]);
    const [given, wanted] = [conversion.model, model].map(
      (one) => (one.predict(x) as tf.Tensor).dataSync()[0],
    );
    // Two rows and two centroids: each row is its own centroid, so only the table's INT8 rounds.
    expect(Math.abs(given - wanted)).toBeLessThan(0.05 * Math.max(1, Math.abs(wanted)));
    await conversion.restoreAll();
  });
});

describe("convertAll", () => {
  it("calibrates on 4,096 examples unless told otherwise", async () => {
    const size = 4100;
    const input = tf.input({ shape: [2], name: "x" });
    const hidden = tf.layers.dense({ units: 2, name: "hidden" }).apply(input);
    const head = tf.layers.dense({ units: 1, name: "head" }).apply(hidden) as tf.SymbolicTensor;
    const values = Float32Array.from({ length: 2 * size }, (_, i) => Math.sin(i));
    const many = new datasets.ArrayExamples({
      name: "many",
      inputs: { x: { shape: [2], values } },
      target: { kind: "values", length: 1 },
      targets: values.filter((_, i) => i % 2 === 0),
    });
    for (const [options, examples] of [
      [{}, 4096],
      [{ calibrationImages: 7 }, 7],
    ] as const) {
      const conversion = convert(tf.model({ inputs: input, outputs: head }), {
        layers: ["hidden"],
        numCentroids: 2,
        profile: "paper",
        task: "regression",
      });
      await conversion.convertAll(many, { epochs: 1, batchSize: 2050, ...options });
      expect(conversion.state.layers.hidden.calibrations.kmeans!.origin!.examples).toBe(examples);
      await conversion.restoreAll();
    }
  });
});
