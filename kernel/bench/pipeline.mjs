// What reading data sets costs beside training: npm run bench:pipeline [-- --json] [--only cifar-10,…]
//
// For each set files of its form are written, n and 4n examples; a process each reads them once, shuffled and augmented.
// Target for the sets of 32×32: three times as many examples as ResNet20 of width 16 (dense, batch 64) trains in the same
// time; a picture of UTKFace or ImageNet is 40 to 50 times as large, and so are the networks that it is for. And a peak of
// memory that does not grow with the number of examples. Where other processes keep the processors busy, clocks
// say little: then the processor time of a picture decides, and how much of it the main thread has.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makers } from "./pipelineFiles.mjs";

process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));
const counts = { "cifar-10": 10_000, gtsrb: 2000, "speech-commands": 1400, utkface: 320, imagenet: 60 };
const { values: options } = parseArgs({ options: { json: { type: "boolean" }, only: { type: "string" } } });
const only = options.only?.split(",") ?? Object.keys(counts);
if (only.some((name) => !counts[name])) {
  console.error(
    `bench:pipeline: --only takes some of ${Object.keys(counts).join(",")} (got ${options.only})`,
  );
  process.exit(2);
}
const target = 3;
/** Sets of 32×32. */
const small = ["cifar-10", "gtsrb", "speech-commands"];

/** Milliseconds of a picture in a step of training: by the clock, and of all processors. */
async function training() {
  const { batch, contenders } = await import("./networks.mjs");
  const step = (await contenders["resnet20-w16"]("dense")).dense;
  for (let i = 0; i < 2; i++) step();
  const [start, { user, system }] = [performance.now(), process.cpuUsage()];
  const steps = 6;
  for (let i = 0; i < steps; i++) step();
  const after = process.cpuUsage();
  const pictures = steps * batch;
  return {
    clock: (performance.now() - start) / pictures,
    processor: (after.user + after.system - user - system) / 1000 / pictures,
  };
}

async function row(name, count) {
  const root = mkdtempSync(join(tmpdir(), "lutnn-pipeline-"));
  try {
    await makers[name](root, count);
    const child = spawnSync(process.execPath, [join(here, "pipelineRow.mjs"), name, root], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (child.status !== 0)
      throw new Error(`bench:pipeline: the process of ${name} ended with ${child.status}`);
    return JSON.parse(child.stdout);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const results = [];
for (const name of only) {
  const [fewer, large] = [await row(name, counts[name]), await row(name, 4 * counts[name])];
  const each = (seconds) => (1000 * seconds) / large.examples;
  results.push({
    set: name,
    examples: [fewer.examples, large.examples],
    clock: each(large.seconds),
    processor: each(large.processor),
    main: each(large.main),
    peak: [fewer.peak, large.peak],
  });
}
const step = await training();
if (options.json)
  console.log(JSON.stringify({ processor: cpus()[0].model, cores: cpus().length, step, results }));
else {
  const { Table } = require("../lib/charts/table.js");
  const titles = [
    "data set",
    "examples/s",
    "ms",
    "ms, processors",
    "ms, main thread",
    "training / reading",
    "peak MB, n",
    "4n",
  ];
  const rows = results.map(({ set, clock, processor, main, peak }) => [
    set,
    Math.round(1000 / clock),
    ...[clock, processor, main, step.processor / processor].map((value) => Number(value.toPrecision(3))),
    ...peak.map((bytes) => Math.round(bytes / 1e6)),
  ]);
  console.log(
    `ResNet20, width 16, dense, batch 64: ${(1000 / step.clock).toFixed(0)} pictures/s, ${step.clock.toFixed(2)} ms by the clock, ${step.processor.toFixed(2)} ms of all processors a picture`,
  );
  console.log(String(new Table(titles, rows)));
  for (const { set, processor } of results)
    if (small.includes(set) && step.processor < target * processor)
      console.log(`${set}: reading takes more than 1/${target} of the processor time of training`);
}
process.exit(0);
