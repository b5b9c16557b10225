import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { paper } from "lutnn";
import { describe, expect, it } from "vitest";
import { command } from "./runNotebook";

const folder = join(import.meta.dirname, "../../notebooks/paper");
const names = readdirSync(folder).sort();
const out = mkdtempSync(join(tmpdir(), "lutnn-paper-"));

interface Cell {
  cell_type: string;
  id: string;
  source: string[];
  outputs?: { data?: Record<string, string | string[]>; text?: string | string[] }[];
}
const notebookOf = (path: string) => JSON.parse(readFileSync(path, "utf8")) as { cells: Cell[] };

interface Written {
  rows: { kind: string; value: number | null; reason?: string }[][];
}
const tableOf = (name: string) =>
  JSON.parse(readFileSync(join(out, "paper", `${name}.json`), "utf8")) as Written;

/** One to two minutes of two cores. */
describe.runIf(process.env.LUTNN_LONG_TESTS)("npx lutnn reproduce all --scale small --quick", () => {
  it("runs every part once and writes one page with all tables", { timeout: 900_000 }, () => {
    const words = ["reproduce", "all", "--scale", "small", "--quick", "--out", join(out, "paper")];
    const { status, stderr } = spawnSync(process.execPath, [command, ...words], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    const page = readFileSync(join(out, "paper/index.html"), "utf8");
    for (const name of paper.tableNames) expect(page).toContain(`<section id="${name}">`);
    expect(page).not.toMatch(/<(script|link|img|iframe)\b/);
  });

  it("finds the paper's order: dense, trained lookups, Maddness", () => {
    const [, dense, fast, , , plus] = tableOf("accuracy").rows[0].map(({ value }) => value!);
    expect(dense).toBeGreaterThan(80);
    expect(plus).toBeGreaterThan(fast);
    const layers = tableOf("layers").rows.map((row) => row[1].value!);
    expect(layers.at(-1)!).toBeLessThan(layers[0]); // Maddness, layer after layer
  });

  it("times one network, and says of all others and of the watts why not", () => {
    const latency = tableOf("latency").rows;
    const timed = latency.filter((row) => row[2].kind === "measured");
    expect(timed).toHaveLength(1);
    for (const place of [2, 3, 6, 7]) expect(timed[0][place].value!).toBeGreaterThan(0);
    for (const row of latency.concat(tableOf("power").rows))
      for (const { kind, reason } of row) if (kind === "notRun") expect(reason).toBeTruthy();
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

  it("show the table, and of what nobody has run that nobody has", { timeout: 120_000 }, () => {
    const done = spawnSync(process.execPath, [command, "run", join(folder, names[0]), "--output", out], {
      encoding: "utf8",
      env: { ...process.env, LUTNN_OUT: join(out, "nothing") },
    });
    expect(done.status, done.stdout).toBe(0);
    const shown = notebookOf(join(out, names[0])).cells.flatMap(({ outputs = [] }) => outputs);
    const text = JSON.stringify(shown);
    expect(text).toMatch(/Fashion-MNIST, ResNet18 at half width/);
    expect(text).toMatch(/nobody has run it yet/);
    expect(text).toMatch(/What it does not show:/);
  });
});
