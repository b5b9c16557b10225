// npm run check:fuzz -- [--runs 1000000 --seconds S --seed N --target calls|operators]: Clang's libFuzzer chooses the inputs of the C API's
// functions (fuzz_calls.cc) and of the custom operators' entry points (fuzz_operators.cc), under AddressSanitizer and
// UndefinedBehaviorSanitizer, on each instruction set of this processor in turn. --runs are executions of all together, --seconds the time
// of all together. What led to new places in the code is kept in .cache/fuzz and begun with the next time.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { buildNative } from "../../kernel/install/steps.mjs";

const require = createRequire(import.meta.url);
const root = resolve(import.meta.dirname, "../..");
const compiler = "clang++";
const targets = { calls: "fuzz_calls", operators: "fuzz_operators" };
/** Seconds that one input may take, and MiB of a process. */
const [longest, largest] = [60, 2048];

/** Null, or why libFuzzer does not build here. */
export function libFuzzerMissing() {
  if (process.platform !== "linux") return "libFuzzer's build is for Linux";
  const folder = mkdtempSync(join(tmpdir(), "lutnn-fuzz-"));
  try {
    const source = join(folder, "empty.cc");
    writeFileSync(source, 'extern "C" int LLVMFuzzerTestOneInput(const char*, long) { return 0; }\n');
    const { status } = spawnSync(compiler, [
      "-fsanitize=fuzzer,address",
      source,
      "-o",
      join(folder, "empty"),
    ]);
    return status === 0
      ? null
      : `there is no ${compiler} with libFuzzer here (Debian: apt-get install clang)`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One process of libFuzzer's; returns its figures. Throws where it found something, whose input it keeps. */
function fuzz(name, isa, { runs, seconds, seed }) {
  const folder = join(root, ".cache/fuzz", name);
  const [corpus, found] = [join(folder, "corpus"), join(folder, "found")];
  for (const path of [corpus, found]) mkdirSync(path, { recursive: true });
  const before = new Set(readdirSync(found));
  const program = join(root, "native/build-fuzz/tests", `${name}_libfuzzer`);
  const started = performance.now();
  const { status, signal, stderr } = spawnSync(
    program,
    [
      corpus,
      // What the corpus holds is executed first, and counts.
      `-runs=${runs}`,
      ...(seconds > 0 ? [`-max_total_time=${seconds}`] : []),
      `-seed=${seed}`,
      "-max_len=4096",
      "-len_control=10", // most inputs are long enough for every number of a sequence
      "-print_final_stats=1",
      `-timeout=${longest}`,
      `-rss_limit_mb=${largest}`,
      `-artifact_prefix=${found}/`,
    ],
    {
      encoding: "utf8",
      maxBuffer: 1 << 30,
      env: { ...process.env, LUTNN_FORCE_ISA: isa, ASAN_OPTIONS: "quarantine_size_mb=16" },
    },
  );
  if (status !== 0) {
    const kept = readdirSync(found).filter((file) => !before.has(file));
    const inputs = kept.map((file) => relative(root, join(found, file))).join(", ");
    throw new Error(
      `${name} on ${isa} found something (${signal ?? `status ${status}`}); its input is ${inputs || "not there"}\n${stderr.slice(-6000)}`,
    );
  }
  const number = (pattern) => Number(stderr.match(pattern)?.at(-1) ?? 0);
  const last = [...stderr.matchAll(/cov: (\d+) ft: (\d+) corp: (\d+)/g)].at(-1);
  return {
    executions: number(/number_of_executed_units: (\d+)/),
    edges: Number(last?.[1] ?? 0),
    ofEdges: number(/\((\d+) inline 8-bit counters\)/),
    features: Number(last?.[2] ?? 0),
    inputs: Number(last?.[3] ?? 0),
    seconds: (performance.now() - started) / 1000,
  };
}

/** Builds and runs the targets; says a line for each process. Throws where one found something. */
export function checkFuzz({ runs, seconds = 0, seed = 1, chosen = Object.keys(targets) }) {
  const names = chosen.map((target) => targets[target]);
  buildNative(
    "native/build-fuzz",
    "-DLUTNN_TESTS=ON",
    "-DLUTNN_ADDON=OFF",
    `-DCMAKE_CXX_COMPILER=${compiler}`,
    "-DLUTNN_FUZZER=ON",
    "-DLUTNN_SANITIZE=fuzzer-no-link,address,undefined,float-cast-overflow",
    "--",
    ...names.map((name) => `${name}_libfuzzer`),
  );
  const isas = require("../../native").availableIsas();
  const each = names.length * isas.length;
  let all = 0;
  for (const name of names)
    for (const isa of isas) {
      const share = { runs: Math.ceil(runs / each), seconds: seconds && Math.ceil(seconds / each), seed };
      const { executions, edges, ofEdges, features, inputs, seconds: took } = fuzz(name, isa, share);
      all += executions;
      console.log(
        `${name} on ${isa}: ${executions} executions in ${took.toFixed(0)} s, ${edges} of ${ofEdges} edges, ${features} features, ${inputs} inputs kept`,
      );
    }
  return all;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "1000000" },
      seconds: { type: "string", default: "0" },
      seed: { type: "string", default: "1" },
      target: { type: "string" },
    },
  });
  const [runs, seconds, seed] = [values.runs, values.seconds, values.seed].map(Number);
  const isWhole = (number, least) => Number.isInteger(number) && number >= least && number < 2 ** 31;
  const refuse = (sentence) => {
    console.error(`check:fuzz: ${sentence}`);
    process.exit(2);
  };
  if (!isWhole(runs, 1) || !isWhole(seconds, 0) || !isWhole(seed, 1))
    refuse(
      `--runs, --seconds and --seed must be whole numbers from 1, --seconds 0 for no end (got ${values.runs}, ${values.seconds} and ${values.seed})`,
    );
  if (values.target !== undefined && !Object.hasOwn(targets, values.target))
    refuse(`--target must be ${Object.keys(targets).join(" or ")} (got ${values.target})`);
  const missing = libFuzzerMissing();
  if (missing) refuse(missing);
  try {
    const all = checkFuzz({ runs, seconds, seed, chosen: values.target && [values.target] });
    console.log(`check:fuzz: ${all} executions from seed ${seed}, nothing found`);
  } catch (error) {
    console.error(`check:fuzz: ${error.message}`);
    process.exitCode = 1;
  }
}
