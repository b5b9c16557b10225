// npm run check:calls -- [--each 1000000 --seed S] [--libfuzzer]: so many drawn sequences of calls of the C API, each with arrays
// of just the length that they claim, under AddressSanitizer and UndefinedBehaviorSanitizer. With --libfuzzer Clang's fuzzer
// draws them after what they reach (Debian: clang).
import { parseArgs } from "node:util";
import { buildNative } from "../../kernel/install/steps.mjs";
import { run } from "./builds.mjs";

const { values } = parseArgs({
  options: {
    each: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    libfuzzer: { type: "boolean", default: false },
  },
});
const { each, seed, libfuzzer } = values;
if (!(Number(each) >= 1 && Number.isInteger(Number(seed)))) {
  console.error(`check:calls: --each and --seed must be whole numbers (got ${each} and ${seed})`);
  process.exit(2);
}
const folder = libfuzzer ? "native/build-libfuzzer" : "native/build-asan";
const definitions = ["-DLUTNN_TESTS=ON", "-DLUTNN_ADDON=OFF"];
if (libfuzzer)
  definitions.push(
    "-DCMAKE_CXX_COMPILER=clang++",
    "-DLUTNN_LIBFUZZER=ON",
    "-DLUTNN_SANITIZE=address,undefined,fuzzer-no-link",
  );
else definitions.push("-DLUTNN_SANITIZE=address,undefined");
buildNative(folder, ...definitions, "--", "fuzz_calls");
const program = `${folder}/tests/fuzz_calls`;
run(program, libfuzzer ? [`-runs=${each}`, `-seed=${seed}`, "-max_len=716"] : [each, seed]);
