// npm run check:faults -- [--every 1 --each 1000 --seed S]: each call by which files are written (open, write, fsync, rename,
// mkdir), or every so many'th, fails once; then so many that are drawn; then each large allocation of the addons.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { canShim, withShim } from "./shim.mjs";

const { values } = parseArgs({
  options: {
    every: { type: "string", default: "1" },
    each: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
  },
});
const [every, each, seed] = [values.every, values.each, values.seed].map(Number);
if (!canShim || !(every >= 1 && each >= 0) || ![every, each, seed].every(Number.isInteger)) {
  console.error(
    `check:faults: it needs Linux, and --every, --each and --seed must be whole numbers (got ${JSON.stringify(values)})`,
  );
  process.exit(2);
}
const root = mkdtempSync(join(tmpdir(), "lutnn-faults-"));
try {
  const env = withShim(root);
  const files = join(root, "files");
  const runs = [["run.mjs", files, "1"], ["run.mjs", files, "1", values.seed, values.each], ["memory.mjs"]];
  for (const [script, ...args] of runs) {
    rmSync(files, { recursive: true, force: true });
    mkdirSync(files);
    const start = performance.now();
    const { status, signal } = spawnSync(process.execPath, [join(import.meta.dirname, script), ...args], {
      env,
      stdio: "inherit",
    });
    if (status !== 0) {
      console.error(`check:faults: ${script} ${args.slice(1).join(" ")} ended with ${signal ?? status}`);
      process.exitCode = 1;
      break;
    }
    console.log(`check:faults: took ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
