// npm run paper -- TABLE… [--again] [--busy] [--as-is]: measures what is missing of some of the paper's tables in .cache/paper/cells, then
// executes their notebooks on what is there and writes them to notebooks/executed/paper, and the results to cells/ there, from
// which another checkout takes them up: what is measured once is not measured again, wherever that was.
//   --again   times are taken anew, files and trained networks stay
//   --busy    takes times though other programs run
//   --as-is   measures nothing, executes the notebooks on what is there
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, loadavg } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const root = resolve(import.meta.dirname, "..");
const program = join(root, "kernel/bin/lutnn.js");
const [cache, executed] = [join(root, ".cache"), join(import.meta.dirname, "executed/paper")];
const store = join(cache, "paper/cells");
const results = join(executed, "cells");
/** Tables whose cells nothing may run beside. */
const timed = ["latency", "operators", "memory", "power"];
/** The share of the processors that others may use while times are taken. */
const quiet = 0.5;

const { values, positionals: tables } = parseArgs({
  allowPositionals: true,
  options: {
    again: { type: "boolean", default: false },
    busy: { type: "boolean", default: false },
    "as-is": { type: "boolean", default: false },
  },
});
process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
const require = createRequire(import.meta.url);
const { paper } = require("../kernel/lib/index.js");
const { writeFileWhole } = require("../kernel/lib/files/writeFile.js");
const notebooks = new Map(
  readdirSync(join(import.meta.dirname, "paper")).map((name) => [name.slice(3, -6), name]),
);

function refuse(sentence) {
  console.error(`npm run paper: ${sentence}`);
  process.exit(2);
}

if (tables.length === 0 || !tables.every((table) => notebooks.has(table)))
  refuse(`the tables must be some of ${paper.tableNames.join(", ")} (got ${tables.join(", ") || "none"})`);
const isTimed = tables.some((table) => timed.includes(table));
const load = loadavg()[0];
if (isTimed && !values.busy && !values["as-is"] && load > quiet * availableParallelism())
  refuse(
    `times need a machine with a load of at most ${quiet * availableParallelism()} (got ${load.toFixed(2)}); wait, or pass --busy`,
  );

const cells = new paper.CellStore(store);

/** Takes the results of a table's timed cells out of the store. */
function forgetTimes(table) {
  for (const cell of paper.specsOf(table, {}).flatMap(paper.cellsOf))
    if (["inference", "operators"].includes(cell.kind))
      rmSync(cells.folderOf(cell), { recursive: true, force: true });
}

/** Writes what is done of a table's cells, and of those that they start from, where another checkout finds it. */
async function publish(table) {
  for (const { key, cell, isDone } of await paper.makePlan(paper.specsOf(table, {}), cells)) {
    const result = await cells.result(cell);
    const text = `${JSON.stringify(result, null, 1)}\n`;
    if (isDone) await writeFileWhole(join(results, `${key}.json`), text, "npm run paper");
  }
}

mkdirSync(results, { recursive: true });
await cells.adoptAll(results);
if (values.again) for (const table of tables) forgetTimes(table);

const run = (...words) =>
  spawnSync(process.execPath, [program, ...words], { stdio: "inherit", cwd: root }).status;
let hasFailed = false;
for (const table of tables) {
  const words = ["--scale", "small", "--out", join(cache, "paper"), "--store", store];
  const measured = run("reproduce", table, ...words, "--engine", values["as-is"] ? "none" : "local");
  await publish(table);
  const name = notebooks.get(table);
  // A notebook looks for the store below the folder that its outputs go to.
  const shown = run("run", join(import.meta.dirname, "paper", name), "--output", cache);
  if (shown === 0) copyFileSync(join(cache, name), join(executed, name));
  hasFailed ||= measured !== 0 || shown !== 0;
}
process.exit(hasFailed ? 1 : 0);
