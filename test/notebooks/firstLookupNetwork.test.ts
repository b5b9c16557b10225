import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { InferenceSession, parseErrorAccumulation } from "lutnn";
import { describe, expect, it } from "vitest";

/** The executed notebook; the suite "notebook" makes it. */
const path = process.env.LUTNN_EXECUTED_NOTEBOOK ?? "out/01-first-lookup-network.ipynb";
const folder = dirname(path);

interface Output {
  output_type: string;
  data?: Record<string, unknown>;
}
interface Cell {
  cell_type: string;
  source: string | string[];
  outputs?: Output[];
}
if (!existsSync(path)) throw new Error(`${path} is missing: run npm start first`);
const cells = (JSON.parse(readFileSync(path, "utf8")) as { cells: Cell[] }).cells.filter(
  ({ cell_type }) => cell_type === "code",
);
const bundles = cells.flatMap((cell) => (cell.outputs ?? []).flatMap(({ data }) => (data ? [data] : [])));
const text = (value: unknown) => (Array.isArray(value) ? value.join("") : String(value));

describe("the executed first notebook", () => {
  it("has an output for every cell and no error", () => {
    expect(cells.length).toBeGreaterThan(15);
    for (const cell of cells) {
      expect(
        cell.outputs?.some(({ output_type }) => output_type === "error"),
        text(cell.source),
      ).toBe(false);
      expect(cell.outputs?.length, text(cell.source)).toBeGreaterThan(0);
    }
  });

  it("shows valid error accumulation reports with SVG and text beside them", () => {
    const reports = bundles.filter((data) => "application/vnd.lutnn.error-accumulation+json" in data);
    expect(reports.length).toBeGreaterThanOrEqual(2);
    for (const data of reports) {
      const report = parseErrorAccumulation(data["application/vnd.lutnn.error-accumulation+json"]);
      if (typeof report === "string") throw new Error(report);
      expect(report.done).toBe(true);
      expect(report.layers.map(({ name }) => name)).toEqual(["conv2", "conv3", "conv4", "conv5"]);
      expect(text(data["image/svg+xml"])).toContain("</svg>");
      expect(text(data["text/plain"])).toContain("conv5");
      expect(data).not.toHaveProperty("text/html");
    }
    const last = parseErrorAccumulation(
      reports[reports.length - 1]["application/vnd.lutnn.error-accumulation+json"],
    );
    if (typeof last === "string") throw new Error(last);
    expect(last.series.map(({ name }) => name)).toEqual(["k-means", "least squares", "fine-tuned"]);
    const [kmeans, , tuned] = last.series.map(({ metric }) => metric!);
    expect(last.metric.dense).toBeGreaterThanOrEqual(96);
    expect((tuned - kmeans) / (last.metric.dense - kmeans)).toBeGreaterThanOrEqual(0.85);
  });

  it("leaves a page with its figures, the model, and the charts", async () => {
    const page = readFileSync(path.replace(/ipynb$/, "html"), "utf8");
    expect(page.match(/<img[^>]+data:image\/svg\+xml/g)?.length).toBeGreaterThanOrEqual(3);
    expect(page.match(/<img[^>]+data:image\/png/g)?.length).toBeGreaterThanOrEqual(2);
    expect(readFileSync(join(folder, "error-accumulation.svg"), "utf8")).toContain("fine-tuned");
    expect(readFileSync(join(folder, "timings.svg"), "utf8")).toContain("random input");
    const session = await InferenceSession.create(join(folder, "digits.lut.onnx"));
    expect(session.inputNames).toEqual(["input"]);
    await session.release();
  });
});
