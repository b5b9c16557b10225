import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { command, runNotebook } from "./runNotebook";

const folder = mkdtempSync(join(tmpdir(), "lutnn-run-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (name: string, sources: string[]) => runNotebook(folder, name, sources);

describe("lutnn run", () => {
  it("ends with the last output, and leaves the executed notebook and its page", () => {
    const { status, stdout, out } = run("good.ipynb", [
      "const answer: number = 6 * 7;",
      "console.log('it is', answer);",
    ]);
    expect([status, stdout]).toEqual([0, expect.stringContaining("it is 42")]);
    expect(readdirSync(out).sort()).toEqual(["good.html", "good.ipynb"]);
    expect(readFileSync(join(out, "good.html"), "utf8")).toContain("it is 42");
  });

  it("fails with the error of the cell that failed, and keeps what ran before it", () => {
    const { status, stdout, out } = run("bad.ipynb", [
      "console.log('first');",
      "const x = 1;\nthrow new RangeError('x is ' + x);",
      "console.log('never');",
    ]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/This cell failed:[\s\S]*throw new RangeError[\s\S]*RangeError: x is 1/);
    const executed = readFileSync(join(out, "bad.ipynb"), "utf8");
    expect(executed).toContain("first");
    expect(JSON.parse(executed).cells[2].outputs).toEqual([]);
  });

  it("fails on a type error before anything of the cell runs", () => {
    const { status, stdout } = run("types.ipynb", ["console.log('ran');\nconst n: number = 'text';"]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/Type 'string' is not assignable to type 'number'/);
    expect(stdout).not.toMatch(/^ran$/m);
  });

  it("writes below the folder where it is called, if it is not told another one", () => {
    const cells = [
      { cell_type: "code", id: "a", metadata: {}, source: "6 * 7", execution_count: null, outputs: [] },
    ];
    writeFileSync(
      join(folder, "plain.ipynb"),
      JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }),
    );
    const here = mkdtempSync(join(folder, "here-"));
    const { status, stderr } = spawnSync(process.execPath, [command, "run", "../plain.ipynb"], {
      encoding: "utf8",
      cwd: here,
    });
    expect([status, stderr]).toEqual([0, ""]);
    expect(readdirSync(join(here, "out")).sort()).toEqual(["plain.html", "plain.ipynb"]);
  });

  it("leaves a page with its formulas drawn, which asks nobody for anything", () => {
    const cells = [
      {
        cell_type: "markdown",
        id: "a",
        metadata: {},
        source: "A piece $a^c$, and\n\n$$\\sum_c P^c_{g_c} W^c$$",
      },
      { cell_type: "code", id: "b", metadata: {}, source: "1", execution_count: null, outputs: [] },
      {
        cell_type: "markdown",
        id: "c",
        metadata: {},
        source: "$\\text{<img src=x onerror=alert(1)>}$ $\\frac{$",
      },
    ];
    writeFileSync(
      join(folder, "formula.ipynb"),
      JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }),
    );
    const out = join(folder, "formulas");
    const { status } = spawnSync(
      process.execPath,
      [command, "run", join(folder, "formula.ipynb"), "--out", out],
      { encoding: "utf8" },
    );
    expect(status).toBe(0);
    const page = readFileSync(join(out, "formula.html"), "utf8");
    expect(page.match(/<math[ >]/g)).toHaveLength(3);
    expect(page).toMatch(/<math display="block"[^>]*>.*∑/);
    expect(page).not.toMatch(/\$a\^c\$|<img src=x/);
    expect(page).toContain("<code>\\frac{</code>");
    expect(page).not.toMatch(/<(script|link|iframe)\b/);
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page).not.toMatch(/@import|url\(["']?https?:/);
  });
});
