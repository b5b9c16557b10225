// Whole figures as plotly gets them, beside the ones that were looked at: `LUTNN_WRITE_FIGURES=1 npx vitest run --config
// test/vitest.config.mjs test/extension/figures.test.ts` writes them anew; the browser tests take pictures of them.
import { join } from "node:path";
import { charts } from "lutnn";
import { describe, test } from "vitest";
import { errorFigure } from "../../extension/src/errorFigure";
import { codebookFigure, inputFigure } from "../../extension/src/panel/charts/layerFigures";
import { planFigure } from "../../extension/src/panel/charts/planFigure";
import { trainingFigure } from "../../extension/src/panel/charts/trainingFigure";
import { themedFigure } from "../../extension/src/themedFigure";
import { expectWritten, figureText } from "../kernel/charts/written";
import { fakeDetail, fakeSections } from "./fixtures/conversion";
import { fixtureReport, residualNetwork, smallNetwork } from "./fixtures/report";
import { testTheme } from "./fixtures/theme";

const written = (name: string, figure: object) =>
  expectWritten(join(import.meta.dirname, "figures", `${name}.plotly`), figureText(figure));

const words = {
  __: (text: string, ...values: unknown[]) => text.replace(/%(\d)/g, (_, at) => String(values[at - 1])),
  _n: (text: string) => text,
};

describe("an error figure is drawn as it was", () => {
  const series = ["k-means", "fine-tuned"];
  const small = fixtureReport({ names: smallNetwork, series });
  const residual = fixtureReport({
    names: residualNetwork,
    series: [...series, "least squares"],
    measured: 7,
  });
  const twelve = fixtureReport({ names: residualNetwork.slice(0, 12) });
  const long = fixtureReport({
    names: Array.from({ length: 130 }, (_, i) => `block${i}.convolution`),
    series,
  });
  const { unit: _, ...unitless } = small.metric;
  test.each([
    ["error-wide", small, { width: 900 }],
    ["error-narrow", small, { width: 300 }],
    ["error-residual-wide", residual, { width: 1000 }],
    ["error-residual-narrow", residual, { width: 420 }],
    ["error-residual-narrowest", residual, { width: 260 }],
    ["error-twelve-on-a-wide-page", twelve, { width: 1600 }],
    ["error-many", long, { width: 800 }],
    ["error-many-zoomed", long, { width: 800, shown: [10, 31.5] as const }],
    ["error-unitless", { ...small, metric: { ...unitless, unit: "" } }, { width: 640 }],
  ])("%s", (name, report, options) => {
    const measure = name === "error-narrow" ? "unexplained" : "relative";
    written(name, errorFigure(report, { measure, theme: testTheme, ...options }));
  });
});

describe("a chart of ours is drawn as it was", () => {
  const chart: charts.Chart = {
    title: "A title that is much longer than a narrow page leaves room for beside the buttons",
    subtitle: "a remark\nand another one that is far too long for a narrow page as well",
    categories: ["conv1", "conv2, the second", "head"],
    notes: ["K 16, V 9", "", "K 8, V 4"],
    panels: [
      {
        axis: "time (µs, logarithmic)",
        scale: "log",
        series: [
          { name: "dense", kind: "bar", values: [4, 6, 9], spread: [[3, 5], [5, 7], null], color: 7 },
          { name: "lookup", kind: "bar", values: [2, null, 1], color: 2 },
        ],
      },
      {
        axis: "accuracy (%)",
        series: [{ name: "dense", part: "test", kind: "line", values: [97, 96, 98], color: 7 }],
        reference: { name: "limit", value: 98 },
      },
    ],
  };
  const slanted: charts.Chart = {
    title: "names that do not fit",
    subtitle: "",
    categories: residualNetwork,
    panels: [
      {
        axis: "loss",
        series: [{ name: "a", kind: "bar", values: residualNetwork.map((_, i) => i), color: 1 }],
      },
    ],
  };
  const curve: charts.Chart = {
    title: "curve",
    subtitle: "",
    categories: [],
    x: { title: "cost (KiB)" },
    panels: [
      {
        axis: "harm (nats)",
        series: [{ name: "line", kind: "line", values: [3, 1], at: [10, 20.5], color: 0 }],
      },
    ],
  };
  test.each([
    ["chart-wide", chart, 900],
    ["chart-narrow", chart, 330],
    ["chart-slanted", slanted, 500],
    ["chart-curve", curve, 600],
  ])("%s", (name, of, width) =>
    written(name, themedFigure(new charts.Figure(of).toPlotly(), width, testTheme)),
  );
  test("a figure of others takes the theme", () =>
    written(
      "chart-of-others",
      themedFigure({ data: [{ y: [1, 2] }], layout: { title: { text: "own" } } }, 640, testTheme),
    ));
});

describe("the panel's charts are drawn as they were", () => {
  const sections = fakeSections(["a", "b", "c"]);
  const metric = sections.overview.metric!;
  test("training", () =>
    written("training", trainingFigure(sections.training!, metric, 400, testTheme, words)));
  test("training without a metric", () => {
    const points = sections.training!.points.map((point) => ({ ...point, metric: null }));
    written(
      "training-alone",
      trainingFigure({ ...sections.training!, points }, metric, 400, testTheme, words),
    );
  });
  test("plan", () => written("plan", planFigure(sections.plan!, 400, testTheme, words)));
  test.each([3, 60])("the use of %d codebooks", (count) => {
    const detail = { ...fakeDetail("a", count), rows: 8 };
    written(`codebooks-${count}`, codebookFigure(detail, 400, testTheme, words));
  });
  test("inputs", () => written("inputs", inputFigure(fakeDetail("a"), 400, testTheme, words)));
});
