// npm run check:jobs [-- --engines local,snakemake,slurm --kills 50 --seed 1]: the plan of the small scale's accuracies, with
// cells that measure nothing, under random kills of jobs, of what runs them and of the engine. No cell may be lost or doubled,
// and the tables must be those of an undisturbed run, byte for byte. Snakemake comes into a virtual environment of its own,
// .cache/jobs; Slurm is Debian's (slurmctld slurmd slurm-client munge), one node, started here.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { noSlurm, startSlurm } from "./slurm.mjs";

const require = createRequire(import.meta.url);
const { seededRandom } = require("../../../../kernel/lib/pq/random.js");
const root = resolve(import.meta.dirname, "../../../..");
const program = join(root, "kernel/bin/lutnn.js");
const venv = join(root, ".cache/jobs/venv");
const packages = ["snakemake==9.27.1", "snakemake-executor-plugin-slurm==2.8.0"];

const { values } = parseArgs({
  options: {
    engines: { type: "string", default: "local,snakemake,slurm" },
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
  },
});
const wantedKills = Number(values.kills);
const random = seededRandom(Number(values.seed), "check jobs");
const plan = ["reproduce", "accuracy", "--scale", "rehearsal", "--seeds", "2"];
const outputs = ["accuracy.csv", "accuracy.json", "accuracy.md", "accuracy.svg", "index.html"];

function installSnakemake() {
  if (existsSync(join(venv, "bin/snakemake"))) return;
  mkdirSync(join(venv, ".."), { recursive: true });
  for (const [command, ...words] of [
    ["python3", "-m", "venv", venv],
    [join(venv, "bin/pip"), "install", "-q", ...packages],
  ])
    if (spawnSync(command, words, { stdio: "inherit" }).status !== 0)
      throw new Error(`${command} ${words.join(" ")} failed`);
}

/** How each engine is started on a folder, once before and whenever it was killed. */
const engines = {
  local: (out) => ({
    prepare: () => {},
    command: [process.execPath, program, ...plan, "--out", out, "--cores", "2", "--jobs", "2"],
    unlock: () => {},
  }),
  snakemake: (out) => snakemake(out, ["--workflow-profile", "local", "--cores", "2"]),
  slurm: (out) =>
    snakemake(out, [
      ...["--workflow-profile", "slurm", "--jobs", "4", "--latency-wait", "10"],
      ...["--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1"],
      ...["--slurm-status-command", "squeue", "--slurm-no-account"],
      ...["--default-resources", "slurm_partition=main", "runtime=10", "mem_mb=500"],
    ]),
};

function snakemake(out, options) {
  const folder = join(out, "workflow");
  const words = options.map((word, at) =>
    options[at - 1] === "--workflow-profile" ? join(folder, "profiles", word) : word,
  );
  const command = [
    join(venv, "bin/snakemake"),
    ...["--directory", folder, "--snakefile", join(folder, "Snakefile")],
    ...words,
  ];
  const quiet = { stdio: "ignore", env: environment };
  return {
    prepare: () => {
      const made = spawnSync(
        process.execPath,
        [program, ...plan, "--engine", "snakemake", "--cores", "1", "--out", out],
        quiet,
      );
      if (made.status !== 0) throw new Error("the workflow was not written");
    },
    command,
    unlock: () => spawnSync(command[0], [...command.slice(1), "--unlock"], quiet),
  };
}

let environment = process.env;

const names = (folder) => (existsSync(folder) ? readdirSync(folder) : []);

/** Processes that hold a cell, by the markers' names. */
const holders = (store) =>
  names(store).flatMap((key) =>
    names(join(store, key)).flatMap((name) => {
      const [, pid] = /^lease\.\d+\.[0-9a-f]{8}-(\d+)-/.exec(name) ?? [];
      return pid === undefined ? [] : [Number(pid)];
    }),
  );

/** The parent of a process, 0 where it has ended. */
function parentOf(pid) {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false; // it ended by itself
  }
}

/** Kills one of what runs: a cell, the process above it unless that is the engine or none of ours, or the engine. */
function strike(engine, store) {
  const found = holders(store);
  if (found.length === 0) return null;
  const dice = random();
  const cell = found[Math.floor(random() * found.length)];
  if (dice < 0.25) return kill(engine.pid) ? "engine" : null;
  const above = parentOf(cell);
  const isRunner = above > 1 && above !== engine.pid && above !== process.pid;
  if (dice < 0.5 && isRunner) return kill(above) ? "runner" : null;
  return kill(cell) ? "job" : null;
}

function start([command, ...words]) {
  const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"], env: environment });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (part) => {
      said = (said + part).slice(-20_000);
    });
  const ended = new Promise((done) => child.once("close", (code, signal) => done({ code, signal, said })));
  return { child, ended };
}

const read = (out) => outputs.map((name) => readFileSync(join(out, name), "utf8"));

function fault(calm, out) {
  const [store, wanted] = [join(out, "cells"), join(calm, "cells")];
  if (names(store).sort().join() !== names(wanted).sort().join()) return "other cells than undisturbed";
  for (const key of names(store)) {
    const states = names(join(store, key)).filter((name) => /^(lease|done)\./.test(name));
    if (states.length !== 1 || !states[0].startsWith("done.")) return `${key} is ${states.join(" and ")}`;
  }
  const [a, b] = [read(calm), read(out)];
  const other = outputs.find((_, at) => a[at] !== b[at]);
  return other ? `${other} has other bytes than undisturbed` : null;
}

/** One run of the whole plan under kills; answers with what was hit. */
async function round(name, calm, left) {
  const out = mkdtempSync(join(tmpdir(), "lutnn-jobs-"));
  const { prepare, command, unlock } = engines[name](out);
  prepare();
  const hit = { job: 0, runner: 0, engine: 0 };
  let { child, ended } = start(command);
  let running = true;
  let last = null;
  const follow = (whole) =>
    whole.then((end) => {
      last = end;
      running = false;
    });
  let followed = follow(ended);
  for (let restarts = 0; ; ) {
    await delay(20 + 200 * random());
    const total = hit.job + hit.runner + hit.engine;
    if (running && total < left) {
      const what = strike(child, join(out, "cells"));
      if (what) hit[what]++;
      continue;
    }
    await followed;
    if (last.code === 0) break;
    if (++restarts > left + 5) throw new Error(`${name} does not end: ${last.said}`);
    unlock();
    ({ child, ended } = start(command));
    running = true;
    followed = follow(ended);
  }
  const wrong = fault(calm, out);
  if (wrong) throw new Error(`${name}: ${wrong} (see ${out})`);
  rmSync(out, { recursive: true });
  return hit;
}

const calm = mkdtempSync(join(tmpdir(), "lutnn-calm-"));
const undisturbed = await start(engines.local(calm).command).ended;
if (undisturbed.code !== 0) throw new Error(undisturbed.said);
console.log(`undisturbed: ${names(join(calm, "cells")).length} cells`);
for (const name of values.engines.split(",")) {
  if (!(name in engines)) throw new Error(`--engines knows ${Object.keys(engines).join(", ")} (got ${name})`);
  if (name !== "local") installSnakemake();
  const reason = name === "slurm" ? noSlurm() : null;
  if (reason) {
    console.log(`slurm: not checked: ${reason}`);
    continue;
  }
  const folder = mkdtempSync(join(tmpdir(), "lutnn-slurm-"));
  const slurm = name === "slurm" ? await startSlurm(folder) : null;
  environment = slurm?.env ?? process.env;
  const begin = performance.now();
  const all = { job: 0, runner: 0, engine: 0 };
  let rounds = 0;
  try {
    for (let total = 0; total < wantedKills; rounds++) {
      const hit = await round(name, calm, wantedKills - total);
      for (const what of Object.keys(all)) all[what] += hit[what];
      const now = all.job + all.runner + all.engine;
      if (now === total) throw new Error(`${name}: nothing was hit in a whole run`);
      total = now;
    }
  } finally {
    await slurm?.end();
    environment = process.env;
  }
  rmSync(folder, { recursive: true });
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  console.log(
    `${name}: ${all.job} jobs, ${all.runner} runners, ${all.engine} engines killed in ${rounds} runs; no cell lost or doubled, the same bytes (${seconds} s)`,
  );
}
rmSync(calm, { recursive: true });
