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
