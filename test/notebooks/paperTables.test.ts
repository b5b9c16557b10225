import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { paper } from "lutnn";
import { describe, expect, it } from "vitest";
import { command } from "./runNotebook";

const folder = join(import.meta.dirname, "../../notebooks/paper");
const names = readdirSync(folder).sort();
/** Tables of which a quick run measures nothing: no encoder is trained, and few machines show an energy counter. */
const nothingQuick: string[] = ["glue", "power"];
const out = mkdtempSync(join(tmpdir(), "lutnn-paper-"));

interface Cell {
  cell_type: string;
  id: string;
  source: string[];
  outputs?: { data?: Record<string, string | string[]>; text?: string | string[] }[];
}
const notebookOf = (path: string) => JSON.parse(readFileSync(path, "utf8")) as { cells: Cell[] };

interface Written {
  title: string;
  columns: string[];
  rows: { kind: string; text: string; value: number | null; keys?: string[]; reason?: string }[][];
}
const tableOf = (name: string) =>
  JSON.parse(readFileSync(join(out, "paper", `${name}.json`), "utf8")) as Written;

/** Half a minute of two processors. */
describe("npx lutnn reproduce all --scale small --quick", () => {
  it("runs every part once and writes one page with all tables", { timeout: 900_000 }, () => {
    const words = ["reproduce", "all", "--scale", "small", "--quick", "--cores", "2", "--jobs", "2"];
    const { status, stderr } = spawnSync(process.execPath, [command, ...words, "--out", join(out, "paper")], {
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    const page = readFileSync(join(out, "paper/index.html"), "utf8");
    for (const name of paper.tableNames) expect(page).toContain(`<section id="${name}">`);
    expect(page).not.toMatch(/<(script|link|img|iframe)\b/);
  });

  it.each(paper.tableNames)(
    "%s has in every place a figure of its own cell, a published one where it says so, or why not",
    (name) => {
      const { columns, rows } = tableOf(name);
      for (const row of rows)
        row.forEach(({ kind, value, keys, reason }, at) => {
          const isPublished = columns[at].startsWith("published");
          if (kind === "published") expect(isPublished, columns[at]).toBe(true);
          if (kind === "measured")
            expect([isPublished, Number.isFinite(value)], columns[at]).toEqual([false, true]);
          if (kind === "notRun")
            expect([value, reason], columns[at]).toEqual([null, expect.stringMatching(/\S/)]);
          for (const key of keys ?? [])
            expect(existsSync(join(out, "paper/cells", key, "cell.json"))).toBe(true);
        });
      expect(rows.flat().some(({ kind }) => kind === "measured")).toBe(!nothingQuick.includes(name));
    },
  );

  it("finds the paper's order: dense, trained lookups, Maddness", () => {
    const [, dense, fast, , , plus] = tableOf("accuracy").rows[0].map(({ value }) => value!);
    expect(dense).toBeGreaterThan(80);
    expect(plus).toBeGreaterThan(fast);
    const layers = tableOf("layers").rows.map((row) => row[1].value!);
    expect(layers.at(-1)!).toBeLessThan(layers[0]); // Maddness, layer after layer
  });

  it("times one network and leaves the others out, and times all single layers", () => {
    const timed = tableOf("latency").rows.filter((row) => row[2].kind === "measured");
    expect(timed).toHaveLength(1);
    for (const place of [2, 3, 6, 7]) expect(timed[0][place].value!).toBeGreaterThan(0);
    for (const row of tableOf("operators").rows)
      for (const { value } of row.slice(1)) expect(value!).toBeGreaterThan(0);
  });
});

describe("the notebooks of the paper's tables", () => {
  it("are one a table, in the report's order", () => {
    expect(names.map((name) => name.replace(/^\d+-|\.ipynb$/g, ""))).toEqual(paper.tableNames);
    for (const name of names) {
      const { cells } = notebookOf(join(folder, name));
      const code = cells.filter(({ cell_type }) => cell_type === "code");
      expect(code.every(({ outputs }) => outputs?.length === 0)).toBe(true);
      for (const { source } of code) for (const line of source) expect(line.length).toBeLessThanOrEqual(80);
      expect(code[1].source.join("")).toContain(`reproduce("${name.replace(/^\d+-|\.ipynb$/g, "")}"`);
    }
  });

  it("all show what was measured, each with its remarks, and say the same as the command", {
    timeout: 240_000,
  }, () => {
    const notebooks = names.map((name) => notebookOf(join(folder, name)));
    const cells = notebooks.flatMap((one, at) =>
      one.cells.map((cell) => ({ ...cell, id: `${cell.id}-${at}` })),
    );
    for (const cell of cells)
      cell.source = cell.source.map((line) => line.replace("quick = false", "quick = true"));
    const path = join(mkdtempSync(join(tmpdir(), "lutnn-paper-")), "all.ipynb"); // one kernel for all
    writeFileSync(path, JSON.stringify({ ...notebooks[0], cells }));
    const done = spawnSync(process.execPath, [command, "run", path, "--output", out], { encoding: "utf8" });
    expect(done.status, done.stdout).toBe(0);
    const outputs = notebookOf(join(out, "all.ipynb")).cells.flatMap(({ outputs = [] }) => outputs);
    const shown = outputs
      .map(({ data, text = "" }) => [data?.["text/plain"] ?? [], text].flat(2).join(""))
      .join("\n");
    for (const name of paper.tableNames) {
      const { title, rows } = tableOf(name);
      expect(shown).toContain(title);
      for (const { text } of rows.flat()) expect(shown).toContain(text);
    }
    expect(shown.match(/What it does not show:/g)).toHaveLength(names.length);
    expect(outputs.some(({ data }) => data?.["image/svg+xml"])).toBe(true);
  });

  it("say of what nobody has run that nobody has", { timeout: 120_000 }, async () => {
    const [table] = await paper.reproduce("accuracy", { store: join(out, "nothing"), engine: "none" });
    expect(paper.toText(table)).toMatch(/Fashion-MNIST, ResNet18 at half width/);
    expect(paper.remarksOf(table).join("\n")).toMatch(/nobody has run it yet/);
  });
});
