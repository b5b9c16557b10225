import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

// The short form of npm run check:faults: every so many'th call of a kind, none drawn.
it.runIf(process.platform === "linux")(
  "a system that fails to write, sync, rename or give memory leaves files as they were, and a sentence says why",
  () => {
    const args = [join(import.meta.dirname, "check.mjs"), "--every", "15", "--each", "0"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(status, stdout + stderr).toBe(0);
    expect(Number(/^(\d+) faults of the disk/m.exec(stdout)?.[1])).toBeGreaterThan(30);
    expect(Number(/^(\d+) failed allocations/m.exec(stdout)?.[1])).toBeGreaterThan(10);
  },
  180_000,
);
