// One pass over a data set's training part, shuffled and augmented, in a process of its own: node pipelineRow.mjs NAME
// FOLDER. Prints seconds by the clock, of all processors and of the main thread, and by how many bytes the peak exceeds
// what was resident before.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";

process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
const require = createRequire(import.meta.url);
const { datasets } = require("../lib/index.js");

const [name, dataFolder] = process.argv.slice(2);
const peak = () =>
  process.platform === "linux"
    ? Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024
    : process.resourceUsage().maxRSS * 1024;

const { train } = await datasets.load(name, { dataFolder });
async function pass(data, seed) {
  let examples = 0;
  for await (const batch of data.batches(64, { seed })) {
    examples += batch.size;
    datasets.disposeBatch(batch);
  }
  return examples;
}
const before = process.memoryUsage.rss();
await pass(train.take(Math.min(64, train.size)), 0); // threads are there, and libraries loaded
const start = performance.now();
const busy = performance.eventLoopUtilization();
const { user, system } = process.cpuUsage();
const examples = await pass(train, 1);
const after = process.cpuUsage();
console.log(
  JSON.stringify({
    examples,
    seconds: (performance.now() - start) / 1000,
    processor: (after.user + after.system - user - system) / 1e6,
    main: performance.eventLoopUtilization(busy).active / 1000,
    peak: peak() - before,
  }),
);
process.exit(0);
