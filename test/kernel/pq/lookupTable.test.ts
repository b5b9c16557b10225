import { createRequire } from "node:module";
import { pq, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { quantizeTableTensor } from "../../../kernel/lib/compute/softPqTfjs";
import { roundHalfToEven } from "../../../kernel/lib/pq/lookupTable";
import { randomFloats } from "../random";

// The library's own, which an import of vitest's would be a copy of.
const { accelerate, accelerated }: typeof import("../../../kernel/lib/pq/acceleration") = createRequire(
  import.meta.url,
)("../../../kernel/lib/pq/acceleration");

/** The same without native code. */
function plainly<T>(run: () => T): T {
  const given = accelerated("quantizeTable");
  accelerate({ quantizeTable: () => null });
  try {
    return run();
  } finally {
    accelerate({ quantizeTable: () => given });
  }
}

describe("quantizeTable", () => {
  it.each(["layer", "output"] as const)(
    "gives the same by plain loops and natively (scale per %s)",
    (mode) => {
      expect(accelerated("quantizeTable")).not.toBeNull();
      const tables = [
        randomFloats(9 * 16 * 37, 3),
        Float32Array.from({ length: 16 * 37 }, (_, i) => (i === 0 ? 127 : ((i * 37) % 509) / 2 - 127)), // halves
        Float32Array.from({ length: 16 * 37 }, (_, i) => (i % 300) * 2 ** -149), // scales of few bits, or none
      ];
      for (const table of tables)
        for (const bits of [4, 8] as const)
          expect(plainly(() => pq.quantizeTable(table, 37, mode, bits))).toEqual(
            pq.quantizeTable(table, 37, mode, bits),
          );
    },
  );

  it.each(["layer", "output"] as const)("misses no value by more than half a step (scale per %s)", (mode) => {
    const table = randomFloats(5 * 16 * 7, 1);
    const quantized = pq.quantizeTable(table, 7, mode);
    const real = pq.dequantizeTable(quantized);
    table.forEach((value, i) => {
      expect(Math.abs(real[i] - value)).toBeLessThanOrEqual(quantized.scale[i % 7] * 0.5000001);
    });
    expect(Math.max(...quantized.values.map(Math.abs))).toBe(127);
  });

  it("has one scale per layer or one per output", () => {
    const table = Float32Array.of(1, 10, -2, -20);
    expect([...pq.quantizeTable(table, 2, "layer").scale]).toEqual([
      Math.fround(20 / 127),
      Math.fround(20 / 127),
    ]);
    expect([...pq.quantizeTable(table, 2, "output").scale]).toEqual([
      Math.fround(2 / 127),
      Math.fround(20 / 127),
    ]);
  });

  it("refuses more bits than inference has", () => {
    expect(() => pq.quantizeTable(Float32Array.of(1), 1, "layer", 16)).toThrow(/at most 8 bits \(got 16\)/);
    expect(() => pq.quantizeTable(Float32Array.of(1), 1, "layer", "float")).toThrow(/got float/);
  });

  it.each([4, 6, 7, 8] as const)("gives the same integers and scales as its tf.js form (%i bits)", (bits) => {
    for (const mode of ["layer", "output"] as const) {
      const table = randomFloats(3 * 5 * 11, 2);
      const { values, scale } = pq.quantizeTable(table, 11, mode, bits);
      expect(Math.max(...values)).toBeLessThan(2 ** (bits - 1));
      const tensor = quantizeTableTensor(tf.tensor3d(table, [3, 5, 11]), mode, bits);
      expect([...tensor.values.dataSync()].map((value) => value + 0)).toEqual([...values]); // without −0
      const scales = tensor.scale.dataSync();
      expect([...scale]).toEqual([...scale].map((_, m) => scales[mode === "layer" ? 0 : m]));
    }
  });

  it("gives an all-zero table scale 1", () => {
    expect(pq.quantizeTable(new Float32Array(4), 2, "output")).toEqual({
      values: new Int8Array(4),
      scale: Float32Array.of(1, 1),
    });
  });

  it("rounds halves to even", () => {
    expect([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, -2.6].map((x) => roundHalfToEven(x) + 0)).toEqual([
      -2, -2, 0, 0, 2, 2, 2, -3,
    ]);
  });

  it("refuses values that are not finite", () => {
    expect(() => pq.quantizeTable(Float32Array.of(1, Number.NaN), 2, "layer")).toThrow(
      /must be finite \(got NaN at index 1\)/,
    );
    expect(() => pq.quantizeTable(new Float32Array(3), 2, "layer")).toThrow(
      /positive multiple of 2 outputs \(got 3/,
    );
  });
});
