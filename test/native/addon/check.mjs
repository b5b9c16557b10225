// npm run check:addon -- [--each 10000 --calls 100000 --terminations 500 --releases 2000 --loads 100 --seed S --only PHASE]: the
// addons under bad calls of every function, from one thread and from eight, threads ended in the middle of a call, sessions
// released during a run, loads and unloads. Each part is a process; whatever signal ends one fails the check.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";

const numbers = {
  bad: ["each", 10_000],
  workers: ["calls", 100_000],
  terminate: ["terminations", 500],
  release: ["releases", 2000],
  loads: ["loads", 100],
};
const { values } = parseArgs({
  options: {
    ...Object.fromEntries(
      Object.values(numbers).map(([name, count]) => [name, { type: "string", default: String(count) }]),
    ),
    seed: { type: "string", default: "1" },
    only: { type: "string", default: Object.keys(numbers).join() },
  },
});

for (const phase of values.only.split(",")) {
  const count = Number(values[numbers[phase]?.[0]]);
  if (!(Number.isInteger(count) && count > 0 && Number.isInteger(Number(values.seed)))) {
    console.error(
      `check:addon: --only must name ${Object.keys(numbers).join(", ")}, numbers be whole (got ${phase}, ${count})`,
    );
    process.exit(2);
  }
  const start = performance.now();
  const { status, signal } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "phases.mjs"), values.seed, `${phase}=${count}`],
    { stdio: "inherit", env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "1" } },
  );
  if (status !== 0) {
    console.error(`check:addon: ${phase}, seed ${values.seed}, ended with ${signal ?? status}`);
    process.exit(1);
  }
  console.log(`check:addon: ${phase} took ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
