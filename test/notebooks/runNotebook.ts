import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const command = join(import.meta.dirname, "../../kernel/bin/lutnn.js");

/** Writes a notebook of code cells into a folder and runs it with `lutnn run`; results in `out` below it. */
export function runNotebook(folder: string, name: string, sources: readonly string[]) {
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
    [command, "run", join(folder, name), "--output", out],
    { encoding: "utf8" },
  );
  return { status, stdout, stderr, out };
}
