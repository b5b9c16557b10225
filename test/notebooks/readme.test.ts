// What README shows as a cell runs as it stands there.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runNotebook } from "./runNotebook";

const folder = mkdtempSync(join(tmpdir(), "lutnn-readme-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("README's cells run, one after the other, in one notebook", { timeout: 240_000 }, () => {
  const text = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
  const cells = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, source]) => source);
  expect(cells.length).toBeGreaterThanOrEqual(2);
  const check = "console.log('sizes', data.length, reopened.layers.names, conversion.states.length > 4);";
  const { status, stdout } = runNotebook(folder, "readme.ipynb", [...cells, check]);
  expect(stdout).toContain("sizes 1 [ 'second' ] true");
  expect(status).toBe(0);
  for (const file of ["digits.lut.onnx", "digits.lut.onnx.work", "mine.lut.onnx", "mine"])
    expect(existsSync(join(folder, file))).toBe(true);
});
