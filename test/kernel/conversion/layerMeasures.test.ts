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

describe("layerDetail", () => {
  it("counts codes and measures codebooks as loops do", async () => {
    await conversion.goTo(1);
    await conversion.replace("c4");
    const detail = await conversion.layerDetail("c4", test);
    const { numCodebooks, numCentroids, positions } = conversion.layers.rows.find(
      ({ name }) => name === "c4",
    )!;
    expect(detail).toMatchObject({ layer: "c4", state: conversion.states.current });
    expect(detail.rows).toBe(31 * positions);
    expect(detail.codebooks).toHaveLength(numCodebooks);
    for (const { counts, error } of detail.codebooks) {
      expect(counts).toHaveLength(numCentroids);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(detail.rows);
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(1);
    }
    const { edges, counts } = detail.inputs;
    expect(edges).toHaveLength(counts.length + 1);
    expect([...edges]).toEqual([...edges].sort((a, b) => a - b));
    const inputLength = numCodebooks * 4;
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(detail.rows * inputLength);
    expect([...detail.centroidValues]).toEqual([...detail.centroidValues].sort((a, b) => a - b));
    const maddness = convert(model);
    await maddness.calibrate(train, { method: "maddness" });
    await expect(maddness.layerDetail("c4", test)).rejects.toThrow(/must be looked up by centroids/);
  });
});
