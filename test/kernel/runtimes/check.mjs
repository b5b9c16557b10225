// npm run check:runtimes -- --networks 5000 [--seed S] [--python PROGRAM]: that many random networks with lookups in every
// runtime, in processes of 500 each, each with a seed of its own. A Python of one's own may have openvino, too (set-up:
// PROGRAM -m pip install numpy onnx onnxruntime openvino==2026.4.1).
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const root = resolve(import.meta.dirname, "../../..");
const atOnce = 500;

const { values } = parseArgs({
  options: {
    networks: { type: "string", default: "5000" },
    seed: { type: "string", default: "1" },
    python: { type: "string" },
  },
});
const [networks, first] = [values.networks, values.seed].map(Number);
if (!(Number.isInteger(networks) && networks > 0 && Number.isInteger(first))) {
  console.error(
    `check:runtimes: --networks and --seed must be whole numbers (got ${values.networks} and ${values.seed})`,
  );
  process.exit(2);
}

const start = performance.now();
for (let done = 0, seed = first; done < networks; done += atOnce, seed++) {
  const count = Math.min(atOnce, networks - done);
  console.log(`check:runtimes: ${count} networks from seed ${seed}; ${done} of ${networks} done`);
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const { status } = spawnSync(
    process.execPath,
    [vitest, "run", "--config", "test/vitest.config.mjs", "test/kernel/runtimes/runtimes.test.ts"],
    {
      cwd: root,
      stdio: "inherit",
      env: {
        ...process.env,
        LUTNN_RUNTIMES: String(count),
        LUTNN_RUNTIMES_SEED: String(seed),
        ...(values.python ? { LUTNN_PYTHON: resolve(values.python) } : {}),
      },
    },
  );
  if (status !== 0) {
    console.error(
      `check:runtimes: failed; again by npm run check:runtimes -- --networks ${count} --seed ${seed}`,
    );
    process.exit(1);
  }
}
const seconds = ((performance.now() - start) / 1000).toFixed(0);
console.log(
  `check:runtimes: ${networks} networks had the same codes and sums in every runtime, in ${seconds} s`,
);
