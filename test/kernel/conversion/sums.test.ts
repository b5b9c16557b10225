import { convert, datasets, Progress, type Progress as ProgressClass, tf } from "lutnn";
import { describe, expect, it, vi } from "vitest";
import { ErrorSums } from "../../../kernel/lib/conversion/errorSums";
import type { ErrorAccumulationReport } from "../../../kernel/src/report/errorAccumulation";
import { tinyData, tinyNetwork } from "../network";

/** float64 sums of numbers that float32 holds exactly. */
const digits = 10;

/** Two channels of which the second is twice as wide; exact output and approximation. */
const exact = [
  [1, 10],
  [3, 30],
  [5, 20],
];
const near = [
  [2, 10],
  [2, 26],
  [5, 24],
];
// Around the means, squared: 8 and 200; differences squared: 2 and 32. Correlations² of the channels: 6² / (8 · 6) and
// 160² / (200 · 152).
const wanted = {
  relative: 34 / 208,
  unexplained: (8 * (1 - 36 / 48) + 200 * (1 - 160 ** 2 / (200 * 152))) / 208,
};

describe("the errors of a layer's output", () => {
  it("are squared differences over the variance, and what no linear map explains, channel by channel", () => {
    const sums = new ErrorSums(2);
    expect(sums.error()).toBeNull();
    tf.tidy(() => sums.add(tf.tensor2d(exact), tf.tensor2d(near)));
    expect(sums.error()!.relative).toBeCloseTo(wanted.relative, digits);
    expect(sums.error()!.unexplained).toBeCloseTo(wanted.unexplained, digits);
  });

  it("are those of all batches, of the rows that count alone", () => {
    const sums = new ErrorSums(2);
    tf.tidy(() => {
      sums.add(tf.tensor3d([[[9, 9]], [exact[0]]]), tf.tensor3d([[[0, 1]], [near[0]]]), Uint32Array.of(1));
      sums.add(tf.tensor2d(exact.slice(1)), tf.tensor2d(near.slice(1)));
    });
    expect(sums.error()!.relative).toBeCloseTo(wanted.relative, digits);
    expect(sums.error()!.unexplained).toBeCloseTo(wanted.unexplained, digits);
  });

  it("count a constant output as explained, and any difference from it as beyond measure", () => {
    const error = (other: number) => {
      const sums = new ErrorSums(1);
      tf.tidy(() => sums.add(tf.tensor2d([[4], [4]]), tf.tensor2d([[4], [other]])));
      return sums.error();
    };
    expect(error(4)).toEqual({ relative: 0, unexplained: 0 });
    expect(error(4.5)).toEqual({ relative: Number.MAX_VALUE, unexplained: 0 });
  });

  it("call an output that does not vary unexplained, and a scaled one explained", () => {
    const error = (other: number[]) => {
      const sums = new ErrorSums(1);
      tf.tidy(() => sums.add(tf.tensor2d([[1], [2], [6]]), tf.tensor2d(other, [3, 1])));
      return sums.error()!;
    };
    expect(error([3, 3, 3]).unexplained).toBe(1);
    expect(error([-2, -4, -12]).unexplained).toBeCloseTo(0, digits);
    // A wide channel beside a narrow one counts by its variance: none of 8 and all of 2 of 10 is a fifth.
    const sums = new ErrorSums(2);
    tf.tidy(() =>
      sums.add(
        tf.tensor2d([
          [2, 1],
          [-2, -1],
        ]),
        tf.tensor2d([
          [1, 7],
          [-1, 7],
        ]),
      ),
    );
    expect(sums.error()!.unexplained).toBeCloseTo(0.2, digits);
  });
});

describe("error accumulation", () => {
  it("shows how many examples have passed how many calls, to all of all, and a chart that is brought up to date", async () => {
    const seen: number[] = [];
    let total = 0;
    const update = vi.spyOn(Progress.prototype, "update").mockImplementation(function (
      this: ProgressClass,
      done,
    ) {
      seen.push(done);
      total = (this as unknown as { total: number }).total;
    });
    const shown: { displayId?: string; update?: boolean }[] = [];
    const symbol = Symbol.for("lutnn.host");
    const scope = globalThis as unknown as Record<symbol, unknown>;
    const before = scope[symbol];
    const model = tinyNetwork(1);
    const conversion = convert(model, { layers: ["c2", "c4"] });
    const data = tinyData(20);
    await conversion.calibrate(data, { method: "kmeans" });
    await conversion.replace("c4");
    try {
      seen.length = 0;
      scope[symbol] = {
        display: (bundle: Record<string, unknown>, options: object) =>
          Object.keys(bundle).some((type) => type.includes("error-accumulation")) && shown.push(options),
      };
      await conversion.errorAccumulation(data, { live: true });
      expect(shown.map((one) => one.update)).toEqual(shown.map((_, i) => i > 0));
      expect(new Set(shown.map((one) => one.displayId)).size).toBe(1);
      expect(shown.length).toBeGreaterThan(2);
      shown.length = 0;
      await conversion.errorAccumulation(data);
      expect(shown).toEqual([]);
    } finally {
      scope[symbol] = before;
      update.mockRestore();
    }
    const calls = total / 20;
    const half = seen.slice(0, seen.length / 2).filter((done) => done > 0);
    expect(half.slice(-calls)).toEqual(Array.from({ length: calls }, (_, i) => 20 * (i + 1)));
    await conversion.restoreAll();
  });

  it("is that of all batches, weighted by their examples", async () => {
    // 300 examples come as batches of 64 and a rest; a report of parts must add up to that of the whole.
    const data = tinyData(300, 3);
    const conversion = convert(tinyNetwork(2), { layers: ["c2", "hidden"] });
    await conversion.calibrate(data, { method: "kmeans" });
    await conversion.replaceAll();
    const of = async (some: datasets.Dataset): Promise<ErrorAccumulationReport["series"][0]> =>
      (await conversion.errorAccumulation(some)).report.series[0];
    const rows = (from: number, to: number) =>
      new datasets.Dataset({
        ...data,
        images: data.images.slice(72 * from, 72 * to),
        labels: data.labels.slice(from, to),
      });
    const [all, first, rest] = [await of(data), await of(rows(0, 200)), await of(rows(200, 300))];
    expect(all.divergence).toBeCloseTo((2 * first.divergence! + rest.divergence!) / 3, 6);
    expect(all.metric).toBeCloseTo((2 * first.metric! + rest.metric!) / 3, 6);
    expect(all.errors[0].metric).toBeCloseTo((2 * first.errors[0].metric! + rest.errors[0].metric!) / 3, 6);
    await conversion.restoreAll();
  });
});
