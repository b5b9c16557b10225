import type { Data } from "plotly.js";
import { expect, it } from "vitest";
import { codebookFigure, deadCentroids, inputFigure } from "../../../extension/src/panel/charts/layerFigures";
import { planFigure } from "../../../extension/src/panel/charts/planFigure";
import { trainingFigure } from "../../../extension/src/panel/charts/trainingFigure";
import { fakeDetail, fakeSections } from "../fixtures/conversion";
import { testTheme } from "../fixtures/theme";

const words = {
  __: (text: string, ...values: unknown[]) => text.replace(/%(\d)/g, (_, at) => String(values[at - 1])),
  _n: (text: string) => text,
};
const trace = (data: Data[], at: number) => data[at] as Record<string, never>;

it("dead centroids are crossed where they lie", () => {
  const detail = { ...fakeDetail("a", 2), rows: 8 };
  detail.codebooks = [
    { counts: [8, 0, 0], error: 0.5 },
    { counts: [2, 2, 4], error: 0.25 },
  ];
  expect(deadCentroids(detail)).toEqual([
    [0, 1],
    [0, 2],
  ]);
  const { data } = codebookFigure(detail, 400, testTheme, words);
  expect(trace(data, 0).z).toEqual([
    [100, 25],
    [0, 25],
    [0, 50],
  ]);
  expect([trace(data, 1).x, trace(data, 1).y]).toEqual([
    [0, 0],
    [1, 2],
  ]);
  expect(trace(data, 2).y).toEqual([0.5, 0.25]);
});

it("the histogram has shares between its edges, and a stroke for each centroid value", () => {
  const detail = {
    ...fakeDetail("a"),
    inputs: { edges: [0, 1, 3], counts: [1, 3] },
    centroidValues: [0.5, 2],
  };
  const { data } = inputFigure(detail, 400, testTheme, words);
  expect([trace(data, 0).x, trace(data, 0).width, trace(data, 0).y]).toEqual([
    [0.5, 2],
    [1, 2],
    [25, 75],
  ]);
  expect(trace(data, 1).x).toEqual([0.5, 2]);
});

it("the plan's curve comes first, in its cost's unit, and marks where the network stands", () => {
  const plan = fakeSections(["a"]).plan!;
  const { data, layout } = planFigure(plan, 400, testTheme, words);
  expect(trace(data, 0).x[1]).toBeCloseTo(1.04);
  expect(data).toHaveLength(3);
  expect(layout.xaxis?.title).toMatchObject({ text: "operations (M)" });
  const elsewhere = planFigure({ ...plan, now: { cost: 1, point: null } }, 400, testTheme, words);
  expect(elsewhere.data).toHaveLength(2);
});

it("training without a metric has one panel", () => {
  const { training, overview } = fakeSections(["a"]);
  const metric = overview.metric!;
  expect(trainingFigure(training!, metric, 400, testTheme, words).layout.yaxis2).toBeDefined();
  const points = training!.points.map((point) => ({ ...point, metric: null }));
  const alone = trainingFigure({ ...training!, points }, metric, 400, testTheme, words);
  expect(alone.layout.yaxis2).toBeUndefined();
  expect(alone.data).toHaveLength(1);
});
