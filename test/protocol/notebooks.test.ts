// Every published notebook, cell by cell, through the kernel's compiler: strict, with the types of this Node.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CellCompiler } from "../../kernel/lib/jupyter/compile/cellCompiler.js";

const folder = join(import.meta.dirname, "../../notebooks");
const typescript = createRequire(import.meta.url)("typescript");
const limitMs = 150_000;

interface Notebook {
  cells: { cell_type: string; source: string | string[] }[];
}

const notebooks = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".ipynb") && !name.includes(".ipynb_checkpoints"),
);

test("there are notebooks", () => expect(notebooks.length).toBeGreaterThan(0));

test.each(notebooks)(
  "%s compiles",
  (name) => {
    const compiler = new CellCompiler(typescript, folder);
    const { cells }: Notebook = JSON.parse(readFileSync(join(folder, name), "utf8"));
    const wrong: string[] = [];
    let id = 0;
    for (const { cell_type, source } of cells) {
      if (cell_type !== "code") continue;
      const { diagnostics } = compiler.convert(++id, [source].flat().join(""));
      for (const { start, messageText, code } of diagnostics)
        wrong.push(`code cell ${id}, line ${start.line + 1}: ${messageText} (TS${code})`);
      compiler.adopt(id);
    }
    expect(id).toBeGreaterThan(0);
    expect(wrong).toEqual([]);
  },
  limitMs,
);
