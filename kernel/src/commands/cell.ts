import { existsSync, readFileSync } from "node:fs";
import { watchProgress } from "../host/progress";
import type { CellMessage } from "../paper/engine/cellProcess";
import type { CellResult } from "../paper/store/cellResult";
import { UsageError } from "./usageError";

export interface RunCellOptions {
  /** A file with the cell's parameters. */
  spec: string;
  /** The store's folder. */
  dir: string;
  /** A file that the result is also written to. */
  output?: string;
  /** Seconds without a sign of life after which another holder counts as gone. */
  stale: string;
}

/**
 * Runs one cell in this process, which ends with its parent: does nothing where the result is there, goes on where a run
 * was interrupted, waits where another process works on it. SIGINT and SIGTERM let the cell go with what it has done.
 */
export async function runCellFile({ spec, dir, output, stale }: RunCellOptions): Promise<string> {
  const staleSeconds = Number(stale);
  if (!(staleSeconds > 0 && Number.isFinite(staleSeconds)))
    throw new UsageError(`cell run: --stale must be a number of seconds above 0 (got ${stale})`);
  if (!existsSync(spec)) throw new UsageError(`cell run: the file ${spec} must exist (it does not)`);
  const { parseCell } = await import("../paper/cells/cell.js");
  const { runCell } = await import("../paper/cells/run.js");
  const { CellStore } = await import("../paper/store/cellStore.js");
  const { writeFileWhole } = await import("../files/writeFile.js");
  const { LutnnError } = await import("../errors.js");
  const cell = parseCell(readFileSync(spec, "utf8"), "cell run");
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () =>
      controller.abort(new LutnnError(`cell run: interrupted by ${name}; the same command goes on`)),
    );
  const tell = (message: CellMessage) => process.send?.(message, undefined, undefined, () => undefined);
  if (process.send) watchProgress(({ share, line }) => tell({ kind: "progress", share, line }));
  const result = await runCell(cell, new CellStore(dir), {
    staleSeconds,
    parent: process.ppid,
    signal: controller.signal,
    onWait: (sentence) => {
      if (process.send) tell({ kind: "waiting", sentence });
      else console.error(`lutnn cell run: ${sentence}`);
    },
  });
  if (output !== undefined) await writeFileWhole(output, JSON.stringify(result, null, 1), "cell run");
  return describeResult(result);
}

/** "3f2a…: metric 91.2, loss 0.26; 12.1 s in 2 runs". */
function describeResult({ key, figures, provenance: { seconds, runs } }: CellResult): string {
  const shown = Object.entries(figures)
    .slice(0, 6)
    .map(([name, value]) => `${name} ${value === null ? "not available" : Number(value.toPrecision(6))}`);
  const more = Object.keys(figures).length > shown.length ? ", …" : "";
  return `${key}: ${shown.join(", ")}${more}; ${seconds.toFixed(1)} s, run ${runs}`;
}
