import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

// The short form of npm run check:addon, in one process.
it("the addons stand bad calls, many threads, threads that end in a call, and sessions released during a run", () => {
  const parts = ["bad=60", "workers=300", "terminate=8", "release=40", "loads=13"];
  const run = spawnSync(process.execPath, [join(import.meta.dirname, "phases.mjs"), "1", ...parts], {
    encoding: "utf8",
  });
  expect(run.signal, run.stdout + run.stderr).toBeNull();
  expect(run.status, run.stdout + run.stderr).toBe(0);
  expect(run.stdout.trim().split("\n")).toHaveLength(parts.length);
});
