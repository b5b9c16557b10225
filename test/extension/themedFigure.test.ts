import { charts } from "lutnn";
import { expect, it } from "vitest";
import { themedFigure } from "../../extension/src/themedFigure";
import { testTheme } from "./fixtures/theme";

it("a plotly figure takes what it does not choose from the theme", () => {
  const { layout } = themedFigure({ data: [{ type: "bar", y: [1] }] }, 640, testTheme);
  expect(layout).toMatchObject({ width: 640, template: { layout: { font: { color: testTheme.text } } } });
});

it("a plotly figure keeps what it chooses, its template too", () => {
  const chosen = { width: 200, height: 100, template: { layout: { font: { color: "red" } } } };
  expect(themedFigure({ data: [], layout: chosen }, 640, testTheme).layout).toEqual(chosen);
});

it("a plotly figure is drawn from a copy, as plotly writes into what it draws", () => {
  const json = { data: [{ type: "scatter", y: [1] }], layout: { xaxis: {} } };
  const { data, layout } = themedFigure(json, 640, testTheme);
  expect(data[0]).not.toBe(json.data[0]);
  expect(layout.xaxis).not.toBe(json.layout.xaxis);
});

it.each([
  [{ data: [{ type: "pie", values: [1] }] }, "traces of type pie need the extension of the plotly package"],
  [{ layout: {} }, "it has no list of traces"],
  ["text", "it has no list of traces"],
  [null, "it has no list of traces"],
  [{ data: [null] }, "it has no list of traces"],
])("a bundle that is no drawable figure is refused with a reason: %j", (json, reason) => {
  expect(() => themedFigure(json, 640, testTheme)).toThrow(reason);
});

const chart: charts.Chart = {
  title: "A title that is much longer than a narrow page leaves room for beside the buttons in its corner",
  subtitle: "remark",
  categories: ["conv2", "<img src=x onerror=alert(1)>"],
  categoryName: "layer",
  notes: ["K 16, V 9", "K 8, V 4"],
  panels: [
    {
      axis: "time (µs, logarithmic)",
      scale: "log",
      series: [
        {
          name: "dense",
          kind: "bar",
          values: [4.21, 6],
          spread: [
            [3.9, 4.8],
            [5, 7],
          ],
          color: 7,
        },
        { name: "<b>lookup</b>", kind: "bar", values: [2, null], color: 2 },
      ],
    },
    {
      axis: "accuracy (%)",
      series: [{ name: "dense", part: "test", kind: "line", values: [97.3, 96], color: 7 }],
      reference: { name: "limit", value: 98 },
    },
  ],
};
const drawn = (width: number, of = chart) =>
  themedFigure(new charts.Figure(of).toPlotly(), width, { ...testTheme, appearance: "dark" });

it("a chart of ours takes the theme's colours, palette colour by palette colour", () => {
  const colours = JSON.stringify(drawn(700).data).match(/"color":"[^"]*"/g);
  const { series, text } = testTheme;
  const expected = [series[7 % series.length], series[2], text].map((colour) => `"color":"${colour}"`);
  expect(new Set(colours)).toEqual(new Set(expected));
});

it("a chart of ours breaks its title beside the buttons, and has its legend below it", () => {
  const titleLines = (width: number) =>
    String(drawn(width).layout.annotations?.[0].text).match(/<b>/g)?.length;
  expect([titleLines(700), titleLines(400)]).toEqual([2, 4]);
  const { legend, height = 0, margin } = drawn(700).layout;
  const below = (1 - Number(legend?.y)) * height;
  expect(below).toBeGreaterThan(2 * 20);
  expect(Number(margin?.t)).toBeGreaterThan(below);
});

it("a chart of ours is read below it, with units, quartiles, K and V", () => {
  const { reading } = drawn(700);
  expect(reading?.at([0, 1, 2, 3].map((trace) => ({ trace, point: 0 })))).toEqual({
    title: "conv2",
    note: "K 16, V 9",
    columns: ["time (µs, logarithmic)", "accuracy (%)"],
    rows: [
      { color: testTheme.series[7 % 5], name: "dense", values: ["4.21 (3.90–4.80) µs", "–"] },
      { color: testTheme.series[2], name: "<b>lookup</b>", values: ["2.00 µs", "–"] },
      { color: testTheme.series[7 % 5], name: "dense, test", values: ["–", "97.3 %"] },
    ],
  });
});

it("a chart over a numeric axis is read by its numbers", () => {
  const { reading } = drawn(700, {
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
  });
  expect(reading?.at([{ trace: 0, point: 1 }])).toMatchObject({
    title: "cost 20.5 KiB",
    columns: [],
    rows: [{ name: "line", values: ["1.00 nats"] }],
  });
});
