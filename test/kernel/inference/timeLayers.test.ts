import { createRequire } from "node:module";
import { inference, tf } from "lutnn";
import { describe, expect, it, vi } from "vitest";
import type { nativeLayer } from "../../../kernel/lib/inference/nativeLayer";
import { manyExamples } from "./examples";
import { manyKinds, manyLookups, withLookups } from "./lookupNetwork";

const data = manyExamples(3);

describe("timeLayers", () => {
  it("times every call of every kind of lookup against the dense layer, and keeps no tensor", async () => {
    const dense = manyKinds();
    const model = withLookups(dense, manyLookups);
    const before = tf.memory().numTensors;
    const timings = await inference.timeLayers(dense, model, data, { rounds: 5 });
    expect(tf.memory().numTensors).toBe(before);
    expect(timings.rows.map(({ layer, input }) => [layer, input])).toEqual(
      ["wide", "shared", "shared#2", "dilated", "line", "each", "numbers"].map((name) => [name, "recorded"]),
    );
    for (const { native, dense } of timings.rows) {
      expect(native.median).toBeGreaterThan(0);
      expect(native.lower).toBeLessThanOrEqual(native.median);
      expect(native.upper).toBeGreaterThanOrEqual(native.median);
      expect(dense.median).toBeGreaterThanOrEqual(0);
    }
    expect(timings.toTable().toString()).toContain("dense / lookup");
  });

  it("does not count the rounds that warm up", async () => {
    const dense = manyKinds();
    const model = withLookups(dense, { each: 5 });
    const inside = createRequire(import.meta.url)("../../../kernel/lib/inference/nativeLayer") as {
      nativeLayer: typeof nativeLayer;
    };
    const { nativeLayer: own } = inside;
    const warmUp = 10 * 5; // rounds, calls in each
    const spy = vi.spyOn(inside, "nativeLayer").mockImplementation((layer, shape) => {
      let calls = 0;
      const slowAtFirst = () => {
        for (const end = performance.now() + 3; calls < warmUp && performance.now() < end; );
        calls++;
      };
      return { ...own(layer, shape), bind: () => slowAtFirst };
    });
    const { rows } = await inference.timeLayers(dense, model, data, { rounds: 25 });
    spy.mockRestore();
    expect(rows[0].native.median).toBeLessThan(1);
  });

  it("times a layer of the paper's size", async () => {
    const before = tf.memory().numTensors;
    const { rows } = await inference.timePaperSizedLayer({ rounds: 2 });
    expect(tf.memory().numTensors).toBe(before);
    expect(rows.map(({ layer, input }) => [layer, input])).toEqual([["28²×128, 3×3", "random"]]);
  });

  it("refuses networks that do not belong together, in which nothing is replaced, and no rounds", async () => {
    const dense = manyKinds();
    await expect(inference.timeLayers(dense, dense, data)).rejects.toThrow(
      /at least one layer must be replaced/,
    );
    const model = withLookups(dense, { each: 5 });
    const input = tf.input({ shape: [3] });
    const other = tf.model({
      inputs: input,
      outputs: tf.layers.dense({ units: 1 }).apply(input) as tf.SymbolicTensor,
    });
    await expect(inference.timeLayers(other, model, data)).rejects.toThrow(
      /must have every call .* has no each/,
    );
    await expect(inference.timeLayers(dense, model, data, { rounds: 0 })).rejects.toThrow(
      /rounds must .*\(got 0\)/,
    );
  });
});
