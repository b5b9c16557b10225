// npm run check:messages -- [--each 100000 --seed S]: so many messages that are unsigned, truncated or no messages at all, and so
// many that are rightly signed with contents of any kind.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const root = resolve(import.meta.dirname, "../..");
const { values } = parseArgs({
  options: { each: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } },
});
if (!(Number(values.each) >= 1 && Number.isInteger(Number(values.seed)))) {
  console.error(
    `check:messages: --each and --seed must be whole numbers (got ${values.each} and ${values.seed})`,
  );
  process.exit(2);
}
const tests = ["test/protocol/malformed.test.ts", "test/protocol/robustness.test.ts"];
const { status } = spawnSync(
  process.execPath,
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    ...["run", "--config", "test/vitest.config.mjs", "--no-file-parallelism", ...tests],
  ],
  {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, LUTNN_MESSAGES: values.each, LUTNN_MESSAGES_SEED: values.seed },
  },
);
process.exit(status ?? 1);
