// npm run check:networks -- --runs 20000 [--seed S]: that many random networks, in processes of a thousand each (they keep
// their names and code for ever), each with a seed of its own. The first that fails is shrunk and printed, with its seed.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const root = resolve(import.meta.dirname, "../../..");
const atOnce = 1000;

const { values } = parseArgs({
  options: { runs: { type: "string", default: "20000" }, seed: { type: "string", default: "1" } },
});
const [runs, first] = [values.runs, values.seed].map(Number);
if (!(Number.isInteger(runs) && runs > 0 && Number.isInteger(first))) {
  console.error(
    `check:networks: --runs and --seed must be whole numbers (got ${values.runs} and ${values.seed})`,
  );
  process.exit(2);
}

for (let done = 0, seed = first; done < runs; done += atOnce, seed++) {
  const count = Math.min(atOnce, runs - done);
  console.log(`check:networks: ${count} networks from seed ${seed}; ${done} of ${runs} done`);
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      ...["run", "--config", "test/vitest.config.mjs", "test/kernel/networks"],
    ],
    {
      cwd: root,
      stdio: "inherit",
      env: {
        ...process.env,
        LUTNN_NETWORKS: String(count),
        LUTNN_NETWORKS_SEED: String(seed),
        LUTNN_NETWORKS_SHRINK: "1",
      },
    },
  );
  if (status !== 0) {
    console.error(
      `check:networks: failed; again by npm run check:networks -- --runs ${count} --seed ${seed}`,
    );
    process.exit(1);
  }
}
console.log(`check:networks: ${runs} networks kept every promise`);
