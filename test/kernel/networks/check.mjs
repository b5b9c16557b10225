// npm run check:networks -- --runs 20000 [--seed S]: that many random networks, in processes of a thousand each (they keep
// their names and code for ever), each with a seed of its own. The first that fails is shrunk and printed, with its seed.
// It can be stopped and goes on where it was: what has passed stands in out/networks.jsonl, and counts as long as the library
// and these tests are the same.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { digest, filesUnder } from "../mutants/reach.mjs";

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

mkdirSync(join(root, "out"), { recursive: true });
const journal = join(root, "out/networks.jsonl");
const code = [...filesUnder(join(root, "kernel/lib"), ".js"), ...filesUnder(import.meta.dirname, ".ts")];
const version = digest(...code.map((file) => readFileSync(file, "utf8")));
const passed = new Map(
  (existsSync(journal) ? readFileSync(journal, "utf8").split("\n").filter(Boolean) : [])
    .map((line) => JSON.parse(line))
    .filter((piece) => piece.version === version)
    .map((piece) => [`${piece.seed} ${piece.count}`, piece.seconds]),
);

let seconds = 0;
for (let done = 0, seed = first; done < runs; done += atOnce, seed++) {
  const count = Math.min(atOnce, runs - done);
  const before = passed.get(`${seed} ${count}`);
  if (before !== undefined) {
    seconds += before;
    continue;
  }
  console.log(`check:networks: ${count} networks from seed ${seed}; ${done} of ${runs} done`);
  const start = performance.now();
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
  const took = Math.round((performance.now() - start) / 1000);
  seconds += took;
  appendFileSync(journal, `${JSON.stringify({ seed, count, seconds: took, version })}\n`);
}
console.log(`check:networks: ${runs} networks kept every promise, in ${seconds} s`);
