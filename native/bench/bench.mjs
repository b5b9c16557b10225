// npm run bench [-- options], lutnn bench [options]: layers by lookup against ONNX Runtime on one thread of this machine.
//   --rounds <n>     turns of each contender, default 15
//   --isa <name>     this instruction set only; default: the fastest, then AVX2 where there is more
//   --json           prints the measurement as JSON and nothing else
//   --plot [folder]  writes bench-roofline.svg and bench-ratios.svg, default into out/
// Runs with the lookup addon alone; without onnxruntime-node the baselines are left out.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, loadavg, platform } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ratioChart, rooflineChart } from "./plots.mjs";
import { layerTable, verdicts } from "./targets.mjs";

const require = createRequire(import.meta.url);

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: "string", default: "15" },
        isa: { type: "string" },
        json: { type: "boolean", default: false },
        plot: { type: "boolean", default: false },
      },
    });
    const rounds = Number(values.rounds);
    if (!Number.isInteger(rounds) || rounds < 1)
      throw new Error(`--rounds must be a whole number from 1 (got ${values.rounds})`);
    if (positionals.length > (values.plot ? 1 : 0)) throw new Error(`what is "${positionals.at(-1)}"?`);
    return { ...values, rounds, folder: resolve(positionals[0] ?? "out") };
  } catch (error) {
    console.error(`bench: ${error.message}`);
    process.exit(2);
  }
}

/** The command that keeps a process on the last processor, where there is one. */
function pin() {
  const last = String(availableParallelism() - 1);
  if (platform() !== "linux" || spawnSync("taskset", ["-c", last, "true"]).status !== 0) return [];
  return ["taskset", "-c", last];
}

function measure(isa, rounds) {
  const [command, ...args] = [
    ...pin(),
    process.execPath,
    join(import.meta.dirname, "layers.mjs"),
    String(rounds),
  ];
  const result = spawnSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, LUTNN_FORCE_ISA: isa },
    maxBuffer: 1 << 26,
  });
  if (result.status !== 0)
    throw new Error(`the measurement of ${isa} ended with ${result.status ?? result.signal}`);
  return JSON.parse(result.stdout);
}

const { rounds, isa, json, plot, folder } = options();
const native = require("../index.js");
const machine = {
  cpu: cpus()[0].model,
  cores: availableParallelism(),
  system: `${platform()} ${arch()}`,
  pinned: pin().length > 0,
  load: Number(loadavg()[0].toFixed(2)),
  node: process.version,
  lutnnNative: JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")).version,
};
const isas = isa ? [isa] : [native.isa, ...(/^(avx512|amx)/.test(native.isa) ? ["avx2"] : [])];
const measured = isas.map((each) => measure(each, rounds));
machine.onnxruntime = measured[0].onnxruntime;

if (json) {
  const [first, ...others] = measured;
  console.log(JSON.stringify({ machine, unit: "ms", threads: 1, rounds, ...first, others }, null, 2));
} else {
  const onnx = machine.onnxruntime
    ? `ONNX Runtime ${machine.onnxruntime}`
    : "no onnxruntime-node here: its columns are empty";
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}, 1 thread${machine.pinned ? ", pinned" : ""}, Node ${machine.node}, ` +
      `lutnn-native ${machine.lutnnNative}, ${onnx}`,
  );
  if (machine.load > 0.5 * machine.cores)
    console.log(
      `The machine is busy (load ${machine.load}): times wander, ratios less so. Repeat on a quiet one.`,
    );
  for (const result of measured) console.log(`\n${layerTable(result)}`);
  console.log(`\n${verdicts(measured)}`);
}
if (plot) {
  mkdirSync(folder, { recursive: true });
  const title = `${machine.cpu}, 1 thread, ${measured[0].isa}`;
  for (const [name, svg] of [
    ["bench-roofline.svg", rooflineChart(measured[0], title)],
    ["bench-ratios.svg", ratioChart(measured[0], title)],
  ]) {
    writeFileSync(join(folder, name), svg);
    if (!json) console.log(`wrote ${join(folder, name)}`);
  }
}
