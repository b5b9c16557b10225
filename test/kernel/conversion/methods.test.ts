import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CalibrationMethod, type Conversion, convert, openConversion, tf } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { tinyData, tinyNetwork } from "../network";

const folder = mkdtempSync(join(tmpdir(), "lutnn-methods-"));
afterAll(() => rmSync(folder, { recursive: true }));
const train = tinyData(120);
const held = tinyData(60, 1);

async function by(method: CalibrationMethod, seed = 0): Promise<Conversion> {
  const conversion = convert(tinyNetwork(2), { layers: ["c2", "c3", "hidden"] });
  await conversion.calibrate(train, { method, seed });
  await conversion.replaceAll();
  return conversion;
}

const centroidsOf = (conversion: Conversion, layer: string, method: CalibrationMethod) =>
  conversion.state.layers[layer].calibrations[method]!.arrays.centroids.floats;

/** Mean local error over the layers. */
async function localError(conversion: Conversion): Promise<number> {
  const { errors } = (await conversion.errorAccumulation(held)).report.series[0];
  return errors.reduce((sum, { local }) => sum + local!.relative / errors.length, 0);
}

describe("random rows as centroids", () => {
  it("are parts of rows that the layer sees, other ones for each codebook, and follow from the seed", async () => {
    const conversion = await by("randomRows");
    const probe = tf.model({
      inputs: conversion.original.inputs,
      outputs: conversion.original.getLayer("hidden").input as tf.SymbolicTensor,
    });
    const seen = tf.tidy(() =>
      (probe.predict(tf.tensor4d(train.images, [120, 6, 6, 2])) as tf.Tensor2D).arraySync(),
    );
    const { subvectorLength, numCodebooks } = [...conversion.layers].find(({ name }) => name === "hidden")!;
    const centroids = centroidsOf(conversion, "hidden", "randomRows");
    const rowsOf = Array.from({ length: numCodebooks }, (_, c) =>
      Array.from({ length: 16 }, (_, k) => {
        const at = (c * 16 + k) * subvectorLength;
        const part = [...centroids.subarray(at, at + subvectorLength)];
        return seen.findIndex((row) =>
          part.every((value, v) => Math.abs(value - row[c * subvectorLength + v]) < 1e-5),
        );
      }),
    );
    expect(rowsOf.flat().every((row) => row >= 0)).toBe(true);
    expect(rowsOf.every((rows) => new Set(rows).size === 16)).toBe(true);
    expect(rowsOf[1]).not.toEqual(rowsOf[0]);
    const [same, other] = [await by("randomRows"), await by("randomRows", 1)];
    expect(centroidsOf(same, "hidden", "randomRows")).toEqual(centroids);
    expect(centroidsOf(other, "hidden", "randomRows")).not.toEqual(centroids);
    for (const one of [conversion, same, other]) await one.restoreAll();
  });

  it("are the floor: k-means is nearer to every layer's output", async () => {
    const [floor, learnt] = [await by("randomRows"), await by("kmeans")];
    expect(await localError(learnt)).toBeLessThan(0.95 * (await localError(floor)));
    for (const one of [floor, learnt]) await one.restoreAll();
  });

  it("repeat where there are fewer rows than centroids, with a warning", async () => {
    const conversion = convert(tinyNetwork(2), { layers: ["hidden"] });
    const outcome = await conversion.calibrate(train.take(3), { method: "randomRows" });
    expect(outcome.warnings[0]).toMatch(/hidden has seen fewer rows than it has centroids \(3 and K = 16\)/);
    await conversion.replaceAll();
    const given = tf.tidy(() => (conversion.model.predict(tf.ones([1, 6, 6, 2])) as tf.Tensor).dataSync());
    expect(given.every(Number.isFinite)).toBe(true);
    await conversion.restoreAll();
  });

  it("are trained, saved, stored and opened as what other methods learn", async () => {
    const conversion = await by("randomRows");
    await conversion.fineTune(train, { epochs: 1 });
    expect(String(await conversion.save(join(folder, "floor.onnx")))).toMatch(
      /3 of 3 layers replaced, checked/,
    );
    await conversion.store(join(folder, "work"));
    const opened = await openConversion(join(folder, "work"));
    expect(opened.layers.rows).toEqual(conversion.layers.rows);
    expect(centroidsOf(opened, "c2", "randomRows")).toEqual(centroidsOf(conversion, "c2", "randomRows"));
    await conversion.restoreAll();
  });
});
