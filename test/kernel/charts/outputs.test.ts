// What the library's results draw: on which axes, with which figures beside them.
import { charts, inference, Plan, TrainingHistory } from "lutnn";
import { describe, expect, it } from "vitest";
import { topForNames } from "../../../kernel/lib/charts/chart.js";
import { toPlotly } from "../../../kernel/lib/charts/plotly.js";
import { gridHtml } from "../../../kernel/lib/host/bundles/grid.js";
import { Curve } from "../../../kernel/lib/training/curve.js";
import { hostileNames, hostileOutputs } from "../../extension/fixtures/outputs";

const task = {
  metric: { name: "accuracy", unit: "%", higherIsBetter: true },
  lossUnit: "nats",
  divergenceUnit: "nats",
};

describe("timings of layers", () => {
  const spread = (lower: number, median: number, upper: number) => ({ lower, median, upper });
  const row = (native: number[], dense: number[]) => ({
    layer: "conv2",
    input: "recorded" as const,
    native: spread(native[0], native[1], native[2]),
    dense: spread(dense[0], dense[1], dense[2]),
    call: spread(0.001, 0.001, 0.001),
    numCentroids: 16,
    subvectorLength: 9,
  });
  const { LayerTimings, timingVerdict } = inference;

  it("are told apart only where their quartiles do not overlap", () => {
    expect(timingVerdict(row([1, 2, 3], [4, 5, 6]))).toBe("faster");
    expect(timingVerdict(row([4, 5, 6], [1, 2, 3]))).toBe("slower");
    expect(timingVerdict(row([1, 2, 4], [4, 5, 6]))).toBe("within noise");
    expect(timingVerdict(row([5, 6, 9], [4, 5.5, 7]))).toBe("within noise");
  });

  it("show medians with quartiles, K and V, and the verdicts", () => {
    const timings = new LayerTimings("avx2", "a machine", [
      row([0.001, 0.002, 0.003], [0.004, 0.005, 0.006]),
    ]);
    const { chart } = timings.figure();
    expect(chart.notes).toEqual(["K 16, V 9\nfaster"]);
    expect(chart.panels[0].series.map(({ values, spread }) => [values, spread])).toEqual([
      [[5], [[4, 6]]],
      [[2], [[1, 3]]],
    ]);
    expect(chart.subtitle).toContain("faster: conv2");
    expect(String(timings.toTable())).toMatch(/conv2 +16 +9 +float32 +recorded .* faster/);
  });
});

describe("a plan", () => {
  const points = [3e6, 2e6, 1e6].map((cost, i) => ({ choices: {}, cost, harm: i / 10 }));
  const { chart } = new Plan("net", "flops", [], points, points[1], task).figure();

  it("has its cost along a numeric axis with a title and unit, and names the chosen point", () => {
    expect(chart.x).toEqual({ title: "operations for one input (million)" });
    const [line, chosen] = chart.panels[0].series;
    expect([line.at, line.values]).toEqual([
      [3, 2, 1],
      [0, 0.1, 0.2],
    ]);
    expect(line.labels).toEqual(["dense", null, "all cheapest"]);
    expect(chosen).toMatchObject({ kind: "points", at: [2], values: [0.1], labels: ["chosen: 2.000 M"] });
  });

  it("has room above the highest mark for its name", () => {
    const { yaxis } = toPlotly(chart).layout as { yaxis: { autorangeoptions?: { include: number } } };
    expect(yaxis.autorangeoptions?.include).toBeGreaterThan(1.1 * 0.2);
    const [panel] = chart.panels;
    expect(
      topForNames({ ...panel, series: panel.series.map((one) => ({ ...one, labels: undefined })) }),
    ).toBe(null);
  });
});

describe("a training history", () => {
  const epochs = [1, 2].map((epoch) => ({
    epoch,
    loss: 1 / epoch,
    metric: 50 * epoch,
    accuracy: 50 * epoch,
    seconds: 1,
  }));
  const curve = [0.25, 0.75, 1.25].map((at) => ({ at, loss: 2 - at, metric: 10 * at, size: 64 }));

  it("has epochs along its axis, and batches in between", () => {
    const { chart } = new TrainingHistory("fit", epochs, { stoppedEarly: false }, task, curve).figure();
    expect(chart.x).toEqual({ title: "epoch", whole: true });
    expect(chart.panels.map(({ axis }) => axis)).toEqual(["loss (nats)", "accuracy (%)"]);
    const [within, whole, ...validation] = chart.panels[1].series;
    expect([within.at, within.values]).toEqual([
      [0.25, 0.75, 1.25],
      [2.5, 7.5, 12.5],
    ]);
    expect([whole.at, whole.values]).toEqual([
      [1, 2],
      [50, 100],
    ]);
    expect(validation).toEqual([]);
  });

  it("keeps at most 400 points of a run of any length, each the mean of its batches", () => {
    const long = new Curve();
    const batches = 12_345;
    for (let i = 0; i < batches; i++) long.add({ at: i, loss: i % 2, metric: 3, size: 2 });
    const { points } = long;
    expect(points.length).toBeLessThanOrEqual(400);
    expect(points.length).toBeGreaterThan(150);
    expect(points.reduce((sum, { size }) => sum + size, 0)).toBe(2 * batches);
    expect(points[0].at).toBeCloseTo((points[0].size / 2 - 1) / 2, 9);
    for (const { loss, metric } of points.slice(0, -1)) expect([loss, metric]).toEqual([0.5, 3]);
  });
});

describe("a table", () => {
  it("has the same decimals in a column of numbers, and none where all are whole", () => {
    const table = new charts.Table(
      ["error", "size", "share"],
      [
        [0.2941, 5, 1234.5],
        [0.03, 1000, 0.294],
        [null, 12, 7],
      ],
    );
    expect(String(table).split("\n").slice(2)).toEqual([
      "0.294     5  1234.50",
      "0.030  1000     0.29",
      "    –    12     7.00",
    ]);
  });

  it("of a chart has a heading for every column", () => {
    const chart: charts.Chart = {
      title: "t",
      subtitle: "s",
      categories: ["a"],
      panels: [
        { axis: "time (µs, logarithmic)", series: [{ name: "n", kind: "bar", values: [1], color: 0 }] },
      ],
    };
    expect(new charts.Figure(chart).toTable().columns).toEqual([
      { title: "category" },
      { title: "n: time (µs)" },
    ]);
  });
});

describe("a chart as SVG", () => {
  it("breaks a title that is too long for its width", () => {
    const title = "a title of many words ".repeat(9).trim();
    const svg = new charts.Figure({
      title,
      subtitle: "",
      categories: [],
      x: { title: "x" },
      panels: [],
    }).toSvg();
    const lines = [...svg.matchAll(/>([^<]*many words[^<]*)<\/text>/g)].map(([, line]) => line);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line.length).toBeLessThan(100);
  });

  it.each(Object.entries(hostileOutputs()))("holds no markup from names: %s", (_, bundle) => {
    const svg = String(bundle["image/svg+xml"] ?? "");
    const html = String(bundle["text/html"] ?? "");
    expect(svg + html).not.toMatch(/<(img|script|a|b|svg onload)[ >]/);
    if (svg)
      for (const name of hostileNames.slice(0, 1))
        expect(svg).toContain(name.replace("<", "&lt;").replace(">", "&gt;"));
    const plotly = JSON.stringify(bundle["application/vnd.plotly.v1+json"] ?? {}, (key, value) =>
      key === "meta" && typeof value === "object" ? undefined : value,
    );
    expect(plotly).not.toMatch(/<(img|script|a|svg)[ >]/);
  });
});

describe("a grid of pictures", () => {
  it("is clear between the pictures, so that it suits a page of any colour", async () => {
    const { png } = await charts.imageGrid([[Float32Array.of(0, 1, 2, 3)]], [2, 2], { zoom: 1, gap: 1 });
    const image = Buffer.from(png);
    const colourType = image[25];
    expect(colourType).toBe(6); // red, green, blue and alpha
  });
});

describe("texts that look like markup", () => {
  const hostile = `"><script>alert('x')</script><a href="&{x|y}`;

  it("stay texts, in every place that a table or a chart has for one", () => {
    const series = {
      name: hostile,
      part: hostile,
      values: [1, 2],
      color: 0,
      labels: [hostile, hostile],
      spread: [[0, 1] as [number, number], null],
    };
    const panels = [
      {
        axis: hostile,
        series: [{ ...series, kind: "bar" as const }],
        reference: { name: hostile, value: 3 },
      },
    ];
    const texts = { title: hostile, subtitle: hostile };
    const named = { ...texts, categories: [hostile, "b"], notes: [hostile, hostile], panels };
    const points = [{ ...series, kind: "points" as const, at: [1, 2] }];
    const placed = {
      ...texts,
      categories: [],
      x: { title: hostile },
      panels: [{ axis: hostile, series: points }],
    };
    const drawn = [named, placed].map((chart) => new charts.Figure(chart).toSvg());
    const table = new charts.Table(
      [hostile, { title: hostile, align: "right" }],
      [[hostile, hostile]],
      hostile,
    );
    for (const markup of [...drawn, table.toHtml()]) {
      expect(markup).toContain("alert");
      expect(markup).not.toMatch(/<script|<a[ >]/);
    }
  });

  it("are refused as a column's alignment, which stands in a style", () => {
    const make = (align: unknown) => Reflect.construct(charts.Table, [[{ title: "a", align }], []]);
    expect(make("right").toHtml()).toContain('style="text-align:right;');
    for (const align of [`left"><script>`, "center", 5, null])
      expect(() => make(align)).toThrow(
        /^Table: a column's align must be "left" or "right" \(got .* for "a"\)/,
      );
    expect(() => Reflect.construct(charts.Table, [[{ title: 5 }], []])).toThrow(/title must be a text/);
  });

  it("are no alignment of a grid either", () => {
    const alignments = [`left"><script>` as "left"];
    expect(gridHtml({ titles: ["a"], alignments, rows: [["b"]] })).not.toContain("script");
  });
});
