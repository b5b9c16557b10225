// What every verb of a conversion takes at the size of the paper's networks: npm run bench:conversion [-- --json]
//   [--only resnet18,growth] [--images 1024] [--verbs save,kmeans]
//
// Each row is a process of its own (conversionRow.mjs): seconds by the clock, processor seconds of all threads, and by how
// much the resident memory grew at most while the verb ran, the networks being there. Rows of a network but convert, train
// and the calibrations begin with all its layers replaced by k-means. "growth" doubles images, width and depth of a small
// ResNet18 in turn and shows how many times the processor seconds and the memory are what they were; twice the width is
// four times a layer's operations. On a busy machine processor seconds say more than the clock, and it is said.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

if (!existsSync(new URL("../lib/index.js", import.meta.url))) {
  console.error("lutnn is not built yet. In the checkout, run: npm run setup");
  process.exit(1);
}
process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
const { Table } = createRequire(import.meta.url)("../lib/charts/table.js");
const row = fileURLToPath(new URL("./conversionRow.mjs", import.meta.url));

const networks = ["resnet18", "vgg11", "senet18", "resnet18-224"];
const parts = [...networks, "growth"];
/** Images that each verb takes at full size, times `--images` / 1,024; the first row stores what later ones open. */
const imagesOf = {
  kmeans: 1024,
  convert: 0,
  train: 192,
  leastSquares: 1024,
  "replace all": 0,
  "replace one by one": 0,
  "restore one by one": 0,
  "error accumulation": 1024,
  "fine-tune": 192,
  sensitivity: 512,
  plan: 256,
  save: 0,
  "checked save": 0,
  store: 0,
  "open conversion": 0,
  "verify native": 8,
};
const verbs = Object.keys(imagesOf);
/** What the issue asks for: seconds on two cores, processor seconds, bytes. */
const limits = {
  "resnet18/leastSquares": { seconds: 120 },
  "vgg11/leastSquares": { seconds: 120 },
  "resnet18-224/leastSquares": { peakBytes: 2 ** 30 },
  "resnet18/save": { processorSeconds: 0.3 },
};
/** Verbs whose memory may be so many times that of a few steps of training the dense network. */
const asTraining = ["error accumulation", "fine-tune", "sensitivity", "plan", "verify native"];
const trainingLimit = 1.5;
const growing = [
  "kmeans",
  "leastSquares",
  "error accumulation",
  "fine-tune",
  "sensitivity",
  "plan",
  "save",
  "verify native",
];

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean" },
    only: { type: "string" },
    verbs: { type: "string" },
    images: { type: "string", default: "1024" },
  },
});
const chosen = (name, given, all) => {
  const list = given?.split(",") ?? all;
  const wrong = list.find((one) => !all.includes(one));
  if (wrong === undefined) return list;
  console.error(`bench:conversion: --${name} takes some of ${all.join(",")} (got ${wrong})`);
  return process.exit(2);
};
const only = chosen("only", options.only, parts);
const wanted = chosen("verbs", options.verbs, verbs);
const share = Number(options.images) / 1024;
if (!(share > 0)) {
  console.error(`bench:conversion: --images must be a number above 0 (got ${options.images})`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "lutnn-bench-"));
const progress = (text) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};

/** Runs one row; a verb that fails is a row with its reason. */
function measure(network, verb, { images, width, blocks } = {}) {
  progress(`${network} ${verb}`);
  const given = { network, verb, images, width, blocks, folder };
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--expose-gc", row, JSON.stringify(given)],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`bench:conversion: ${network} ${verb} failed: ${stderr.slice(-2000)}`);
  return { network, verb, images, width, blocks, ...JSON.parse(stdout.trim().split("\n").pop()) };
}

const scaled = (verb) => (imagesOf[verb] === 0 ? 0 : Math.max(1, Math.round(imagesOf[verb] * share)));

function measureNetwork(network) {
  // k-means makes the conversion that most rows begin with.
  const needed = verbs.filter((verb) => verb === "kmeans" || wanted.includes(verb));
  return needed.map((verb) => measure(network, verb, { images: scaled(verb) }));
}

const small = { images: 128, width: 16, blocks: 1 };
const doubled = { images: { images: 256 }, width: { width: 32 }, depth: { blocks: 2 } };

function measureGrowth() {
  const tried = growing.filter((verb) => wanted.includes(verb));
  const of = (sizes) => {
    measure("resnet18", "kmeans", sizes);
    return new Map(tried.map((verb) => [verb, measure("resnet18", verb, sizes)]));
  };
  const before = of(small);
  const after = Object.entries(doubled).map(([name, change]) => [name, of({ ...small, ...change })]);
  return tried.map((verb) => ({
    verb,
    processorSeconds: before.get(verb).processorSeconds,
    peakBytes: before.get(verb).peakBytes,
    growth: Object.fromEntries(
      after.map(([name, rows]) => [
        name,
        {
          processorSeconds: rows.get(verb).processorSeconds / before.get(verb).processorSeconds,
          peakBytes: rows.get(verb).peakBytes / before.get(verb).peakBytes,
        },
      ]),
    ),
  }));
}

const megabytes = (bytes) => Math.round(bytes / 1e6);

/** What is asked of a row beside what it took; null where nothing is. */
function verdict({ network, verb, ...measured }, training) {
  const limit = { ...limits[`${network}/${verb}`] };
  if (training && asTraining.includes(verb))
    limit.peakBytes = Math.min(
      limit.peakBytes ?? Number.POSITIVE_INFINITY,
      trainingLimit * training.peakBytes,
    );
  if (share !== 1) delete limit.seconds;
  const missed = Object.keys(limit).filter((name) => measured[name] > limit[name]);
  if (Object.keys(limit).length === 0) return null;
  const text = Object.entries(limit)
    .map(([name, value]) =>
      name === "peakBytes"
        ? `≤ ${megabytes(value)} MB`
        : `≤ ${value} ${name === "seconds" ? "s" : "processor s"}`,
    )
    .join(", ");
  return `${text}: ${missed.length === 0 ? "holds" : "fails"}`;
}

try {
  const rows = networks.filter((name) => only.includes(name)).flatMap(measureNetwork);
  const growth = only.includes("growth") ? measureGrowth() : [];
  progress("");
  const machine = `${cpus().length} × ${cpus()[0].model}, Node ${process.versions.node}, ${process.platform} ${release()}, load ${loadavg()[0].toFixed(1)}`;
  const judged = rows.map((one) => ({
    ...one,
    verdict: verdict(
      one,
      rows.find(({ network, verb }) => network === one.network && verb === "train"),
    ),
  }));
  if (options.json) console.log(JSON.stringify({ machine, rows: judged, growth }, null, 2));
  else {
    if (rows.length > 0)
      console.log(
        String(
          new Table(
            ["network", "verb", "images", "seconds", "processor s", "peak (MB)", "asked"],
            judged.map((one) => [
              one.network,
              one.verb,
              one.images === 0 ? null : one.images,
              one.seconds.toFixed(2),
              one.processorSeconds.toFixed(2),
              megabytes(one.peakBytes),
              one.verdict,
            ]),
            `conversion, a process for each row; ${machine}`,
          ),
        ),
      );
    if (growth.length > 0)
      console.log(
        String(
          new Table(
            ["verb", "processor s", ...Object.keys(doubled).flatMap((name) => [`× ${name}`, "memory ×"])],
            growth.map(({ verb, processorSeconds, growth: times }) => [
              verb,
              processorSeconds.toFixed(2),
              ...Object.values(times).flatMap((one) => [
                one.processorSeconds.toFixed(2),
                one.peakBytes.toFixed(2),
              ]),
            ]),
            `how many times, when images (${small.images}), width (${small.width}) and blocks of a stage (${small.blocks}) of a ResNet18 double; ${machine}`,
          ),
        ),
      );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
