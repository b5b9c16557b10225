import { describe, expect, it } from "vitest";
import { ValueCounts } from "../../../kernel/lib/pq/inputRange";
import { quantizeInputReference } from "../../../kernel/lib/pq/reference";
import { randomFloats } from "../random";

const normal = (count: number, seed: number) => {
  const draws = randomFloats(12 * count, seed);
  return Float32Array.from({ length: count }, (_, i) =>
    draws.subarray(12 * i, 12 * (i + 1)).reduce((sum, x) => sum + x, 0),
  );
};

const chosen = (...parts: Float32Array[]) => {
  const counts = new ValueCounts();
  for (const part of parts) counts.add(part);
  return counts.quantization();
};

/** Σ (x − x̂)² */
const squaredError = (x: Float32Array, input: { scale: number; zeroPoint: number }): number => {
  const q = quantizeInputReference(x, input);
  return x.reduce((sum, value, i) => sum + (value - (q[i] - input.zeroPoint) * input.scale) ** 2, 0);
};

/** Bins tell sizes apart to 1 in 128, and a step's mean squared rounding is that of even numbers: of the least error. */
const nearLeast = 1.15;

describe("the range of a dense layer's inputs", () => {
  it.each([
    ["normal numbers", normal(2000, 1)],
    ["numbers mostly above 0", normal(2000, 2).map((x) => (x > 0 ? 4 * x : 0.1 * x))],
    ["numbers with outliers", normal(2000, 3).map((x, i) => (i % 500 === 7 ? 40 * x : x))],
    ["odd sizes", normal(7, 4)],
  ])("has about the least squared error of all ranges around 0: %s", (_, x) => {
    const [least, most] = [Math.min(...x), Math.max(...x)];
    let best = Number.POSITIVE_INFINITY;
    for (let below = 0; below <= 24; below++)
      for (let above = 1; above <= 24; above++) {
        const scale = Math.fround((above * most - below * least) / 24 / 255);
        const zeroPoint = Math.min(255, Math.round((-below * least) / 24 / scale));
        best = Math.min(best, squaredError(x, { scale, zeroPoint }));
      }
    expect(squaredError(x, chosen(x))).toBeLessThan(nearLeast * best);
  });

  it("begins at 0 where no number is negative, and 0 is always a byte", () => {
    const x = normal(2000, 5);
    expect(chosen(x.map(Math.abs)).zeroPoint).toBe(0);
    expect(chosen(x.map((value) => -Math.abs(value))).zeroPoint).toBe(255);
    const { scale, zeroPoint } = chosen(x);
    expect(zeroPoint).toBeGreaterThan(100);
    expect(zeroPoint).toBeLessThan(155);
    expect(quantizeInputReference(Float32Array.of(0), { scale, zeroPoint })[0]).toBe(zeroPoint);
    expect(Math.fround(scale)).toBe(scale);
  });

  it("is the same however the numbers come, and knows their range", () => {
    const x = normal(999, 6);
    expect(chosen(x.subarray(0, 10), x.subarray(10, 11), x.subarray(11))).toEqual(chosen(x));
    const counts = new ValueCounts();
    expect(counts.range).toEqual([0, 0]);
    counts.add(x);
    expect(counts.range).toEqual([Math.min(...x), Math.max(...x)]);
    expect(counts.count).toBe(999);
  });

  it("is one step of 1 where all numbers are 0, and refuses none and those that are not finite", () => {
    expect(chosen(new Float32Array(5))).toEqual({ scale: 1, zeroPoint: 0 });
    expect(() => chosen()).toThrow(/must be finite numbers to choose a range for \(got none\)/);
    for (const other of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => chosen(Float32Array.of(1, other))).toThrow(/must be finite numbers/);
  });
});
