// npm run check:kills -- [--each 200 --seed S --only resume,kills]: so many SIGKILLs at random moments of a training with
// checkpoints, dense and converted, and of storing a conversion, saving a file, a download and unpacking. What was being
// written is there whole or not at all, what goes on ends with the same bytes, and nothing is left behind.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const root = resolve(import.meta.dirname, "../../..");
const tests = { kills: "test/kernel/kills", resume: "test/kernel/training/resume.test.ts" };
const { values } = parseArgs({
  options: {
    each: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: Object.keys(tests).join() },
  },
});
const chosen = values.only.split(",").map((name) => tests[name]);
if (!(Number(values.each) >= 1 && Number.isInteger(Number(values.seed))) || chosen.includes(undefined)) {
  console.error(
    `check:kills: --each and --seed must be whole numbers, --only of ${Object.keys(tests).join(", ")} (got ${JSON.stringify(values)})`,
  );
  process.exit(2);
}
const start = performance.now();
const { status } = spawnSync(
  process.execPath,
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    ...["run", "--config", "test/vitest.config.mjs", "--no-file-parallelism", ...chosen],
  ],
  {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, LUTNN_KILLS: values.each, LUTNN_KILLS_SEED: values.seed },
  },
);
if (status === 0)
  console.log(
    `check:kills: ${values.each} kills of each kind (${Math.round((performance.now() - start) / 1000)} s)`,
  );
process.exit(status ?? 1);
