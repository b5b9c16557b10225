import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { convert, evaluate, LutnnError, pq, tf } from "lutnn";
import { beforeAll, describe, expect, it } from "vitest";
import { tinyData, tinyNetwork } from "../network";

const train = tinyData(240);
const test = tinyData(90, 1);
const names = ["c2", "c3", "c4", "hidden"];

let model: tf.LayersModel;
beforeAll(async () => {
  model = tinyNetwork();
  await lutnn.fit(model, train, { epochs: 6, learningRate: 0.01 });
});

const outputs = (network: tf.LayersModel): Float32Array =>
  tf.tidy(() =>
    tf.util.toTypedArray(
      (network.predict(tf.tensor4d(test.images, [90, 6, 6, 2])) as tf.Tensor).dataSync(),
      "float32",
    ),
  ) as Float32Array;

const weightsOf = (network: tf.LayersModel): Float32Array[] =>
  network.getWeights().map((w) => w.dataSync() as Float32Array);

describe("convert", () => {
  it("offers every convolution but the first and every dense layer but the last, with the paper's V", () => {
    const { layers } = convert(model);
    expect(layers.names).toEqual(names);
    expect(
      [...layers].map((layer) => [layer.op, layer.numCentroids, layer.subvectorLength, layer.numCodebooks]),
    ).toEqual([
      ["conv2d", 16, 9, 8],
      ["conv2d", 16, 9, 8],
      ["conv2d", 16, 4, 2],
      ["dense", 16, 27, 4], // 108 inputs: the largest divisor up to 32
    ]);
    expect([...layers].every((layer) => layer.state === "dense")).toBe(true);
    expect(layers.toString()).toMatch(/FLOPs dense +FLOPs LUT/);
  });

  it("takes layers, K and V by name", () => {
    const { layers } = convert(model, {
      layers: ["c1", "hidden"],
      numCentroids: 8,
      subvectorLength: { c1: 18, hidden: 12 },
    });
    expect(
      [...layers].map((layer) => [layer.name, layer.numCentroids, layer.subvectorLength, layer.numCodebooks]),
    ).toEqual([
      ["c1", 8, 18, 1],
      ["hidden", 8, 12, 9],
    ]);
  });

  it("takes a sequential network too", () => {
    const sequential = tf.sequential({ name: "seq" });
    sequential.add(tf.layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [6, 6, 1], name: "first" }));
    sequential.add(tf.layers.conv2d({ filters: 4, kernelSize: 3, name: "second" }));
    sequential.add(tf.layers.flatten());
    sequential.add(tf.layers.dense({ units: 3 }));
    expect(convert(sequential).layers.names).toEqual(["second"]);
  });

  it.each([
    [
      { layers: ["nope"] },
      /tiny has no layer "nope" that can be replaced; it has c1, c2, c3, c4, hidden, logits/,
    ],
    [{ numCentroids: 1 }, /numCentroids \(K\) must be an integer from 2 to 256 \(got 1\)/],
    [{ numCentroids: 300 }, /from 2 to 256 \(got 300\)/],
    [
      { subvectorLength: { c2: 7 } },
      /subvectorLength \(V\) of c2 must divide its input length 72 and be a multiple of its 9 filter positions \(got 7\)/,
    ],
    [{ subvectorLength: { c2: 27 } }, /V\) of c2 must divide its input length 72/],
    [{ profile: "fast" as "plus" }, /profile must be paper or plus, or a profile object \(got "fast"\)/],
  ])("refuses %j in one sentence of its own type", (options, message) => {
    expect(() => convert(model, options)).toThrow(LutnnError);
    expect(() => convert(model, options)).toThrow(message);
  });
});

describe("a conversion", () => {
  it("restores the dense network bit for bit, whatever was calibrated and trained", async () => {
    const before = { outputs: outputs(model), weights: weightsOf(model), tensors: tf.memory().numTensors };
    for (const method of ["kmeans", "leastSquares"] as const) {
      const conversion = convert(model);
      await conversion.calibrate(train, { method });
      await conversion.replaceAll();
      expect(outputs(conversion.model)).not.toEqual(before.outputs);
      await conversion.fineTune(train, { epochs: 1 });
      await conversion.restore("c3");
      await conversion.restoreAll();
      expect(outputs(conversion.model)).toEqual(before.outputs);
      expect(weightsOf(conversion.model)).toEqual(before.weights);
    }
    expect(outputs(model)).toEqual(before.outputs);
    expect(tf.memory().numTensors).toBe(before.tensors);
  });

  it("gives back one restored layer and keeps the others replaced", async () => {
    const conversion = convert(model);
    await conversion.calibrate(train, { method: "kmeans" });
    await conversion.replace("c2");
    const one = outputs(conversion.model);
    await conversion.replace("c4");
    await conversion.restore("c4");
    expect(outputs(conversion.model)).toEqual(one);
    expect([...conversion.layers].map((layer) => layer.state)).toEqual([
      "replaced",
      "calibrated",
      "calibrated",
      "calibrated",
    ]);
    await conversion.restoreAll();
  });

  it("calibrates the same lookups from the same seed", async () => {
    const run = async (seed: number) => {
      const conversion = convert(model);
      await conversion.calibrate(train, { method: "leastSquares", seed });
      await conversion.replaceAll();
      const y = outputs(conversion.model);
      await conversion.restoreAll();
      return y;
    };
    const first = await run(3);
    expect(await run(3)).toEqual(first);
    expect(await run(4)).not.toEqual(first);
  });

  it("fits tables that are nearer to the dense network than k-means alone", async () => {
    const conversion = convert(model);
    const errors: number[] = [];
    for (const method of ["kmeans", "leastSquares"] as const) {
      await conversion.calibrate(train, { method });
      await conversion.replaceAll();
      const { report } = await conversion.errorAccumulation(test);
      errors.push(report.series[0].errors[2].accumulated!.relative); // the last convolution
    }
    expect(errors[1]).toBeLessThan(0.9 * errors[0]); // on random images; real ones gain more
    await conversion.restoreAll();
  });

  it("trains lookups, temperatures and batch norms, and lowers the loss", async () => {
    const conversion = convert(model, { profile: "paper" });
    await conversion.calibrate(train);
    await conversion.replaceAll();
    const before = await conversion.evaluate(train);
    const layer = () =>
      conversion.model
        .getLayer("c2")
        .getWeights()
        .map((w) => w.dataSync());
    const old = layer();
    const figures = await conversion.fineTune(train, { epochs: 4, learningRate: 5e-3, validation: test });
    expect(figures.outcome.remark).toMatch(/^soft-PQ by native /);
    expect(figures.epochs).toHaveLength(4);
    expect(figures.epochs[3].validation?.size).toBe(90);
    expect((await conversion.evaluate(train)).loss).toBeLessThan(before.loss);
    layer().forEach((values, i) => {
      expect(values).not.toEqual(old[i]);
    });
    await conversion.restoreAll();
  });

  it("is left whole and usable when it is interrupted", async () => {
    const conversion = convert(model);
    await conversion.calibrate(train, { method: "kmeans" });
    await conversion.replaceAll();
    const controller = new AbortController();
    const start = performance.now();
    setTimeout(() => controller.abort(new Error("stopped by a test")), 300);
    await expect(conversion.fineTune(train, { epochs: 10_000, signal: controller.signal })).rejects.toThrow(
      "stopped by a test",
    );
    expect(performance.now() - start).toBeLessThan(1300); // 300 ms and the second that an interrupt may take
    expect(Number.isFinite((await conversion.evaluate(test)).loss)).toBe(true);
    await conversion.fineTune(train, { epochs: 1 });
    await conversion.restoreAll();
  });

  it("replaces layers by Maddness too, each method kept beside the others", async () => {
    const tensors = tf.memory().numTensors;
    const conversion = convert(model);
    await conversion.calibrate(train, { method: "maddnessFast" });
    await conversion.calibrate(train, { method: "maddness" });
    await conversion.calibrate(train, { method: "kmeans" });
    await conversion.replace("c2", { method: "maddness" });
    const maddness = await conversion.errorAccumulation(test);
    expect(maddness.series[0].name).toBe("Maddness");
    expect(maddness.series[0].errors[0].local!.relative).toBeGreaterThan(0.01);
    expect(maddness.series[0].errors[0].local!.relative).toBeLessThan(1.2);
    await expect(conversion.fineTune(train, { epochs: 1 })).rejects.toThrow(/c2 is replaced by it/);
    await expect(conversion.save("never.onnx")).rejects.toThrow(/Maddness cannot be saved/);
    await conversion.replace("c2", { method: "maddnessFast" });
    await conversion.replace("hidden"); // the last calibration: k-means
    const mixed = await conversion.errorAccumulation(test);
    expect(mixed.series[0].name).toBe("Maddness, fast form + k-means");
    expect(mixed.series[0].errors.map((layer) => layer.state)).toEqual([
      "replaced",
      "dense",
      "dense",
      "replaced",
    ]);
    await conversion.replace("c2", { method: "maddness" });
    await conversion.restore("hidden");
    const again = await conversion.errorAccumulation(test);
    expect(again.series[0].errors).toEqual(maddness.series[0].errors);
    await conversion.restoreAll();
    expect(outputs(conversion.model)).toEqual(outputs(model));
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("computes a layer by Maddness as the class does on the layer's windows", async () => {
    const conversion = convert(model, { layers: ["c2"] });
    await conversion.calibrate(train, { method: "maddness" });
    await conversion.replace("c2");
    const at = (tensor: unknown, data: typeof train) =>
      tf
        .model({ inputs: conversion.model.inputs, outputs: tensor as tf.SymbolicTensor })
        .predict(tf.tensor4d(data.images, [data.size, 6, 6, 2])) as tf.Tensor4D;
    const layer = conversion.model.getLayer("c2");
    const windows = (data: typeof train): Float32Array => {
      const x = at(layer.input, data);
      const [, height, width, channels] = x.shape;
      const values = x.arraySync();
      const rows: number[] = [];
      for (const image of values)
        for (let i = 0; i < height; i++)
          for (let j = 0; j < width; j++)
            for (let channel = 0; channel < channels; channel++)
              for (const di of [-1, 0, 1])
                for (const dj of [-1, 0, 1]) rows.push(image[i + di]?.[j + dj]?.[channel] ?? 0);
      return Float32Array.from(rows);
    };
    const weight = model.getLayer("c2").getWeights()[0].transpose([2, 0, 1, 3]).dataSync() as Float32Array;
    const rows = windows(train);
    const outputs = weight.length / 72;
    const wanted = tf.matMul(tf.tensor2d(rows, [rows.length / 72, 72]), tf.tensor2d(weight, [72, outputs]));
    const shape = { numCodebooks: 8, subvectorLength: 9 };
    const { coder, table } = await pq.Maddness.fitLayer(
      rows,
      shape,
      { weight, target: wanted.dataSync() as Float32Array },
      { treeRows: 4096 },
    );
    const bias = model.getLayer("c2").getWeights()[1]?.dataSync() as Float32Array | undefined;
    const expected = coder.apply(windows(test), table, { bias });
    const given = at(layer.output, test).dataSync();
    const relu = layer.getConfig().activation === "relu";
    expect(given.length).toBe(expected.length);
    given.forEach((value, i) => {
      expect(Math.abs(value - (relu ? Math.max(0, expected[i]) : expected[i]))).toBeLessThan(1e-4);
    });
    await conversion.restoreAll();
  });

  it("calibrates single layers on a network that is already trained, and keeps what was learnt", async () => {
    const conversion = convert(model);
    await conversion.calibrate(train, { layers: ["c2", "c3"] });
    await conversion.replace("c2");
    await expect(conversion.replace("hidden")).rejects.toThrow(/hidden must be calibrated first/);
    await expect(conversion.calibrate(train, { layers: ["c2"] })).rejects.toThrow(/c2 is replaced/);
    await conversion.fineTune(train, { epochs: 2, learningRate: 0.01 });
    const trained = conversion.model
      .getLayer("c2")
      .getWeights()
      .map((w) => w.dataSync());
    await conversion.calibrate(train, { layers: ["hidden"] });
    await conversion.replace("hidden");
    expect(
      conversion.model
        .getLayer("c2")
        .getWeights()
        .map((w) => w.dataSync()),
    ).toEqual(trained);
    const { report } = await conversion.errorAccumulation(test);
    expect(report.series[0].name).toBe("fine-tuned");
    await conversion.fineTune(train, { epochs: 1 });
    await conversion.calibrate(train); // from the dense network again
    expect((await conversion.errorAccumulation(test)).series[0].name).toBe("least squares");
    await conversion.restoreAll();
  });

  it("converts the whole network, in stages when the profile asks for them", async () => {
    const run = async (stages: number, epochs: number, extra = {}) => {
      const conversion = convert(model, { profile: { ...lutnn.profiles.plus, stages } });
      const histories = await conversion.convertAll(train, { epochs, seed: 3, learningRate: 0.01, ...extra });
      const given = outputs(conversion.model);
      await conversion.restoreAll();
      return { epochs: histories.map((history) => history.epochs.length), given };
    };
    const byHand = convert(model);
    await byHand.calibrate(train, { seed: 3 });
    await byHand.replaceAll();
    await byHand.fineTune(train, { epochs: 2, seed: 3, learningRate: 0.01 });
    const atOnce = await run(1, 2);
    expect(atOnce).toEqual({ epochs: [2], given: outputs(byHand.model) });
    await byHand.restoreAll();

    const byHandInStages = convert(model);
    for (const [layers, epochs] of [
      [["c2", "c3"], 1],
      [["c4", "hidden"], 2],
    ] as const) {
      await byHandInStages.calibrate(train, { layers: [...layers], seed: 3 });
      for (const layer of layers) await byHandInStages.replace(layer);
      await byHandInStages.fineTune(train, { epochs, seed: 3, learningRate: 0.01 });
    }
    expect(await run(2, 3)).toEqual({ epochs: [1, 2], given: outputs(byHandInStages.model) });
    await byHandInStages.restoreAll();

    const folder = mkdtempSync(join(tmpdir(), "lutnn-stages-"));
    const staged = await run(3, 4, { checkpoint: folder });
    expect(staged.epochs).toEqual([1, 1, 2]);
    expect(readdirSync(folder).sort()).toEqual(["stage-1", "stage-2", "stage-3"]);
    // What is saved is taken up, with the same end.
    expect((await run(3, 4, { checkpoint: folder })).given).toEqual(staged.given);
  });

  it("refuses stages without a layer or an epoch, and a network that is converted already", async () => {
    const inStages = (stages: number) => convert(model, { profile: { ...lutnn.profiles.plus, stages } });
    await expect(inStages(3).convertAll(train, { epochs: 2 })).rejects.toThrow(
      "convertAll: stages must be an integer from 1 to 2, with a layer (of 4) and an epoch (of 2) for each (got 3)",
    );
    await expect(inStages(0.5).convertAll(train, { epochs: 2 })).rejects.toThrow(/got 0.5/);
    const conversion = convert(model);
    await conversion.calibrate(train);
    await conversion.replace("c3");
    await expect(conversion.convertAll(train, { epochs: 1 })).rejects.toThrow(/dense \(c3 replaced\)/);
    await conversion.restoreAll();
  });

  it("gives a restored layer back as it was trained when it is replaced again", async () => {
    for (const method of ["kmeans", "leastSquares"] as const) {
      const conversion = convert(model);
      await conversion.calibrate(train, { method });
      await conversion.replaceAll();
      await conversion.fineTune(train, { epochs: 2, learningRate: 0.01 });
      const trained = outputs(conversion.model);
      await conversion.restore("c2");
      const bn2 = (network: tf.LayersModel) =>
        network
          .getLayer("bn2")
          .getWeights()
          .map((w) => w.dataSync());
      expect(bn2(conversion.model)).toEqual(bn2(model));
      expect(outputs(conversion.model)).not.toEqual(trained);
      await conversion.replace("c2");
      expect(outputs(conversion.model)).toEqual(trained);
      await conversion.restoreAll();
    }
  });

  it("refuses what cannot be done yet, or not on this data", async () => {
    const conversion = convert(model);
    await expect(conversion.replace("c2")).rejects.toThrow(
      /c2 must be calibrated first; call calibrate\(data\)/,
    );
    await expect(conversion.fineTune(train, { epochs: 1 })).rejects.toThrow(
      /at least one layer must be replaced first/,
    );
    await conversion.calibrate(train, { method: "kmeans" });
    await expect(conversion.replace("c9")).rejects.toThrow(/tiny has no layer "c9"/);
    await expect(conversion.restore("c9")).rejects.toThrow(/tiny has no layer "c9"/);
    const { images, labels } = train;
    const wrong = new lutnn.datasets.Dataset({
      name: "wide",
      inputShape: [3, 12, 2],
      numClasses: 3,
      images,
      labels,
    });
    await expect(conversion.calibrate(wrong)).rejects.toThrow(
      /examples of 6×6×2 for the input image \(got 3×12×2 from wide\)/,
    );
    await conversion.replace("c2");
    await expect(conversion.fineTune(train, { epochs: 0 })).rejects.toThrow(
      /epochs must be a positive integer \(got 0\)/,
    );
    await conversion.restoreAll();
  });
});

describe("error accumulation", () => {
  it("is zero in a network that is not converted", async () => {
    const { report } = await convert(model).errorAccumulation(test);
    const dense = await evaluate(model, test);
    expect(report.metric.dense).toBeCloseTo(dense.accuracy, 10);
    expect(report.backend).toMatch(/^(native \w+|tf\.js operations)$/);
    expect(report.series[0].metric).toBe(report.metric.dense);
    expect(report.series[0].divergence).toBeCloseTo(0, 6);
    for (const { state, local, accumulated } of report.series[0].errors) {
      expect([state, local]).toEqual(["dense", null]);
      expect(accumulated!.relative).toBe(0);
    }
  });

  it("agrees with a direct computation, layer by layer", async () => {
    const conversion = convert(model);
    await conversion.calibrate(train, { method: "kmeans" });
    await conversion.replace("c2");
    await conversion.replace("c4");
    const { report } = await conversion.errorAccumulation(test);
    const [c2, c3, c4, hidden] = report.series[0].errors;
    expect([c2, c3, c4, hidden].map((layer) => layer.state)).toEqual([
      "replaced",
      "dense",
      "replaced",
      "dense",
    ]);
    expect(c2.local!.relative).toBeCloseTo(c2.accumulated!.relative, 6); // nothing before it is replaced
    expect(c4.accumulated!.relative).toBeGreaterThan(c4.local!.relative);
    const at = (network: tf.LayersModel, name: string) =>
      tf
        .model({ inputs: network.inputs, outputs: network.getLayer(name).output as tf.SymbolicTensor })
        .predict(tf.tensor4d(test.images, [90, 6, 6, 2])) as tf.Tensor;
    const [y, z] = [at(model, "c4"), at(conversion.model, "c4")];
    const mean = tf.mean(y, [0, 1, 2]);
    const relative = tf
      .div(tf.sum(tf.squaredDifference(y, z)), tf.sum(tf.squaredDifference(y, mean)))
      .dataSync()[0];
    expect(c4.accumulated!.relative).toBeCloseTo(relative, 4);
    expect(c4.accumulated!.unexplained).toBeLessThanOrEqual(c4.accumulated!.relative);
    expect(c4.metric).toBeCloseTo(report.series[0].metric!, 10); // the last replaced layer: the whole network
    expect(hidden.metric).toBeNull();
    await conversion.restoreAll();
  });

  it("puts several conversions into one chart", async () => {
    const conversion = convert(model);
    await conversion.calibrate(train, { method: "kmeans" });
    await conversion.replaceAll();
    const first = await conversion.errorAccumulation(test);
    await conversion.calibrate(train, { method: "leastSquares" });
    const second = await conversion.errorAccumulation(test);
    const both = first.compareWith(second);
    expect(both.series.map((series) => series.name)).toEqual(["k-means", "least squares"]);
    expect(both.figure().toSvg()).toMatch(/^<svg[\s\S]*c2[\s\S]*<\/svg>$/);
    const other = await convert(model, { layers: ["c2"] }).errorAccumulation(test);
    expect(() => first.compareWith(other)).toThrow(/same layers and data/);
    await conversion.restoreAll();
  });
});
