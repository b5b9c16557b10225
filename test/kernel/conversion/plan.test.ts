import * as lutnn from "lutnn";
import { beforeAll, describe, expect, it } from "vitest";
import { tradeOff } from "../../../kernel/lib/conversion/plan/plan";
import type { LayerOption, MeasuredLayer } from "../../../kernel/lib/conversion/plan/sensitivity";
import { tinyData, tinyNetwork } from "../network";

const option = (cost: number, harm: number): LayerOption => ({
  numCentroids: 16,
  subvectorLength: 9,
  cost: { flops: cost, bytes: cost, latency: cost },
  localError: harm,
  harm,
});
const layer = (name: string, dense: number, options: [number, number][]): MeasuredLayer => ({
  name,
  dense: option(dense, 0),
  options: options.map(([cost, harm]) => option(cost, harm)),
});

describe("the trade-off", () => {
  it("takes first what saves most per harm, and skips what is worse than a mixture of its neighbours", () => {
    const layers = [
      layer("cheap", 100, [
        [50, 1],
        [40, 1.9],
        [10, 2],
      ]), // 40 lies above the line from 50 to 10
      layer("dear", 100, [
        [90, 10],
        [120, 0],
      ]), // 120 costs more than dense
    ];
    const points = tradeOff(layers, "flops");
    expect(points.map(({ cost, harm }) => [cost, harm])).toEqual([
      [200, 0],
      [150, 1],
      [110, 2],
      [100, 12],
    ]);
    expect(points[1].choices).toEqual({ cheap: layers[0].options[0], dear: null });
  });

  it("is never beaten by another choice at its own cost", () => {
    const random = [3, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43];
    const layers = [0, 1, 2].map((l) =>
      layer(
        `l${l}`,
        100,
        [0, 1, 2, 3].map((o) => [
          90 - 20 * o - random[l * 4 + o] / 5,
          (o + 1) * random[(l * 4 + o * 5) % 12],
        ]),
      ),
    );
    const points = tradeOff(layers, "bytes");
    const all = layers.reduce<{ cost: number; harm: number }[]>(
      (sums, one) =>
        sums.flatMap((sum) =>
          [one.dense, ...one.options].map((o) => ({
            cost: sum.cost + o.cost.bytes,
            harm: sum.harm + o.harm,
          })),
        ),
      [{ cost: 0, harm: 0 }],
    );
    for (const point of points)
      expect(
        Math.min(...all.filter(({ cost }) => cost <= point.cost + 1e-9).map(({ harm }) => harm)),
      ).toBeCloseTo(point.harm, 9);
  });
});

describe("plan", () => {
  const [data, validation] = [tinyData(240), tinyData(90, 2)];
  let model: lutnn.tf.LayersModel;
  beforeAll(async () => {
    model = tinyNetwork(8);
    await lutnn.fit(model, data, { epochs: 5, learningRate: 0.01 });
  });

  it("keeps within a budget of bytes, and its options convert", async () => {
    const before = lutnn.tf.memory().numTensors;
    const dense = lutnn.convert(model).layers.rows.reduce((sum, row) => sum + row.before.bytes, 0);
    const plan = await lutnn.plan(model, {
      data,
      validation,
      budget: { bytes: dense * 0.6 },
      numCentroids: [4, 16],
      subvectorMultiples: [1, 2],
    });
    expect(plan.points[0].cost).toBe(dense);
    expect(plan.chosen.cost).toBeLessThanOrEqual(dense * 0.6);
    expect(plan.chosen.measuredDrop).toBeDefined();
    const conversion = lutnn.convert(model, plan.options);
    const bytes = conversion.layers.rows.reduce((sum, row) => sum + row.after.bytes, 0);
    const rest = plan.layers
      .filter(({ name }) => plan.chosen.choices[name] === null)
      .reduce((sum, { dense: d }) => sum + d.cost.bytes, 0);
    expect(bytes + rest).toBe(plan.chosen.cost);
    expect(plan.toTable().toString()).toContain("measured:");
    expect(lutnn.tf.memory().numTensors).toBe(before);
  });

  it("keeps within a drop of accuracy, measured on the validation data", async () => {
    const plan = await lutnn.plan(model, {
      data,
      validation,
      budget: { accuracyDrop: 3 },
      numCentroids: [16],
      subvectorMultiples: [1],
    });
    expect(plan.chosen.measuredDrop).toBeLessThanOrEqual(3);
    expect(plan.cost).toBe("flops");
  });

  it("weighs native times for a budget of latency", async () => {
    const plan = await lutnn.plan(model, {
      data,
      validation,
      budget: { latency: 1e3 },
      layers: ["c2"],
      numCentroids: [16],
      subvectorMultiples: [1],
    });
    expect(plan.chosen).toBe(plan.points[0]); // a second is plenty: everything stays dense
    expect(plan.layers[0].options[0].cost.latency).toBeGreaterThan(0);
  });

  it.each([
    [{ bytes: 1 }, /the budget must be at least .* the least that these layers can cost \(got 0\.0 KiB\)/],
    [{ bytes: -1 }, /budget must be a number of at least 0 \(got -1\)/],
    [{ watts: 1 } as object as { bytes: number }, /budget must be one of \{ accuracyDrop \}/],
  ])("refuses the budget %j in one sentence", async (budget, message) => {
    const attempt = lutnn.plan(model, {
      data,
      validation,
      budget,
      layers: ["c4"],
      numCentroids: [16],
      subvectorMultiples: [1],
    });
    await expect(attempt).rejects.toThrow(message);
  });
});
