import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { charts } from "lutnn";
import { describe, expect, it } from "vitest";

const chart: charts.Chart = {
  title: "Times & tides",
  subtitle: "measured",
  categories: ["a", "b"],
  panels: [
    { axis: "time (ms)", scale: "log", series: [{ name: "bars", kind: "bar", values: [1, 100], color: 0 }] },
    {
      axis: "share (%)",
      series: [{ name: "line", kind: "line", values: [5, null], color: 1 }],
      reference: { name: "limit", value: 7 },
    },
  ],
};
const bundle = (figure: charts.Figure) =>
  figure[Symbol.for("Jupyter.display") as never] as () => Record<string, unknown>;

describe("a figure", () => {
  it("shows itself for plotly, as SVG and as text, and not as HTML", () => {
    const figure = new charts.Figure(chart);
    const shown = bundle(figure).call(figure);
    expect(Object.keys(shown)).toEqual(["application/vnd.plotly.v1+json", "image/svg+xml", "text/plain"]);
    const plotly = shown["application/vnd.plotly.v1+json"] as {
      data: { type: string; yaxis: string; y: unknown[] }[];
      layout: { yaxis: { type: string } };
    };
    expect(plotly.data.map((trace) => [trace.type, trace.yaxis])).toEqual([
      ["bar", "y"],
      ["scatter", "y2"],
      ["scatter", "y2"],
    ]);
    expect(plotly.data[1].y).toEqual([5, null]);
    expect(plotly.layout.yaxis.type).toBe("log");
    for (const text of [
      /^<svg role="img" /,
      /<title>Times &amp; tides<\/title>/,
      /share \(%\)/,
      /limit 7/,
      /<\/svg>$/,
    ])
      expect(shown["image/svg+xml"]).toMatch(text);
  });

  it("draws bars with error bars on a numeric axis, of one series", () => {
    const bars = { name: "s", kind: "bar" as const, at: [1, 2], values: [1, 2], color: 0 };
    const spread: [number, number][] = [
      [0.5, 1.5],
      [1.5, 2.5],
    ];
    const figure = (...series: charts.ChartSeries[]) =>
      new charts.Figure({
        ...chart,
        categories: [],
        x: { title: "x" },
        panels: [{ axis: "y (ms)", series }],
      });
    const lines = (svg: string) => svg.match(/stroke-width="1.5"/g)?.length ?? 0;
    expect(lines(figure({ ...bars, spread }).toSvg())).toBe(lines(figure(bars).toSvg()) + 6);
    expect(() => figure({ ...bars, spread }, bars)).toThrow(
      /^Figure: on a numeric axis bars with error bars must be of one series \(got 2 on the panel "y \(ms\)"\)/,
    );
  });

  it("is saved whole", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lutnn-chart-"));
    await new charts.Figure(chart).save(join(folder, "deep", "chart.svg"));
    expect(readdirSync(join(folder, "deep"))).toEqual(["chart.svg"]);
    expect(readFileSync(join(folder, "deep", "chart.svg"), "utf8")).toContain("</svg>");
    rmSync(folder, { recursive: true });
  });
});

describe("a table", () => {
  it("aligns numbers to the right and escapes what HTML would read", () => {
    const table = new charts.Table(
      ["name", "size"],
      [
        ["<b>", 5],
        ["long name", 1000],
        ["none", null],
      ],
      "A & B",
    );
    expect(table.toString()).toBe(
      [
        "A & B",
        "name       size",
        "─────────  ────",
        "<b>           5",
        "long name  1000",
        "none          –",
      ].join("\n"),
    );
    expect(table.toHtml()).toContain('<p>A &amp; B</p><table aria-label="A &amp; B">');
    expect(table.toHtml()).toContain('<td style="text-align:left">&lt;b&gt;</td>');
  });
});

describe("a grid of pictures", () => {
  it("is a PNG of the size that rows, columns and zoom give", async () => {
    const grid = await charts.imageGrid(
      [[Float32Array.of(0, 1, 2, 3)], [Float32Array.of(3, 2, 1, 0), new Float32Array(4)]],
      [2, 2],
      { zoom: 3, gap: 1 },
    );
    const png = Buffer.from(grid.png);
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2 * 7 + 1, 2 * 7 + 1]);
  });

  it("refuses pictures of another size", async () => {
    await expect(charts.imageGrid([[new Float32Array(3)]], [2, 2])).rejects.toThrow(
      /must hold 2·2 numbers \(got 3\)/,
    );
    await expect(charts.imageGrid([], [2, 2])).rejects.toThrow(/at least one picture/);
  });
});
