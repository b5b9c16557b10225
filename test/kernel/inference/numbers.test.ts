import { tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { changed, distance, INPUT_CHANGE, largestOfExamples } from "../../../kernel/lib/inference/rounding";
import { convertTo } from "../../../kernel/lib/inference/tensorData";

describe("what may differ between two runtimes", () => {
  it("is measured by each example's largest number", () => {
    expect(largestOfExamples(Float32Array.of(1, -5, 2, 0, 0, -0.5), 3)).toEqual(Float32Array.of(5, 2, 0.5));
    expect(largestOfExamples(new Float32Array(0), 2)).toEqual(Float32Array.of(0, 0));
  });

  it("is nothing between the same infinities and no numbers, and everything between one of them and a number", () => {
    const { NaN: none, POSITIVE_INFINITY: most, NEGATIVE_INFINITY: least } = Number;
    expect([distance(none, none), distance(most, most), distance(least, least), distance(0, -0)]).toEqual([
      0, 0, 0, 0,
    ]);
    expect([distance(none, 1), distance(1, none), distance(most, 1), distance(most, least)]).toEqual([
      most,
      most,
      most,
      most,
    ]);
    expect([distance(1, 3), distance(3, 1)]).toEqual([2, 2]);
  });

  it("is what 16 units in the last place of each input do, up or down; whole numbers stay", () => {
    const [values, whole] = [tf.fill([40], 3), tf.tensor1d([7, -8], "int32")];
    const [moved, same] = changed([values, whole]);
    const units = Array.from(moved.dataSync(), (value) => (value - 3) / 2 ** -22); // 3 has units of 2⁻²²
    for (const unit of units) expect(Math.abs(Math.abs(unit) - 3 * INPUT_CHANGE * 2 ** 22)).toBeLessThan(1);
    expect(INPUT_CHANGE).toBe(16 * 2 ** -24);
    expect(new Set(units.map(Math.sign))).toEqual(new Set([1, -1]));
    expect([...same.dataSync()]).toEqual([7, -8]);
    expect([...changed([values])[0].dataSync()]).toEqual([...moved.dataSync()]);
  });
});

describe("numbers as other element types", () => {
  it.each([
    ["int64", BigInt64Array.of(3n, -4n), [3, -4]],
    ["uint64", BigUint64Array.of(3n, 4n), [3, 4]],
    ["float32", Float32Array.of(0.5, -4), [0.5, -4]],
    ["int8", Int8Array.of(5, -4), [5, -4]],
    ["bool", Uint8Array.of(1, 0), [1, 0]],
  ] as const)("%s", (type, wanted, numbers) => {
    expect(convertTo(type, numbers)).toEqual(wanted);
  });
});
