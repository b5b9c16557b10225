import { describe, expect, it } from "vitest";
import {
  type LayerTiming,
  LayerTimings,
  type Spread,
  spreadOf,
  timingVerdict,
} from "../../../kernel/lib/inference/layerTimings";

const spread = (lower: number, median: number, upper: number): Spread => ({ lower, median, upper });
const row = (layer: string, native: Spread, dense: Spread, more: Partial<LayerTiming> = {}): LayerTiming => ({
  layer,
  input: "recorded",
  native,
  dense,
  call: spread(0.001, 0.002, 0.004),
  ...more,
});
const rows = [
  row("a", spread(0.1, 0.2, 0.3), spread(0.4, 0.5, 0.6), { numCentroids: 16, subvectorLength: 9 }),
  row("b", spread(0.7, 0.8, 0.9), spread(0.4, 0.5, 0.6), { input: "random" }),
  row("touching below", spread(0.1, 0.2, 0.4), spread(0.4, 0.5, 0.6)),
  row("touching above", spread(0.6, 0.8, 0.9), spread(0.4, 0.5, 0.6)),
];

describe("times of layers", () => {
  it("have the median and the quartiles of what was measured, in any order", () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ lower: 2, median: 3, upper: 4 });
    expect(spreadOf([7])).toEqual({ lower: 7, median: 7, upper: 7 });
    expect(spreadOf([9, 10, 100, 11, 12, 1, 2, 3, 4])).toEqual({ lower: 3, median: 9, upper: 11 });
  });

  it("tell faster and slower only where the quartiles do not touch", () => {
    expect(rows.map(timingVerdict)).toEqual(["faster", "slower", "within noise", "within noise"]);
    expect(new LayerTimings("avx2", "box", rows).verdicts()).toBe(
      "lookups against dense layers – faster: a – slower: b – within noise: touching below; touching above",
    );
    expect(new LayerTimings("avx2", "box", rows.slice(0, 1)).verdicts()).toBe(
      "lookups against dense layers – faster: a",
    );
  });

  it("stand in a table in microseconds, with how many times faster the lookup is", () => {
    const text = new LayerTimings("avx2", "box", rows.slice(0, 2)).toTable();
    expect(text.rows).toEqual([
      [
        "a",
        16,
        9,
        "float32",
        "recorded",
        "500.0 (400.0–600.0)",
        "200.0 (100.0–300.0)",
        "2.50×",
        "faster",
        "2.0 (1.0–4.0)",
      ],
      [
        "b",
        null,
        null,
        "float32",
        "random",
        "500.0 (400.0–600.0)",
        "800.0 (700.0–900.0)",
        "0.63×",
        "slower",
        "2.0 (1.0–4.0)",
      ],
    ]);
  });

  it("are drawn with their spread, each lookup beside its dense layer", () => {
    const { chart } = new LayerTimings("avx2", "box", rows.slice(0, 1))
      .with(new LayerTimings("avx2", "box", rows.slice(1, 2)))
      .figure();
    expect(chart).toMatchObject({
      categories: ["a", "b\n(random input)"],
      notes: ["K 16, V 9\nfaster", "slower"],
      panels: [
        {
          scale: "log",
          series: [
            {
              values: [500, 500],
              spread: [
                [400, 600],
                [400, 600],
              ],
            },
            {
              values: [200, 800],
              spread: [
                [100, 300],
                [700, 900],
              ],
            },
          ],
        },
      ],
    });
  });
});
