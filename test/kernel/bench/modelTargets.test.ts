import { describe, expect, it } from "vitest";
// @ts-expect-error a script without types
import { judge, targetsText } from "../../../kernel/bench/modelTargets.mjs";

interface Judged {
  what: string;
  measured: string;
  verdict: string;
  binds?: { part: string; share: number }[];
}

const row = (variant: string, medianMs: number, more: object = {}) => ({
  model: "resnet18-224",
  variant,
  threads: 1,
  batch: 1,
  medianMs,
  spreadMs: 0.1,
  createMs: 100,
  peakBytes: 60e6,
  fileBytes: 20e6,
  operators: variant.startsWith("lut-native")
    ? [
        ["LutConvRelu", 4, 3],
        ["MaxPool", 1, 1],
      ]
    : null,
  ...more,
});

const judged = (...rows: object[]): Judged[] => judge(rows);
const verdictOf = (all: Judged[], what: RegExp) => all.find((one) => what.test(one.what))?.verdict;

describe("the targets of whole networks", () => {
  it("are judged by the fastest of ours and the fastest INT8 engine", () => {
    const all = judged(
      row("fp32", 25),
      row("ort-int8", 8),
      row("openvino-int8", 6.2),
      row("lut-native", 6),
      row("lut-native-integers", 4),
    );
    expect(all.map(({ what, measured, verdict }) => [what, measured, verdict])).toEqual([
      ["lut-native-integers: times as fast as fp32", "6.25", "met"],
      ["lut-native-integers: times as fast as openvino-int8", "1.55", "met"],
      ["lut-native-integers: times less memory than fp32", "1.00", "missed"],
      ["lut-native-integers: times less memory than ort-int8", "1.00", "met"],
      ["lut-native-integers: ms to make a session", "100", "met"],
    ]);
  });

  it("are neither met nor missed within the spread, and missed times say where they go", () => {
    const all = judged(row("fp32", 20.1), row("ort-int8", 4.2), row("lut-native", 4));
    expect(verdictOf(all, /fp32/)).toBe("within the spread");
    const missed = all.find(({ what }) => /ort-int8/.test(what))!;
    expect(missed.verdict).toBe("missed");
    expect(missed.binds!.map(({ part, share }) => [part, share])).toEqual([
      ["lookups", 0.75],
      ["pooling and orders of data", 0.25],
    ]);
    expect(targetsText(all)).toContain("lookups 3.00 ms (75 %, 4 nodes)");
    expect(targetsText(all)).toMatch(/^\* lookups: .+ Tried: .+$/m);
  });

  it("of batches are linear growth, and no more than the dense network's", () => {
    const batch = (variant: string, one: number, eight: number) => [
      row(variant, one),
      row(variant, eight, { batch: 8 }),
    ];
    const grown = (eight: number) =>
      verdictOf(judged(...batch("fp32", 20, 150), ...batch("lut-native", 4, eight)), /batch 8/);
    expect([grown(28), grown(31), grown(40)]).toEqual(["met", "missed", "missed"]);
    const missed = judged(...batch("fp32", 20, 150), ...batch("lut-native", 4, 40));
    expect(targetsText(missed)).toMatch(
      /\| missed \| a dense layer reads its weights once .+ tried: a block of a table for several small images/,
    );
  });

  it("of memory are not judged where the system does not say it", () => {
    const without = { peakBytes: null };
    const all = judged(row("fp32", 25, without), row("ort-int8", 8, without), row("lut-native", 4, without));
    expect(verdictOf(all, /memory/)).toBeUndefined();
  });
});
