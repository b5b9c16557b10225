import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const command = join(import.meta.dirname, "../../kernel/bin/lutnn.js");
const folder = mkdtempSync(join(tmpdir(), "lutnn-run-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a notebook of code cells and runs it with `lutnn run`. */
function run(name: string, sources: string[]) {
  const cells = sources.map((source, i) => ({
    cell_type: "code",
    id: `cell-${i}`,
    metadata: {},
    source,
    execution_count: null,
    outputs: [],
  }));
  const kernelspec = { name: "lutnn", display_name: "TypeScript (LUT-NN)", language: "typescript" };
  const notebook = { cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
  writeFileSync(join(folder, name), JSON.stringify(notebook));
  const out = join(folder, `out-${name}`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [command, "run", join(folder, name), "--out", out],
    {
      encoding: "utf8",
    },
  );
  return { status, stdout, stderr, out };
}

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

  it("says when the notebook is not there", () => {
    const { status, stderr } = spawnSync(process.execPath, [command, "run", join(folder, "none.ipynb")], {
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/the notebook .*none\.ipynb must exist/);
  });
});
