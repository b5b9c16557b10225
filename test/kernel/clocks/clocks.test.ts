import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
// @ts-expect-error: what runs beside TypeScript is plain JavaScript
import { withClock } from "./setClock.mjs";

// npm run check:clocks has more rounds; what a kernel does then is in ../../protocol/clocks.test.ts.
const times = Number(process.env.LUTNN_CLOCK_ROUNDS ?? 1);

it.runIf(process.platform === "linux")(
  "files, cells of a table and what threads write together are the same when the clock is set to and fro",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "lutnn-clocks-"));
    try {
      const args = [join(import.meta.dirname, "run.mjs"), folder, String(times)];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, {
        env: withClock(folder),
        encoding: "utf8",
      });
      expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: "ok\n" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  120_000 + times * 60_000,
);
