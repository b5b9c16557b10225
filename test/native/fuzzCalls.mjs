// npm run check:calls -- [--each 1000000 --seed S]: so many drawn sequences of calls of the C API, each with arrays of just the
// length that they claim, under AddressSanitizer and UndefinedBehaviorSanitizer.
import { parseArgs } from "node:util";
import { buildNative } from "../../kernel/install/steps.mjs";
import { run } from "./builds.mjs";

const { values } = parseArgs({
  options: { each: { type: "string", default: "1000000" }, seed: { type: "string", default: "1" } },
});
const { each, seed } = values;
if (!(Number(each) >= 1 && Number.isInteger(Number(seed)))) {
  console.error(`check:calls: --each and --seed must be whole numbers (got ${each} and ${seed})`);
  process.exit(2);
}
const definitions = ["-DLUTNN_TESTS=ON", "-DLUTNN_ADDON=OFF", "-DLUTNN_SANITIZE=address,undefined"];
buildNative("native/build-asan", ...definitions, "--", "fuzz_calls");
run("native/build-asan/tests/fuzz_calls", [each, seed]);
