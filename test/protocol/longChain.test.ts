// The compiler in this process: kernels would need minutes.
import { mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CellCompiler } from "../../kernel/lib/jupyter/compile/cellCompiler.js";

test("types that follow from each other over hundreds of cells end, and are kept where they can be written", {
  timeout: 240_000,
}, () => {
  const compiler = new CellCompiler(
    createRequire(import.meta.url)("typescript"),
    mkdtempSync(join(tmpdir(), "lutnn-chain-")),
  );
  let id = 0;
  const convert = (code: string): string[] => {
    const { diagnostics } = compiler.convert(++id, code);
    if (diagnostics.length === 0) compiler.adopt(id);
    return diagnostics.map(({ messageText }) => messageText);
  };
  const cells = 340;
  const link = (index: number) =>
    index === 0
      ? "const step0 = { size: 1 }; class Kind0 { kind = 0; } type Box0<T> = { of: T };"
      : `const step${index} = { ...step${index - 1}, size: step${index - 1}.size + 1 }; class Kind${index} extends Kind${index - 1} {} type Box${index}<T> = Box${index - 1}<T>;`;
  for (let index = 0; index < cells; index++) expect(convert(link(index))).toEqual([]);
  const all: { isSettled: boolean; text: string }[] = Reflect.get(compiler, "notebook").cells.all;
  const settled = all.filter(({ isSettled }) => isSettled);
  expect(settled.length).toBeGreaterThan(100);
  for (const { text } of settled) expect(text).toMatch(/^declare const step\d+: \{ size: number; \};/);
  // Old and new names are there, with their types, and constants stay constant.
  expect(convert(`const sum: number = step1.size + step${cells - 1}.size;`)).toEqual([]);
  expect(convert(`const text: string = step1.size;`)).toEqual([
    "Type 'number' is not assignable to type 'string'.",
  ]);
  expect(convert(`const text: string = step${cells - 1}.size;`)).toEqual([
    "Type 'number' is not assignable to type 'string'.",
  ]);
  expect(convert("step1 = step0;")).toEqual(["Cannot assign to 'step1' because it is a constant."]);
  expect(convert(`const box: Box3<number> = { of: 1 }; class Last extends Kind3 {} new Last();`)).toEqual([]);
});
