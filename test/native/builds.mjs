// The builds of the C++ tests and how each runs: here, with sanitizers, and for 64-bit Arm in an emulator.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { buildNative } from "../../kernel/install/steps.mjs";
import { checkFuzz, libFuzzerMissing } from "./checkFuzz.mjs";

const root = resolve(import.meta.dirname, "../..");
const definitions = ["-DLUTNN_TESTS=ON", "-DLUTNN_ADDON=OFF"];

export function run(command, args, env = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (result.status === 0) return;
  const reason = result.error?.message ?? `status ${result.status ?? result.signal}`;
  throw new Error(`${command} ${args.join(" ")}: ${reason}`);
}

const ctest = (folder, env = {}, ...filter) =>
  run("ctest", ["--test-dir", folder, "--output-on-failure", "--parallel", "2", ...filter], env);

const works = (command) => spawnSync(command, ["--version"]).status === 0;

/** Every test, and 20,000 cases of fuzzing for each instruction set of this machine; the benchmarks are built, not run. */
export function testHere() {
  buildNative("native/build-tests", ...definitions, "-DLUTNN_BENCH=ON");
  ctest("native/build-tests");
}

/** Programs that AddressSanitizer and UndefinedBehaviorSanitizer watch. */
const sanitized = [
  "api_test",
  "attention_test",
  "bytes_test",
  "codes_test",
  "dense_test",
  "far_windows_test",
  "fuzz",
  "fuzz_calls",
  "fuzz_operators",
  "gelu_test",
  "int8_test",
  "integer_test",
  "layer_norm_test",
  "max_pool_test",
  "quantize_table_test",
  "table_sums_test",
  "training_test",
];

/**
 * AddressSanitizer with UndefinedBehaviorSanitizer on shorter fuzzing and on some files with faults, ThreadSanitizer on the pools. Where
 * Clang is there, libFuzzer goes on from what it has found; elsewhere only the inputs that are kept are run again.
 */
export function testWithSanitizers() {
  if (process.platform !== "linux") return "skipped: the sanitizers' builds are for Linux";
  const asan = ["-DLUTNN_SANITIZE=address,undefined", "-DLUTNN_FUZZ_CASES=4000"];
  buildNative("native/build-asan", ...definitions, ...asan, "--", ...sanitized);
  ctest("native/build-asan", {}, "--tests-regex", `^(${sanitized.join("|")})(_inputs.*)?$`);
  run(process.execPath, [resolve(import.meta.dirname, "sessions/check.mjs"), "--each", "24"]);
  if (libFuzzerMissing() === null) checkFuzz({ runs: 40_000 });
  buildNative("native/build-tsan", ...definitions, "-DLUTNN_SANITIZE=thread", "--", "threads_test");
  ctest("native/build-tsan", {}, "--tests-regex", "^threads_test$");
}

const armCompiler = "aarch64-linux-gnu-g++";
const emulator = "qemu-aarch64";
export const armDefinitions = [
  "-DCMAKE_SYSTEM_NAME=Linux",
  "-DCMAKE_SYSTEM_PROCESSOR=aarch64",
  `-DCMAKE_CXX_COMPILER=${armCompiler}`,
  `-DCMAKE_CROSSCOMPILING_EMULATOR=${emulator};-L;/usr/aarch64-linux-gnu`,
];

/** Null, or why there is no build for 64-bit Arm here. */
export function armMissing() {
  const missing = [armCompiler, emulator].filter((command) => !works(command));
  if (missing.length === 0) return null;
  return `there is no ${missing.join(" and no ")} here (Debian: g++-aarch64-linux-gnu, qemu-user)`;
}

/** The tests for NEON, of many combinations every seventh, and the count of instructions. LUTNN_REQUIRE_ARM forbids to skip. */
export function testArm() {
  const missing = armMissing();
  if (missing && process.env.LUTNN_REQUIRE_ARM) throw new Error(missing);
  if (missing) return `skipped: ${missing}`;
  buildNative("native/build-arm", ...definitions, ...armDefinitions, "-DLUTNN_FUZZ_CASES=2000");
  ctest("native/build-arm", { LUTNN_TEST_EVERY: process.env.LUTNN_TEST_EVERY ?? "7" });
}
