// Whole figures, beside the ones that were looked at: `LUTNN_WRITE_FIGURES=1 npx vitest run --config test/vitest.config.mjs
// test/kernel/charts/figures.test.ts` writes them anew; look at the SVGs before they are committed.
import { join } from "node:path";
import { charts, tf } from "lutnn";
import { describe, expect, it, test } from "vitest";
import { fixtureReport, residualNetwork, smallNetwork } from "../../extension/fixtures/report";
import { expectWritten, figureText } from "./written";

const written = (name: string, text: string) =>
  expectWritten(join(import.meta.dirname, "figures", name), text);

/** Bars beside one another with error bars, on a logarithmic axis above and a linear one with gaps and a limit below. */
const times: charts.Chart = {
  title: "How long each layer takes, dense & as a lookup",
  subtitle: "one thread\nmedians, and the quartiles as error bars",
  categories: ["conv1", "conv2\nof two lines", "head"],
  categoryName: "layer",
  notes: ["K 16, V 9", "", "K 16, V 4"],
  panels: [
    {
      axis: "time (ms, logarithmic)",
      scale: "log",
      series: [
        { name: "dense", kind: "bar", values: [12, 40, 3], spread: [[10, 15], [-1, 50], null], color: 7 },
        {
          name: "lookup",
          kind: "bar",
          values: [2, null, 0.5],
          spread: [
            [1.5, 2.5],
            [1, 2],
            [0.4, 0.6],
          ],
          color: 0,
        },
      ],
    },
    {
      axis: "share (%)",
      series: [
        { name: "lookup", part: "of the time", kind: "line", values: [20, null, 5], color: 0 },
        { name: "trace", kind: "trace", values: [1, 2, 3], color: 12 },
      ],
      reference: { name: "limit", value: 25 },
    },
  ],
};

/** Named points and a line on a numeric axis that begins below 0. */
const sizes: charts.Chart = {
  title: "Accuracy by size",
  subtitle: "",
  categories: [],
  x: { title: "size (KiB)", whole: true },
  panels: [
    {
      axis: "accuracy (%)",
      fromZero: false,
      series: [
        {
          name: "plans",
          kind: "points",
          at: [-2, 8, 20],
          values: [90, 95, 97],
          labels: ["small", null, "large <best>"],
          spread: [[89, 91], null, [96.5, 97.2]],
          color: 2,
        },
        { name: "front", kind: "line", at: [-2, 8, 20], values: [90.5, 96, 97.5], color: 3 },
      ],
      reference: { name: "dense", value: 98 },
    },
  ],
};

const many: charts.Chart = {
  title:
    "A title that does not fit into one line of the figure, as it says far more than a title should ever have to say of anything",
  subtitle: "long names are turned",
  categories: residualNetwork,
  panels: [
    {
      axis: "error",
      series: [
        {
          name: "k-means",
          kind: "bar",
          values: residualNetwork.map((_, i) => i / 10),
          labels: residualNetwork.map((_, i) => (i === residualNetwork.length - 1 ? "last" : null)),
          color: 1,
        },
      ],
    },
  ],
};

const flat: charts.Chart = {
  ...sizes,
  title: "One place",
  x: { title: "epoch" },
  panels: [
    {
      axis: "loss",
      series: [{ name: "loss", kind: "bar", at: [3], values: [0.5], spread: [[0.4, 0.7]], color: 4 }],
    },
  ],
};

describe.each(Object.entries({ times, sizes, many, flat }))("the figure of %s", (name, chart) => {
  const figure = new charts.Figure(chart);
  test("is drawn as it was", () => written(`${name}.svg`, figure.toSvg()));
  test("is the same for plotly", () => written(`${name}.plotly`, figureText(figure.toPlotly())));
  test("says its numbers in a table", () => written(`${name}.txt`, figure.toTable().toString()));
});

describe("an error accumulation", () => {
  const measured = () =>
    new charts.ErrorAccumulation(fixtureReport({ names: smallNetwork, series: ["k-means", "fine-tuned"] }));
  const shown = (one: charts.ErrorAccumulation) =>
    (one[Symbol.for("Jupyter.display") as never] as () => Record<string, string>).call(one);

  it("shows errors above and the metric below, and says all of it in a table", () => {
    const bundle = shown(measured());
    expect(Object.keys(bundle)).toEqual([
      "application/vnd.lutnn.error-accumulation+json",
      "image/svg+xml",
      "text/plain",
    ]);
    written("accumulation.svg", bundle["image/svg+xml"]);
    written("accumulation.txt", bundle["text/plain"]);
    written("accumulation.chart", figureText(measured().figure("unexplained").chart));
  });

  it("draws nothing where no layer is replaced, and says what to do", () => {
    const report = fixtureReport({ names: smallNetwork });
    const errors = report.series[0].errors.map((one) => ({ ...one, state: "dense" as const }));
    const dense = { ...report, series: [{ ...report.series[0], errors }] };
    const bundle = shown(new charts.ErrorAccumulation(dense));
    expect(Object.keys(bundle)).toEqual(["text/plain"]);
    expect(bundle["text/plain"]).toMatch(
      /^No layer of fixture network is replaced yet.*replaceAll\(\) first\.\ninvented/,
    );
  });

  it("stands beside others of the same layers and data alone", () => {
    const other = new charts.ErrorAccumulation(
      fixtureReport({ names: smallNetwork, series: ["least squares"], runId: "later" }),
    );
    const both = measured().compareWith(other);
    expect(both.series.map(({ name }) => name)).toEqual(["k-means", "fine-tuned", "least squares"]);
    expect(both.report.runId).toBe("fixture+later");
    const report = fixtureReport({ names: ["a", "b"] });
    expect(() => measured().compareWith(new charts.ErrorAccumulation(report))).toThrow(
      /^compareWith: .*\(got a, b on 1024/,
    );
    const fewer = { ...other.report, data: { ...other.report.data, size: 5 } };
    expect(() => measured().compareWith(new charts.ErrorAccumulation(fewer))).toThrow(
      /^compareWith: .*dense1 on 5 and/,
    );
  });
});

describe("a grid of pictures", () => {
  /** Greys of a picture's rows; "." where the page shows through. */
  async function greys(...given: Parameters<typeof charts.imageGrid>): Promise<string[]> {
    const { png } = await charts.imageGrid(...given);
    const tensor = tf.node.decodePng(png, 4);
    const [, width] = tensor.shape;
    const pixels = [...tensor.dataSync()];
    tensor.dispose();
    const text = (at: number) => {
      const [red, green, blue, opaque] = pixels.slice(4 * at, 4 * at + 4);
      if (opaque === 0) return ".";
      expect([red, green, opaque]).toEqual([blue, blue, 255]);
      return String(red);
    };
    const all = pixels.slice(0, pixels.length / 4).map((_, at) => text(at));
    return Array.from({ length: all.length / width }, (_, y) =>
      all.slice(y * width, (y + 1) * width).join(" "),
    );
  }
  const rows = [[Float32Array.of(0, 1, 2, 4)], [Float32Array.of(4, 2, 2, 0), Float32Array.of(8, 8, 8, 8)]];

  it("goes from white to black over each row's own range", async () => {
    expect(await greys(rows, [2, 2], { zoom: 1, gap: 1 })).toEqual([
      ". . . . . . .",
      ". 235 176 . . . .",
      ". 118 0 . . . .",
      ". . . . . . .",
      ". 118 176 . 0 0 .",
      ". 176 235 . 0 0 .",
      ". . . . . . .",
    ]);
  });

  it("goes over each picture's range where asked, and one of a single value is grey", async () => {
    const [, ...lower] = await greys(rows.slice(1), [2, 2], { zoom: 1, gap: 1, perImage: true });
    expect(lower).toEqual([". 0 118 . 118 118 .", ". 118 235 . 118 118 .", ". . . . . . ."]);
  });

  it("gives each value as many pixels as the zoom says, eight by default", async () => {
    expect(await greys([[Float32Array.of(0, 1)]], [1, 2], { zoom: 2, gap: 0 })).toEqual([
      "235 235 0 0",
      "235 235 0 0",
    ]);
    const lines = await greys([[Float32Array.of(1, 0)]], [1, 2]);
    expect([lines.length, lines[6]]).toEqual([
      8 + 2 * 6,
      `${". ".repeat(6)}${"0 ".repeat(8)}${"235 ".repeat(8)}${". ".repeat(6)}`.trim(),
    ]);
  });
});
