// npm run fuzz [-- cases [seed]]: a million cases for each instruction set, also of 64-bit Arm where that can be emulated.
import { buildNative } from "../../kernel/install/steps.mjs";
import { armDefinitions, armMissing, run } from "./builds.mjs";

const [cases = "1000000", seed = String(Date.now() % 2 ** 32)] = process.argv.slice(2);
buildNative("native/build-tests", "-DLUTNN_TESTS=ON", "-DLUTNN_ADDON=OFF", "--", "fuzz");
run("native/build-tests/tests/fuzz", [cases, seed]);
const missing = armMissing();
if (missing) console.log(`64-bit Arm is left out: ${missing}`);
else {
  buildNative("native/build-arm", "-DLUTNN_TESTS=ON", "-DLUTNN_ADDON=OFF", ...armDefinitions, "--", "fuzz");
  const emulated = ["-L", "/usr/aarch64-linux-gnu", "native/build-arm/tests/fuzz", cases, seed];
  for (const isa of ["neondot", "neon"]) run("qemu-aarch64", [...emulated, isa]);
}
