// npm run check:calls -- [--each 1000000 --seed S]: so many drawn sequences of calls of the C API on each instruction set of this
// processor, each call with arrays of just the length that they claim, under AddressSanitizer and UndefinedBehaviorSanitizer, which
// here looks for numbers that fit no integer, too.
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildNative } from "../../kernel/install/steps.mjs";
import { run } from "./builds.mjs";

const root = resolve(import.meta.dirname, "../..");
/** Sequences of one process: it says its figures after some minutes. */
const atOnce = 200_000;

const { values } = parseArgs({
  options: { each: { type: "string", default: "1000000" }, seed: { type: "string", default: "1" } },
});
const [each, seed] = [values.each, values.seed].map(Number);
if (!(Number.isInteger(each) && each >= 1 && Number.isInteger(seed) && seed >= 0)) {
  console.error(
    `check:calls: --each and --seed must be whole numbers (got ${values.each} and ${values.seed})`,
  );
  process.exit(2);
}
const definitions = ["-DLUTNN_TESTS=ON", "-DLUTNN_ADDON=OFF", "-DLUTNN_ORT=OFF"];
const sanitizers = "-DLUTNN_SANITIZE=address,undefined,float-cast-overflow";
buildNative("native/build-calls", ...definitions, sanitizers, "--", "fuzz_calls");
const program = "native/build-calls/tests/fuzz_calls";
const isas = execFileSync(join(root, program), { encoding: "utf8" }).trim().split("\n");
const start = performance.now();
for (let done = 0, piece = seed * 1_000_000; done < each; done += atOnce)
  for (const isa of isas)
    run(program, [String(Math.min(atOnce, each - done)), String(piece++)], {
      LUTNN_FORCE_ISA: isa,
      ASAN_OPTIONS: "quarantine_size_mb=16", // what was freed is kept for longer than any sequence lasts
    });
const seconds = Math.round((performance.now() - start) / 1000);
console.log(`check:calls: ${each} sequences on each of ${isas.join(", ")} (${seconds} s)`);
