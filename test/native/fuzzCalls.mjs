// npm run check:calls -- [--each 1000000 --seed S --guided SECONDS]: so many drawn sequences of calls of the C API on each instruction
// set of this processor, each call with arrays of just the length that they claim, under AddressSanitizer and
// UndefinedBehaviorSanitizer. With --guided, Clang's libFuzzer looks for inputs that reach new code instead, for so many seconds on
// each; what it has found goes on in .cache/calls.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildNative } from "../../kernel/install/steps.mjs";
import { run, sanitizers } from "./builds.mjs";

const root = resolve(import.meta.dirname, "../..");
/** Sequences of one process: it says its figures after some minutes. */
const atOnce = 200_000;
/** What was freed is kept for longer than any sequence lasts; more would only cost time. */
const asan = { ASAN_OPTIONS: "quarantine_size_mb=16" };

const { values } = parseArgs({
  options: {
    each: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    guided: { type: "string" },
  },
});
const { each, seed, guided } = values;
const isWhole = (text, least) => Number.isInteger(Number(text)) && Number(text) >= least;
if (!isWhole(each, 1) || !isWhole(seed, 0) || (guided !== undefined && !isWhole(guided, 1))) {
  console.error(
    `check:calls: --each, --seed and --guided must be whole numbers (got ${each}, ${seed} and ${guided})`,
  );
  process.exit(2);
}
const definitions = ["-DLUTNN_TESTS=ON", "-DLUTNN_ADDON=OFF"];
const folder = guided ? "native/build-guided" : "native/build-asan";
const program = join(folder, "tests/fuzz_calls");

if (guided) {
  if (spawnSync("clang++", ["--version"]).status !== 0) {
    console.error(
      "check:calls: --guided must have clang++ with its libFuzzer (there is none; Debian: clang)",
    );
    process.exit(2);
  }
  const clang = ["-DCMAKE_CXX_COMPILER=clang++", sanitizers.replace("=", "=fuzzer-no-link,")];
  buildNative(folder, ...definitions, "-DLUTNN_ORT=OFF", ...clang, "--", "fuzz_calls", "fuzz_calls_main");
} else buildNative(folder, ...definitions, sanitizers, "--", "fuzz_calls");

const main = guided ? join(folder, "tests/fuzz_calls_main") : program;
const isas = execFileSync(join(root, main), { encoding: "utf8" }).trim().split("\n");
const start = performance.now();
if (guided) {
  const corpus = join(root, ".cache/calls");
  mkdirSync(corpus, { recursive: true });
  const limits = [`-max_total_time=${guided}`, "-max_len=4096", "-timeout=20", "-rss_limit_mb=2500"];
  for (const isa of isas) {
    console.log(`check:calls: ${isa}`);
    run(program, [corpus, ...limits, "-print_final_stats=1"], { ...asan, LUTNN_FORCE_ISA: isa });
  }
} else
  for (let done = 0, piece = Number(seed) * 1_000_000; done < Number(each); done += atOnce)
    for (const isa of isas) {
      const count = String(Math.min(atOnce, Number(each) - done));
      run(program, [count, String(piece++)], { ...asan, LUTNN_FORCE_ISA: isa });
    }
const seconds = Math.round((performance.now() - start) / 1000);
console.log(
  `check:calls: ${guided ? `${guided} s` : `${each} sequences`} on each of ${isas.join(", ")} (${seconds} s)`,
);
