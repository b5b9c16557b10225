import { convert, datasets, type HiddenStates, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { HiddenStateLoss } from "../../../kernel/lib/conversion/hiddenStates";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { randomFloats } from "../random";

/** A token's vector twice through the same dense layer, then the mean over all positions: 5 positions, 4 wide. */
function network(): tf.LayersModel {
  const init = (seed: number) => tf.initializers.heNormal({ seed });
  const input = tf.input({ shape: [5, 4], name: "states" });
  const shared = tf.layers.dense({
    units: 4,
    activation: "tanh",
    name: "shared",
    kernelInitializer: init(1),
  });
  const twice = shared.apply(shared.apply(input)) as tf.SymbolicTensor;
  const flat = tf.layers.flatten({ name: "flat" }).apply(twice) as tf.SymbolicTensor;
  const wide = tf.layers
    .dense({ units: 8, activation: "relu", name: "hidden", kernelInitializer: init(2) })
    .apply(flat) as tf.SymbolicTensor;
  const outputs = tf.layers.dense({ units: 2, name: "logits", kernelInitializer: init(3) }).apply(wide);
  return tf.model({ inputs: input, outputs: outputs as tf.SymbolicTensor, name: "twice" });
}

const size = 40;
const inputs = randomFloats(size * 20, 3);
const examples = {
  name: "states",
  inputs: { states: { shape: [5, 4], values: inputs } },
  target: { kind: "class", classes: 2 } as const,
  targets: Int32Array.from({ length: size }, (_, i) => i % 2),
};

async function converted() {
  const data = new datasets.ArrayExamples(examples);
  const model = network();
  const conversion = convert(model, { layers: ["shared", "hidden"], subvectorLength: 4, numCentroids: 4 });
  await conversion.calibrate(data);
  await conversion.replaceAll();
  return { data, model, conversion };
}

/** ‖x − wanted‖² over ‖wanted − its mean‖² of rows of `width` features, those of `real` alone. */
function relativeError(x: Float32Array, wanted: Float32Array, width: number, real: (row: number) => boolean) {
  const rows = [...Array(x.length / width).keys()].filter(real);
  let [error, variance] = [0, 0];
  for (let feature = 0; feature < width; feature++) {
    const of = (array: Float32Array) => rows.map((row) => array[row * width + feature]);
    const mean = of(wanted).reduce((sum, value) => sum + value, 0) / rows.length;
    of(wanted).forEach((value, i) => {
      error += (of(x)[i] - value) ** 2;
      variance += (value - mean) ** 2;
    });
  }
  return error / variance;
}

describe("hidden states", () => {
  it("of every call of a named layer count by their relative error, padded positions not", async () => {
    const { model, conversion } = await converted();
    const graph = new NetworkGraph(model);
    const layers = new Map(conversion.model.layers.map((layer) => [layer.name, layer]));
    const student = {
      model: conversion.model,
      layers,
      layerOf: ({ name }: { name: string }) => layers.get(name)!,
    };
    const loss = new HiddenStateLoss(graph, student, { layers: ["shared", "hidden"], weight: 0.5 });
    const feed = tf.tensor3d(inputs, [size, 5, 4]);
    const mask = tf.tensor2d(
      Array.from({ length: size * 5 }, (_, i) => (i % 5 < 2 + ((i / 5) % 3) ? 1 : 0)),
      [size, 5],
      "int32",
    );
    const isReal = [...mask.dataSync()];
    const [ours, theirs] = [loss.forward([feed]), loss.teach([feed])];
    // Outputs, two calls of `shared`, one of `hidden`.
    expect([ours.length, theirs.length]).toEqual([4, 4]);
    const flat = (tensor: tf.Tensor) => tensor.dataSync() as Float32Array;
    expect(flat(theirs[0])).toEqual(flat(model.predict(feed) as tf.Tensor));
    const wanted = [1, 2].map((i) =>
      relativeError(flat(ours[i]), flat(theirs[i]), 4, (row) => isReal[row] === 1),
    );
    wanted.push(relativeError(flat(ours[3]), flat(theirs[3]), 8, () => true));
    const mean = wanted.reduce((sum, value) => sum + value, 0) / 3;
    expect(mean).toBeGreaterThan(0.01);
    expect(tf.tidy(() => loss.loss(ours, theirs, mask).dataSync()[0])).toBeCloseTo(0.5 * mean, 4);
    expect(tf.tidy(() => loss.loss(theirs, theirs).dataSync()[0])).toBe(0);
    tf.dispose([feed, mask, ours, theirs]);
  });

  it("are nearer to the dense ones after training with them than without", async () => {
    const errors: number[] = [];
    const kept: number[] = [];
    for (const hiddenStates of [undefined, { layers: ["shared", "hidden"], weight: 10 }]) {
      const { data, conversion } = await converted();
      const before = tf.memory().numTensors;
      const history = await conversion.fineTune(data, {
        epochs: 20,
        batchSize: 20,
        learningRate: 1e-2,
        hiddenStates,
      });
      expect(history.epochs).toHaveLength(20);
      kept.push(tf.memory().numTensors - before);
      const { report } = await conversion.errorAccumulation(data);
      errors.push(report.series[0].errors.reduce((sum, one) => sum + one.accumulated!.relative, 0));
      await conversion.restoreAll();
    }
    expect(errors[1]).toBeLessThan(0.8 * errors[0]);
    expect(kept[1]).toBe(kept[0]);
  });

  it.each<[HiddenStates, RegExp]>([
    [{ layers: [] }, /hiddenStates.layers must name at least one layer \(got none\)/],
    [{ layers: ["nowhere"] }, /must have the layer that is named \(got "nowhere"\); it has shared, flat/],
    [{ layers: ["hidden"], weight: 0 }, /hiddenStates.weight must be a number above 0 \(got 0\)/],
    [{ layers: ["hidden"], weight: Number.NaN }, /weight must be a number above 0 \(got NaN\)/],
  ])("%j are refused in a sentence, and nothing is trained", async (hiddenStates, sentence) => {
    const { data, conversion } = await converted();
    const { length } = conversion.states;
    await expect(conversion.fineTune(data, { epochs: 1, hiddenStates })).rejects.toThrow(sentence);
    expect(conversion.states).toHaveLength(length);
  });
});
