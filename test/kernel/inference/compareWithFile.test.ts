import { describe, expect, it } from "vitest";
import { type ComparedValue, differencesOf } from "../../../kernel/lib/inference/compareWithFile";

const value = (name: string, worst: number, largest: number, rest: Partial<ComparedValue> = {}) => ({
  name,
  dims: "3×10",
  got: "3×10",
  isShare: false,
  isLogit: false,
  worst,
  largest,
  ...rest,
});
const shares = (worst: number) => value("shares", worst, 0.5, { isShare: true });
const logits = (worst: number, largest: number) => value("logits", worst, largest, { isLogit: true });

describe("an imported network beside its file", () => {
  it("may differ by 1e-4 of the largest number, or of 1 where shares are made", () => {
    expect(differencesOf([value("y", 1e-3, 10), shares(1e-4), logits(0, 1)])).toEqual([]);
    expect(differencesOf([value("y", 1.1e-3, 10)])).toEqual([
      "y: a difference of 0.00110 where the largest number is 10.0",
    ]);
    expect(differencesOf([shares(2e-4), logits(1e-5, 1)])).toEqual([
      "shares: a difference of 0.000200 where the largest number is 1.00",
    ]);
  });

  it("may make other shares of huge numbers that differ by rounding, by half of that", () => {
    // 4e10 in float32 has steps of 4096: softmax of equal ones is decided by them.
    expect(differencesOf([shares(0.999), logits(4096, 4e10)])).toEqual([]);
    expect(differencesOf([shares(0.026), logits(0.05, 1000)])).toHaveLength(1);
    expect(differencesOf([shares(0.025), logits(0.05, 1000)])).toEqual([]);
  });

  it("may not differ in the numbers themselves, in NaN, or in shape", () => {
    expect(differencesOf([shares(0.1), logits(0.3, 1000)])).toHaveLength(1);
    expect(differencesOf([shares(0.1), logits(0.3, 3000)])).toEqual([]);
    expect(differencesOf([value("y", Number.NaN, 1)])).toHaveLength(1);
    expect(differencesOf([value("y", 0, 1, { got: "10×3" })])).toEqual(["y of 10×3 instead of 3×10"]);
  });
});
