// npm run soak [-- CELLS]: the long forms of the endurance tests: CELLS cells (10,000) in one kernel, whose memory is
// watched, and a hundred interrupts in a row of each kind. About a quarter of an hour.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const { status } = spawnSync(
  process.execPath,
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--config",
    "test/vitest.config.mjs",
    "--no-file-parallelism",
    "test/protocol/soak.test.ts",
    "test/protocol/endurance.test.ts",
  ],
  {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, LUTNN_SOAK_CELLS: process.argv[2] ?? "10000", LUTNN_INTERRUPTS: "100" },
  },
);
process.exit(status ?? 1);
