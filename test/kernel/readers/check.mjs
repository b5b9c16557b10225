// npm run check:readers -- --each 100000 [--seed S --only tar,mat]: so many mutated files for each reader of data sets, in
// processes of ten thousand each. It can be stopped and goes on where it was: what has passed stands in out/readers.jsonl,
// and counts as long as the library and these tests are the same.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { digest, filesUnder } from "../mutants/reach.mjs";

const root = resolve(import.meta.dirname, "../../..");
const atOnce = 10_000;

const { values } = parseArgs({
  options: {
    each: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
  },
});
const [each, first] = [values.each, values.seed].map(Number);
if (!(Number.isInteger(each) && each > 0 && Number.isInteger(first))) {
  console.error(
    `check:readers: --each and --seed must be whole numbers (got ${values.each} and ${values.seed})`,
  );
  process.exit(2);
}

mkdirSync(join(root, "out"), { recursive: true });
const journal = join(root, "out/readers.jsonl");
const code = [
  ...filesUnder(join(root, "kernel/lib"), ".js"),
  ...filesUnder(import.meta.dirname, ".ts"),
  ...filesUnder(import.meta.dirname, ".py"),
];
const version = digest(...code.map((file) => readFileSync(file, "utf8")));
const keyOf = ({ seed, count, only }) => `${seed} ${count} ${only}`;
const passed = new Map(
  (existsSync(journal) ? readFileSync(journal, "utf8").split("\n").filter(Boolean) : [])
    .map((line) => JSON.parse(line))
    .filter((piece) => piece.version === version)
    .map((piece) => [keyOf(piece), piece.seconds]),
);

let seconds = 0;
for (let done = 0, seed = first; done < each; done += atOnce, seed++) {
  const piece = { version, seed, count: Math.min(atOnce, each - done), only: values.only };
  const before = passed.get(keyOf(piece));
  if (before !== undefined) {
    seconds += before;
    continue;
  }
  console.log(
    `check:readers: ${piece.count} files for each reader from seed ${seed}; ${done} of ${each} done`,
  );
  const start = performance.now();
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      ...["run", "--config", "test/vitest.config.mjs", "test/kernel/readers"],
    ],
    {
      cwd: root,
      stdio: "inherit",
      env: {
        ...process.env,
        LUTNN_READERS: String(piece.count),
        LUTNN_READERS_SEED: String(seed),
        ...(values.only ? { LUTNN_READERS_ONLY: values.only } : {}),
      },
    },
  );
  if (status !== 0) {
    console.error(
      `check:readers: a file of seed ${seed} was neither read nor refused in a sentence (see above)`,
    );
    process.exit(1);
  }
  const took = (performance.now() - start) / 1000;
  seconds += took;
  appendFileSync(journal, `${JSON.stringify({ ...piece, seconds: took })}\n`);
}
console.log(`check:readers: ${each} mutated files for each reader passed (${Math.round(seconds)} s)`);
