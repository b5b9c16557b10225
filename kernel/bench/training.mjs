// Training speed against the targets: npm run bench:training [-- --json] [--only steps,layers,memory,calibration]
//
// Dense and soft-PQ steps take turns in one process, batch 64, with the same fast batch norm, optimiser and threads; the
// networks have all 3×3 convolutions but the first replaced, V = 9 and K = 16. A layer's step is forward and all
// gradients. Peak memory is that of a process with one of the two alone, less what was resident before the network was
// made. "bert-layer" is a whole encoder layer with its attention, "bert 768→3072" one linear map of it on 4,096 tokens.
// Where other processes kept the processors busy meanwhile, times are verdicts' worth no more: then processor time
// (of all threads) decides, and it is said.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { cpus, release } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));
const parts = ["steps", "layers", "memory", "calibration"];
const { values: options } = parseArgs({ options: { json: { type: "boolean" }, only: { type: "string" } } });
const only = options.only?.split(",") ?? parts;
if (only.some((part) => !parts.includes(part))) {
  console.error(`bench:training: --only takes some of ${parts.join(",")} (got ${options.only})`);
  process.exit(2);
}

const { batch, contenders, tf } = await import("./networks.mjs");
const { Table } = require("../lib/charts/table.js");
const { describeTraining, trainingStatus } = require("../lib/compute/trainingBackend.js");

/** Soft-PQ steps in dense steps, and how much more memory they may take. */
const networks = ["resnet20-w16", "vgg11-small", "bert-layer"];
const limits = { "resnet20-w16": 2, "vgg11-small": 1.3, "bert-layer": 0.6 };
Object.assign(limits, { "bert 768→768": 0.6, "bert 768→3072": 0.6, "bert 3072→768": 0.6 });
const memoryLimit = 1.2;
const calibrationLimit = 60;
/** Share of the processors that others may use before times no longer decide. */
const quiet = 0.1;
const warmUps = 1;
const leastRounds = 5;
const secondsFor = { network: 15, layer: 3 };

/** [of all processes, of this one] in processor milliseconds so far. */
function processorTime() {
  const all = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  const { user, system } = process.cpuUsage();
  return [all, (user + system) / 1000];
}

function watchOthers() {
  const [all, own] = processorTime();
  const start = performance.now();
  return (childMilliseconds = 0) => {
    const [allNow, ownNow] = processorTime();
    const others = allNow - all - (ownNow - own) - childMilliseconds;
    return Math.max(0, others / (cpus().length * (performance.now() - start)));
  };
}

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
}

function timed(step) {
  const { user, system } = process.cpuUsage();
  const start = performance.now();
  step();
  const ms = performance.now() - start;
  const after = process.cpuUsage();
  return { ms, processor: (after.user + after.system - user - system) / 1000 };
}

async function timeSteps(name, kind) {
  const steps = await contenders[name]("both");
  const others = watchOthers();
  const rounds = [];
  const end = performance.now() + secondsFor[kind] * 1000;
  for (let round = -warmUps; round < leastRounds || performance.now() < end; round++) {
    const dense = timed(steps.dense);
    const softPq = timed(steps.softPq);
    if (round >= 0) rounds.push({ dense, softPq });
  }
  const of = (pick) => spread(rounds.map(pick));
  const denseMs = of(({ dense }) => dense.ms);
  const softPqMs = of(({ softPq }) => softPq.ms);
  return {
    name,
    kind,
    rounds: rounds.length,
    denseMs: denseMs.median,
    softPqMs: softPqMs.median,
    denseMsQuartiles: [denseMs.lower, denseMs.upper],
    softPqMsQuartiles: [softPqMs.lower, softPqMs.upper],
    ratio: of(({ dense, softPq }) => softPq.ms / dense.ms),
    denseProcessorMs: of(({ dense }) => dense.processor).median,
    softPqProcessorMs: of(({ softPq }) => softPq.processor).median,
    processorRatio: of(({ dense, softPq }) => softPq.processor / dense.processor),
    others: others(),
    densePeakBytes: null,
    softPqPeakBytes: null,
  };
}

/** Runs a script of this folder in a process of its own → the JSON that it prints. */
function inProcess(script, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(here, script), ...args], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`bench:training: ${script} ${args.join(" ")} failed: ${stderr}`);
  return JSON.parse(stdout);
}

const progress = (text) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};

/** `range` against the limit: holds, fails, or within noise where the limit lies inside the range. */
function verdict(target, { median, lower, upper }, limit, by) {
  const result = upper <= limit ? "holds" : lower > limit ? "fails" : "within noise";
  return { target, value: median, range: [lower, upper], limit, by, result };
}

const rows = [];
const verdicts = [];
const names = Object.keys(contenders);
for (const name of names) {
  const kind = networks.includes(name) ? "network" : "layer";
  if (!only.includes(kind === "network" ? "steps" : "layers")) continue;
  progress(`${name} …`);
  const row = await timeSteps(name, kind);
  rows.push(row);
  if (!(name in limits)) continue;
  const busy = row.others > quiet;
  verdicts.push(
    verdict(
      `${name}: soft-PQ step in dense steps`,
      busy ? row.processorRatio : row.ratio,
      limits[name],
      busy ? "processor time" : "time",
    ),
  );
}
if (only.includes("memory"))
  for (const name of networks) {
    progress(`${name}, memory …`);
    const [dense, softPq] = ["dense", "softPq"].map(
      (which) => inProcess("peakMemory.mjs", name, which, "3").bytes,
    );
    const known = rows.find((row) => row.name === name);
    const row = known ?? { name, kind: "network" };
    if (!known) rows.push(row);
    Object.assign(row, { densePeakBytes: dense, softPqPeakBytes: softPq });
    const ratio = softPq / dense;
    verdicts.push(
      verdict(
        `${name}: peak memory in dense ones`,
        { median: ratio, lower: ratio, upper: ratio },
        memoryLimit,
        "resident bytes",
      ),
    );
  }
let calibration = null;
if (only.includes("calibration")) {
  progress("calibration …");
  const others = watchOthers();
  calibration = inProcess("calibration.mjs");
  calibration.others = others(calibration.processorSeconds * 1000);
  const busy = calibration.others > quiet;
  // On an idle machine it takes at most its processor time.
  const value = busy ? calibration.processorSeconds : calibration.seconds;
  verdicts.push(
    verdict(
      "ResNet18: k-means calibration on 1,024 images, seconds",
      { median: value, lower: value, upper: value },
      calibrationLimit,
      busy ? "processor time, which on an idle machine is the most it takes" : "time",
    ),
  );
}
progress("");

const training = trainingStatus();
const report = {
  command: `npm run bench:training${options.only ? ` -- --only ${options.only}` : ""}`,
  date: new Date().toISOString().slice(0, 10),
  machine: {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    system: `${process.platform}-${process.arch} ${release()}`,
  },
  versions: {
    node: process.versions.node,
    tfjs: require("@tensorflow/tfjs-node/package.json").version,
    tensorflow: tf.backend().binding.TF_Version,
  },
  training: { ...training, description: describeTraining(training) },
  batch,
  rows,
  calibration,
  verdicts,
};

if (options.json) console.log(JSON.stringify(report, null, 2));
else {
  const { machine, versions } = report;
  const number = (value, digits = 1) => value.toFixed(digits);
  const range = ({ median, lower, upper }) =>
    `${number(median, 2)} (${number(lower, 2)}–${number(upper, 2)})`;
  console.log(
    `${report.command}, ${report.date}\n${machine.processor}, ${machine.cores} cores, ${machine.system}; Node ${versions.node}, tf.js ${versions.tfjs} on TensorFlow ${versions.tensorflow}\nsoft-PQ by ${report.training.description}${training.backend === "native" ? `, ${training.threads} threads` : ""}; batch ${batch}; medians (quartiles) of dense and soft-PQ steps in turn\n`,
  );
  const timedRows = rows.filter((row) => row.denseMs !== undefined);
  if (timedRows.length > 0)
    console.log(
      `${new Table(
        ["step", "dense ms", "soft-PQ ms", "ratio", "ratio, processor time", "others' load"],
        timedRows.map((row) => [
          row.name,
          `${number(row.denseMs)} (${row.denseMsQuartiles.map((ms) => number(ms)).join("–")})`,
          `${number(row.softPqMs)} (${row.softPqMsQuartiles.map((ms) => number(ms)).join("–")})`,
          range(row.ratio),
          range(row.processorRatio),
          `${number(100 * row.others, 0)} %`,
        ]),
      )}\n`,
    );
  const measured = rows.filter((row) => row.densePeakBytes);
  if (measured.length > 0)
    console.log(
      `${new Table(
        ["peak memory", "dense MB", "soft-PQ MB", "ratio"],
        measured.map(({ name, densePeakBytes, softPqPeakBytes }) => [
          name,
          number(densePeakBytes / 1e6, 0),
          number(softPqPeakBytes / 1e6, 0),
          number(softPqPeakBytes / densePeakBytes, 2),
        ]),
      )}\n`,
    );
  if (calibration)
    console.log(
      `k-means calibration of ResNet18 (${calibration.layers} layers) on ${calibration.images} images: ${number(calibration.seconds)} s, of all threads ${number(calibration.processorSeconds)} s, others' load ${number(100 * calibration.others, 0)} %\n`,
    );
  for (const {
    target,
    value,
    range: [lower, upper],
    limit,
    by,
    result,
  } of verdicts)
    console.log(
      `${result}: ${target} ${number(value, 2)}${lower < upper ? ` (${number(lower, 2)}–${number(upper, 2)})` : ""}, target at most ${limit}, by ${by}`,
    );
}
