import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const source = join(import.meta.dirname, "../../notebooks");
/** Where the suite "notebook" leaves the executed notebooks. */
const executed = dirname(process.env.LUTNN_EXECUTED_NOTEBOOK ?? "out/x");

interface Output {
  output_type: string;
  name?: string;
  text?: string | string[];
  data?: Record<string, unknown>;
}
interface Cell {
  cell_type: string;
  source: string | string[];
  outputs?: Output[];
}
const text = (value: unknown) => (Array.isArray(value) ? value.join("") : String(value ?? ""));
const cellsOf = (path: string) =>
  (JSON.parse(readFileSync(path, "utf8")) as { cells: Cell[] }).cells.filter(
    ({ cell_type }) => cell_type === "code",
  );
const names = (folder: string) =>
  existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".ipynb")) : [];

describe.each(names(source))("%s", (name) => {
  it("fits a screen: cells of at most 15 lines of at most 79 characters, without outputs", () => {
    for (const cell of cellsOf(join(source, name))) {
      const lines = text(cell.source).split("\n");
      expect(lines.length, lines[0]).toBeLessThanOrEqual(15);
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(79);
      expect(cell.outputs).toEqual([]);
    }
  });

  it("was executed to its end without an error", () => {
    const cells = cellsOf(join(executed, name));
    for (const { outputs = [], source } of cells)
      expect(
        outputs.some(({ output_type }) => output_type === "error"),
        text(source),
      ).toBe(false);
    expect(cells[cells.length - 1].outputs?.length).toBeGreaterThan(0);
  });
});

const claiming = names(source).filter((name) => !name.startsWith("01"));
const runs = [
  ...claiming.map((name) => join(executed, name)),
  ...names(join(source, "executed")).map((name) => join(source, "executed", name)),
];

describe.each(runs)("the claims of %s", (path) => {
  it("each have a verdict, whatever it is", () => {
    const cells = cellsOf(path);
    const last = cells[cells.length - 1].outputs ?? [];
    const table = last.map(({ data }) => text(data?.["text/plain"])).join("\n");
    const rows = table.split("\n").filter((line) => /(holds|fails|within noise)$/.test(line));
    expect(rows.length).toBeGreaterThanOrEqual(2);
    expect(table).toMatch(/claim +margin +noise/);
  });
});
