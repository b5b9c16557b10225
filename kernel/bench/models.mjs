// npm run bench:models [-- --only TEXT --threads 1,2 --batch 1,8 --rounds 3 --runs 20 --json]: whole networks by lookup
// against ONNX Runtime and OpenVINO. With --made FOLDER the one network that --only names is measured by the files there,
// which modelFiles.mjs and models.py have made. Each row is measured in processes of its own, pinned where the system can, in turns
// with the others of its network. One ONNX Runtime, that of .venv, runs all but OpenVINO, whose package is no part of the
// set-up: .venv/bin/pip install --no-deps openvino==2026.4.1
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { venvBin } from "../install/workspace.mjs";
import { judge, targetsText } from "./modelTargets.mjs";

const require = createRequire(import.meta.url);
const here = import.meta.dirname;
const python = venvBin("python");
const libraries = { linux: "liblutnn_ort.so", darwin: "liblutnn_ort.dylib", win32: "Release/lutnn_ort.dll" };
const library = join(dirname(require.resolve("lutnn-native")), "build", libraries[process.platform]);

const { values: given } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    threads: { type: "string", default: "1,2" },
    batch: { type: "string", default: "1,8" },
    rounds: { type: "string", default: "3" },
    runs: { type: "string", default: "20" },
    json: { type: "boolean", default: false },
    made: { type: "string" },
  },
});
/** Whole numbers from 1 with commas between them. */
function numbers(name) {
  const read = given[name].split(",").map(Number);
  if (read.every((one) => Number.isInteger(one) && one >= 1)) return read;
  console.error(`bench:models: --${name} must be whole numbers from 1 (got ${given[name]})`);
  process.exit(2);
}
const [threadCounts, batches] = [numbers("threads"), numbers("batch")];
const [[rounds], [runs]] = [numbers("rounds"), numbers("runs")];

/**
 * Networks by the sizes of their images, or by tokens (the paper counts 64); of bert12 the last six encoder layers are
 * replaced, else all.
 */
const sizes = {
  resnet18: [32, 224],
  senet18: [32, 224],
  vgg11: [32, 224],
  bert6: [64, 128],
  bert12: [128],
  minilm: [32, 128],
};
const nameOf = ({ name, size }) => `${name}-${size}`;
const networks = Object.entries(sizes).flatMap(([name, all]) => all.map((size) => ({ name, size })));
const hasOpenvino = spawnSync(python, ["-c", "import openvino"]).status === 0;
/**
 * Variants and the files that they run: `integers` are lookups whose codes are defined in integers, `remainder` also has the rest in
 * INT8, and in `shared`, of transformers, query, key and value have one codebook.
 */
const variants = {
  fp32: "dense.onnx",
  "ort-int8": "int8.onnx",
  "lut-functions": "lookups.onnx",
  "lut-native": "lookups.onnx",
  "lut-native-integers": "integers.onnx",
  "lut-native-int8": "remainder.onnx",
  "lut-native-shared": "shared.onnx",
  ...(hasOpenvino ? { "openvino-int8": "int8.onnx" } : {}),
};

/** The command in front of a process that keeps it on the first processors. */
const pinned = (threads) =>
  process.platform === "linux" && spawnSync("taskset", ["--version"]).status === 0
    ? ["taskset", "-c", threads === 1 ? "0" : `0-${threads - 1}`]
    : [];

function measure(variant, file, threads, batch) {
  const words = [...pinned(threads), python, join(here, "models.py"), "row", variant, file, library];
  const [program, ...rest] = [...words, threads, batch, runs].map(String);
  return JSON.parse(execFileSync(program, rest, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
}

/** The value below which a share of the numbers lies. */
function quantile(sorted, share) {
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

/** Of native lookups each operator's least time of all turns, the slowest first, and lookups and everything else apart. */
function leastByOperator(turns) {
  if (turns[0].operators === null) return { operators: null, replacedMs: null, restMs: null };
  const least = new Map();
  for (const [operator, nodes, ms] of turns.flatMap(({ operators }) => operators))
    least.set(operator, [nodes, Math.min(ms, least.get(operator)?.[1] ?? ms)]);
  const operators = [...least].map(([operator, [nodes, ms]]) => [operator, nodes, ms]);
  const sum = (isWanted) =>
    operators.filter(([operator]) => isWanted(operator)).reduce((all, [, , ms]) => all + ms, 0);
  return {
    operators: operators.sort((a, b) => b[2] - a[2]),
    replacedMs: sum((operator) => operator.startsWith("Lut")),
    restMs: sum((operator) => !operator.startsWith("Lut")),
  };
}

function rowOf(model, variant, threads, batch, file, turns) {
  const wall = turns.flatMap(({ wallMs }) => wallMs).sort((a, b) => a - b);
  const busy = turns.flatMap(({ processorMs }) => processorMs);
  const peaks = turns.map(({ peakBytes }) => peakBytes).filter((bytes) => bytes !== null);
  return {
    model,
    variant,
    threads,
    batch,
    medianMs: quantile(wall, 0.5),
    spreadMs: quantile(wall, 0.75) - quantile(wall, 0.25),
    fastestMs: wall[0],
    processorMs: Math.min(...busy),
    createMs: quantile(
      turns.map(({ createMs }) => createMs).sort((a, b) => a - b),
      0.5,
    ),
    ...leastByOperator(turns),
    peakBytes: peaks.length > 0 ? Math.min(...peaks) : null,
    watts: turns.some(({ watts }) => watts === null)
      ? null
      : turns.reduce((sum, { watts }) => sum + watts, 0) / turns.length,
    noWatts: turns.find(({ noWatts }) => noWatts !== null)?.noWatts ?? null,
    fileBytes: statSync(file).size,
  };
}

function makeFiles({ name, size }, folder) {
  const quiet = { stdio: ["ignore", "ignore", "pipe"] };
  execFileSync(process.execPath, [join(here, "modelFiles.mjs"), folder, name, String(size)], quiet);
  const [dense, int8] = ["fp32", "ort-int8"].map((variant) => join(folder, variants[variant]));
  execFileSync(python, [join(here, "models.py"), "quantize", dense, int8], quiet);
}

function measureNetwork(network, folder) {
  const file = (variant) => join(folder, variants[variant]);
  return threadCounts.flatMap((threads) =>
    batches.flatMap((batch) => {
      const made = Object.keys(variants).filter((variant) => existsSync(file(variant)));
      const turns = new Map(made.map((variant) => [variant, []]));
      for (let round = 0; round < rounds; round++)
        for (const [variant, all] of turns) all.push(measure(variant, file(variant), threads, batch));
      return [...turns].map(([variant, all]) =>
        rowOf(nameOf(network), variant, threads, batch, file(variant), all),
      );
    }),
  );
}

const head = [
  "model",
  "variant",
  "threads",
  "batch",
  "median ms",
  "spread",
  "fastest",
  "processor",
  "replaced",
  "rest",
  "MB over idle",
  "file MB",
];
const text = (row) =>
  [
    row.model,
    row.variant,
    row.threads,
    row.batch,
    ...[row.medianMs, row.spreadMs, row.fastestMs, row.processorMs].map((ms) => ms.toFixed(2)),
    ...[row.replacedMs, row.restMs].map((ms) => (ms === null ? "–" : ms.toFixed(2))),
    row.peakBytes === null ? "–" : (row.peakBytes / 1e6).toFixed(0),
    (row.fileBytes / 1e6).toFixed(1),
  ].join(" | ");

/** Whether the engines were told to leave instructions out: OpenVINO by oneDNN's variable, lookups by ours. */
const limits = ["ONEDNN_MAX_CPU_ISA", "LUTNN_FORCE_ISA"].filter((name) => process.env[name]);
const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.versions.node}, ${execFileSync(python, ["-c", "import onnxruntime; print('ONNX Runtime', onnxruntime.__version__)"], { encoding: "utf8" }).trim()}${limits.map((name) => `, ${name}=${process.env[name]}`).join("")}`;
const missing = hasOpenvino ? [] : ["openvino-int8 is left out: the package openvino is not in .venv"];
const rows = [];
if (!given.json)
  console.log(
    `${machine}\n${[...missing, ""].join("\n")}| ${head.join(" | ")} |\n|${head.map(() => "---").join("|")}|`,
  );
const chosen = networks.filter((network) => nameOf(network).includes(given.only));
if (given.made !== undefined && chosen.length !== 1) {
  console.error(
    `bench:models: --made needs --only to name one of ${networks.map(nameOf).join(", ")} (it names ${chosen.length} of them)`,
  );
  process.exit(2);
}
for (const network of chosen) {
  const folder = given.made ?? mkdtempSync(join(tmpdir(), "lutnn-models-"));
  try {
    if (given.made === undefined) makeFiles(network, folder);
    const made = measureNetwork(network, folder);
    rows.push(...made);
    if (!given.json) for (const row of made) console.log(`| ${text(row)} |`);
  } finally {
    if (given.made === undefined) rmSync(folder, { recursive: true });
  }
}
const targets = judge(rows);
if (given.json) console.log(JSON.stringify({ machine, missing, rows, targets }, null, 2));
else console.log(`\n${targetsText(targets)}`);
