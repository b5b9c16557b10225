import type { BarData, Data, ScatterData } from "plotly.js";
import { describe, expect, it } from "vitest";
import { type ErrorMeasure, errorFigure } from "../../extension/src/errorFigure";
import type { Figure } from "../../extension/src/plot";
import type { ErrorAccumulationReport } from "../../kernel/src/report/errorAccumulation";
import { fixtureReport, residualNetwork, smallNetwork } from "./fixtures/report";
import { testTheme } from "./fixtures/theme";

const threeSeries = ["k-means", "least squares", "fine-tuned"];
const report = fixtureReport({ names: smallNetwork, series: threeSeries });

function draw(of: ErrorAccumulationReport, width = 900, measure: ErrorMeasure = "relative"): Figure {
  return errorFigure(of, { measure, width, theme: testTheme });
}

/** The trace with this identity: its series' index and its mark, for example "0-local". */
function trace({ data }: Figure, uid: string): BarData | ScatterData {
  const found = data.find((one): one is BarData | ScatterData => isXY(one) && one.uid === uid);
  if (!found) throw new Error(`no trace ${uid}`);
  return found;
}

function isXY(data: Data): data is BarData | ScatterData {
  return data.type === "bar" || data.type === "scatter";
}

describe("the error figure", () => {
  it("draws local errors as bars and accumulated errors as lines", () => {
    const figure = draw(report);
    const { errors } = report.series[1];
    const bars = trace(figure, "1-local");
    const line = trace(figure, "1-accumulated");
    expect(bars.type).toBe("bar");
    expect(bars.y).toEqual(errors.map((layer) => layer.local?.relative));
    expect(line).toMatchObject({ type: "scatter", mode: "lines+markers" });
    expect(line.y).toEqual(errors.map((layer) => layer.accumulated?.relative));
  });

  it("gives each series a colour and a symbol of its own, the same for all its marks", () => {
    const figure = draw(report);
    const styles = threeSeries.map((_, series) => {
      const { line, marker } = trace(figure, `${series}-accumulated`) as ScatterData;
      expect(trace(figure, `${series}-metric`)).toMatchObject({ line, marker });
      expect(trace(figure, `${series}-local`)).toMatchObject({ marker: { line: { color: line?.color } } });
      return [line?.color, marker?.symbol];
    });
    expect(new Set(styles.map(([color]) => color)).size).toBe(3);
    expect(new Set(styles.map(([, symbol]) => symbol)).size).toBe(3);
  });

  it("always shows the task metric beside the error, with the dense network as a dashed line", () => {
    const figure = draw(report);
    for (const [index, { errors }] of report.series.entries())
      expect(trace(figure, `${index}-metric`)).toMatchObject({
        yaxis: "y2",
        y: errors.map((layer) => layer.metric),
      });
    expect(trace(figure, "dense")).toMatchObject({ yaxis: "y2", y: [97.31, 97.31], line: { dash: "dash" } });
  });

  it("switches to 1 − R² without touching the task metric", () => {
    const figure = draw(report, 900, "unexplained");
    const { errors } = report.series[0];
    expect(trace(figure, "0-local").y).toEqual(errors.map((layer) => layer.local?.unexplained));
    expect(trace(figure, "0-accumulated").y).toEqual(errors.map((layer) => layer.accumulated?.unexplained));
    expect(trace(figure, "0-metric").y).toEqual(trace(draw(report), "0-metric").y);
    expect(headings(figure)[0]).toContain("1 − R²");
  });

  it("leaves a gap where nothing is measured yet, and keeps its size while values arrive", () => {
    const partial = draw(fixtureReport({ names: smallNetwork, measured: 1 }));
    const complete = draw(fixtureReport({ names: smallNetwork }));
    expect(trace(partial, "0-accumulated").y).toEqual([expect.any(Number), null, null]);
    expect(trace(partial, "0-accumulated")).toMatchObject({ connectgaps: false });
    expect(partial.layout).toEqual(complete.layout);
  });

  it("keeps the reader's zoom during one run and drops it for the next", () => {
    const revision = (measured: number, runId: string) =>
      draw(fixtureReport({ names: smallNetwork, measured, runId })).layout.uirevision;
    expect(revision(1, "first")).toBe(revision(2, "first"));
    expect(revision(1, "first")).not.toBe(revision(1, "second"));
  });

  it("is read below the chart, layer by layer, never in a box that hides it", () => {
    const { data, layout, reading } = draw(report);
    const { local, accumulated, metric } = report.series[0].errors[1];
    const errors = [local, accumulated].map((error) => error?.relative.toPrecision(3));
    expect(reading?.at([{ trace: 0, point: 1 }])).toEqual({
      title: "conv2",
      note: "conv2d, K 16, V 9, C 16",
      columns: ["this layer", "accumulated", "accuracy"],
      rows: expect.arrayContaining([
        { color: testTheme.series[0], name: "k-means", values: [...errors, `${metric?.toFixed(2)} %`] },
      ]),
    });
    expect(reading?.lines).toBe(1 + threeSeries.length);
    for (const one of data) expect(one).toMatchObject({ hoverinfo: expect.stringMatching(/^(none|skip)$/) });
    expect(layout.hovermode).toBe("x");
  });

  it("says which layers are not replaced", () => {
    const partial = fixtureReport({ names: smallNetwork });
    partial.series[0].errors[0] = { state: "dense", local: null, accumulated: null, metric: 97.31 };
    const at = (point: number) => draw(partial).reading?.at([{ trace: 1, point }]);
    expect(at(0)).toMatchObject({ note: "conv2d, not replaced", rows: [{ values: ["–", "–", "97.31 %"] }] });
    expect(at(1)?.note).toContain("K 16");
  });

  it("lays the layers down the page, the first on top, where the width is small", () => {
    const figure = draw(report, 420);
    expect(trace(figure, "0-local")).toMatchObject({ orientation: "h", y: [0, 1, 2] });
    expect(trace(figure, "0-metric")).toMatchObject({ xaxis: "x2", yaxis: "y" });
    expect(figure.layout.yaxis).toMatchObject({ range: [2.5, -0.5], ticktext: smallNetwork });
  });

  it("lays many layers down the page even where the width is usual", () => {
    const names = Array.from({ length: 72 }, (_, layer) => `encoder.${layer}.dense`);
    const figure = draw(fixtureReport({ names }), 1100);
    expect(trace(figure, "0-local")).toMatchObject({ orientation: "h" });
    expect(figure.layout.height).toBeGreaterThan(72 * 16);
  });

  it.each([400, 1100])("draws 500 layers as six marks and some names at a width of %i pixels", (width) => {
    const names = Array.from({ length: 500 }, (_, layer) => `block${layer}.conv`);
    const figure = draw(fixtureReport({ names, series: ["k-means", "least squares"] }), width);
    const marks = figure.data.filter((one): one is ScatterData => isXY(one) && one.uid !== "dense");
    expect(marks).toHaveLength(6);
    for (const mark of marks) {
      expect(mark).toMatchObject({ type: "scatter", mode: "lines" });
      expect(mark.y).toHaveLength(500); // no figure is left out
    }
    const { tickvals: at, ticktext } = figure.layout.xaxis ?? {};
    const tickvals = Array.from(at ?? [], Number);
    expect(tickvals.length).toBeGreaterThan(4);
    expect(tickvals.length).toBeLessThan(width / 20);
    expect(ticktext).toEqual(tickvals.map((layer) => names[layer]));
    expect(figure.layout.height).toBeLessThan(700);
    expect(figure.reading?.at([{ trace: 2, point: 321 }]).title).toBe("block321.conv");
  });

  it.each([300, 480, 1000])("names every layer of a ResNet18 at a width of %i pixels", (width) => {
    const { xaxis, yaxis } = draw(fixtureReport({ names: residualNetwork }), width).layout;
    const labels = (width < 480 ? yaxis : xaxis)?.ticktext;
    expect(labels).toHaveLength(residualNetwork.length);
    for (const [layer, label] of (labels ?? []).entries())
      expect(residualNetwork[layer].endsWith(`${label}`.replace("…", ""))).toBe(true);
  });

  it("shows names from a report literally, never as markup", () => {
    const hostile = fixtureReport({ names: ["<u>conv</u>"], series: ["<s>fine"] });
    hostile.metric.name = "<i>accuracy";
    const { data, layout } = draw(hostile);
    const texts = JSON.stringify({ data, layout });
    expect(texts).not.toMatch(/<[usi]>/);
    for (const escaped of ["&lt;u&gt;conv", "&lt;s&gt;fine", "&lt;i&gt;accuracy"])
      expect(texts).toContain(escaped);
  });

  it("draws a report without layers or series", () => {
    expect(draw(fixtureReport({ names: [], series: [] })).layout.height).toBeGreaterThan(0);
  });
});

function headings({ layout }: Figure): (string | undefined)[] {
  return (layout.annotations ?? []).map(({ text }) => text);
}
