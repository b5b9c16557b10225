import { type Conversion, convert, tf } from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyData, tinyNetwork } from "../network";

const train = tinyData(120);
const test = tinyData(31, 1);

let model: tf.LayersModel;
let conversion: Conversion;
beforeAll(async () => {
  model = tinyNetwork(3);
  // Batch norms whose statistics differ from their first ones, so that layers bring others with them.
  conversion = convert(model);
  await conversion.calibrate(train);
});
afterAll(() => conversion.restoreAll());

/** What the metric is when states are really made. */
async function byHand(name: string): Promise<{ onlyThis: number; allButThis: number }> {
  const { current } = conversion.states;
  const { names } = conversion.layers;
  const metric = async () => (await conversion.evaluate(test)).metric.value;
  await conversion.goTo(1);
  await conversion.replace(name);
  const onlyThis = await metric();
  await conversion.goTo(current);
  await conversion.replace(names);
  await conversion.restore(name);
  const allButThis = await metric();
  await conversion.goTo(current);
  return { onlyThis, allButThis };
}

describe("layerMeasures", () => {
  it.each([
    ["while every layer is dense", async () => conversion.goTo(1)],
    ["with some replaced", async () => conversion.replace(["c2", "c4"])],
  ])("gives what states made by hand give, %s", async (_, prepare) => {
    await prepare();
    const tensors = tf.memory().numTensors;
    const states = conversion.states.length;
    const measured = await conversion.layerMeasures(test);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(conversion.states.length).toBe(states);
    expect([...measured.layers.keys()]).toEqual(conversion.layers.names);
    expect(measured).toMatchObject({ state: conversion.states.current, examples: 31 });
    for (const [name, effect] of measured.layers) expect(effect, name).toEqual(await byHand(name));
    expect(String(measured)).toContain("all but this replaced");
  });

  it("counts a trained layer as it was trained, and the others' weights with it", async () => {
    await conversion.goTo(1);
    await conversion.replaceAll();
    await conversion.fineTune(train, { epochs: 2 });
    const { current } = conversion.states;
    const measured = await conversion.layerMeasures(test);
    for (const name of conversion.layers.names) {
      await conversion.goTo(current);
      await conversion.restore(name);
      const { metric } = await conversion.evaluate(test);
      expect(measured.layers.get(name)!.allButThis, name).toBe(metric.value);
    }
    await conversion.goTo(current);
    const figures = conversion.figures.layers(conversion.layers.names, current);
    expect(figures.map(({ allButThis }) => allButThis)).toEqual(
      [...measured.layers.values()].map(({ allButThis }) => allButThis),
    );
  });

  it("can be stopped, with no tensor left, and says what it needs", async () => {
    const tensors = tf.memory().numTensors;
    const controller = new AbortController();
    const measuring = conversion.layerMeasures(test, { signal: controller.signal });
    const stop = conversion.onChange(() => {
      if (conversion.pending[0]?.progress) controller.abort();
    });
    await expect(measuring).rejects.toThrow(/abort/i);
    stop();
    expect(tf.memory().numTensors).toBe(tensors);
    const fresh = convert(model);
    await expect(fresh.layerMeasures(test)).rejects.toThrow(
      "layerMeasures: at least one layer must be calibrated first (none is); call calibrate(data)",
    );
  });
});

describe("figures", () => {
  it("stay known when layers are replaced, restored or taken back, and not when they are learnt anew", async () => {
    const fresh = convert(model);
    const { figures, layers } = fresh;
    /** Whether what is known of the layers is of the present state. */
    const isKnown = () =>
      figures.layers(layers.names, fresh.states.current)[0].state === fresh.states.current;
    await fresh.calibrate(train);
    const { layers: measured } = await fresh.layerMeasures(test);
    await fresh.replace("c2");
    await fresh.replace("c4");
    expect(isKnown()).toBe(true);
    // Indeed: the figures are those that would be measured now.
    expect((await fresh.layerMeasures(test)).layers).toEqual(measured);
    const { metric } = await fresh.evaluate(test);
    await fresh.goTo(1);
    await fresh.replace("c4");
    expect(figures.metric(fresh.states.current)).toBe(null);
    await fresh.replace("c2"); // in the other order: the same network
    expect(figures.metric(fresh.states.current)).toBe(metric.value);
    expect((await fresh.evaluate(test)).metric.value).toBe(metric.value);
    await fresh.fineTune(train, { epochs: 1 });
    expect(isKnown()).toBe(false);
    expect(figures.metric(fresh.states.current)).toBe(null);
    await fresh.undo();
    expect(isKnown()).toBe(true);
    await fresh.calibrate(train.take(50));
    expect(isKnown()).toBe(false);
    await fresh.restoreAll();
  });

  it("are of the data that were given last, and of none when others come", async () => {
    const { figures } = conversion;
    const { current } = conversion.states;
    const { metric } = await conversion.evaluate(test);
    expect(figures.metric(current)).toBe(metric.value);
    await conversion.errorAccumulation(test);
    expect(figures.errors!.series).toHaveLength(1);
    expect(conversion.data.validation).toMatchObject({ size: 31 });
    await conversion.evaluate(tinyData(12, 5));
    expect(figures.errors).toBe(null);
    expect(conversion.data.validation).toMatchObject({ size: 12 });
    await conversion.useData({ validation: test });
    await conversion.evaluate(tinyData(12, 5));
    expect(conversion.data.validation).toMatchObject({ size: 31 });
    expect(figures.metric(current)).toBe(null);
  });
});

/** Of errors that are summed in another order. */
const rounding = 1e-5;

describe("layerDetail", () => {
  it("counts codes and measures codebooks as loops do", async () => {
    const paper = convert(model, { profile: "paper" });
    await paper.calibrate(train);
    await paper.replace("c4");
    const detail = await paper.layerDetail("c4", test);
    const { numCodebooks, numCentroids, subvectorLength, inputLength } = paper.layers.rows.find(
      ({ name }) => name === "c4",
    )!;
    // A 1×1 convolution receives what the layer before it gives.
    const before = tf.model({
      inputs: paper.model.inputs,
      outputs: paper.model.getLayer("c3").output as tf.SymbolicTensor,
    });
    const images = tf.tensor4d(test.images, [31, 6, 6, 2]);
    const output = before.predict(images) as tf.Tensor;
    const rows = output.dataSync() as Float32Array;
    tf.dispose([images, output]);
    const centroids = paper.state.layers.c4.calibrations.kmeans!.arrays.centroids.floats;
    const count = rows.length / inputLength;
    expect(detail).toMatchObject({ layer: "c4", state: paper.states.current, rows: count });
    expect(detail.codebooks).toHaveLength(numCodebooks);
    detail.codebooks.forEach(({ counts, error }, c) => {
      const used = new Array<number>(numCentroids).fill(0);
      const mean = new Array<number>(subvectorLength).fill(0);
      const each = (visit: (x: Float32Array) => void) => {
        for (let n = 0; n < count; n++)
          visit(rows.subarray(n * inputLength + c * subvectorLength).subarray(0, subvectorLength));
      };
      each((x) => {
        x.forEach((value, v) => {
          mean[v] += value / count;
        });
      });
      let [squared, variance] = [0, 0];
      each((x) => {
        const distances = Array.from({ length: numCentroids }, (_, k) =>
          x.reduce(
            (sum, value, v) => sum + (value - centroids[(c * numCentroids + k) * subvectorLength + v]) ** 2,
            0,
          ),
        );
        const least = Math.min(...distances);
        used[distances.indexOf(least)]++;
        squared += least;
        variance += x.reduce((sum, value, v) => sum + (value - mean[v]) ** 2, 0);
      });
      expect(counts).toEqual(used);
      expect(Math.abs(error / (squared / variance) - 1)).toBeLessThan(rounding);
    });
    const { edges, counts } = detail.inputs;
    expect(edges).toHaveLength(counts.length + 1);
    expect(edges[0]).toBe(rows.reduce((least, value) => Math.min(least, value)));
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(rows.length);
    expect(detail.centroidValues).toEqual([...centroids].sort((a, b) => a - b));
    await paper.restoreAll();
  });

  it("is told of calibrated layers whose codes are in integers, and not of trees", async () => {
    await conversion.goTo(1);
    const detail = await conversion.layerDetail("c4", test);
    for (const { counts, error } of detail.codebooks) {
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(detail.rows);
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(1);
    }
    const maddness = convert(model);
    await maddness.calibrate(train, { method: "maddness" });
    await expect(maddness.layerDetail("c4", test)).rejects.toThrow(/must be looked up by centroids/);
    await expect(convert(model).layerDetail("c4", test)).rejects.toThrow(/c4 must be calibrated first/);
  });
});
