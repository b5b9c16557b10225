// npm run check:sessions -- [--each 20000 --seed S]: so many files with faults in nodes of ours, opened and run natively under
// AddressSanitizer and UndefinedBehaviorSanitizer with every instruction set of this machine. What is refused is refused in words.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildNative } from "../../../kernel/install/steps.mjs";
import { run } from "../builds.mjs";
import { seedFiles } from "./seeds.mjs";
import { spoilt } from "./spoil.mjs";

const root = resolve(import.meta.dirname, "../../..");
const { values } = parseArgs({
  options: { each: { type: "string", default: "20000" }, seed: { type: "string", default: "1" } },
});
const [each, first] = [values.each, values.seed].map(Number);
if (process.platform !== "linux" || !(Number.isInteger(each) && each >= 1 && Number.isInteger(first))) {
  console.error(
    `check:sessions: it needs Linux, and --each and --seed must be whole numbers (got ${values.each} and ${values.seed})`,
  );
  process.exit(2);
}
const { onnxRuntimeLibrary } = createRequire(import.meta.url)(
  "../../../kernel/lib/inference/nativeSession.js",
);
const definitions = ["-DLUTNN_TESTS=ON", "-DLUTNN_ADDON=OFF", "-DLUTNN_SANITIZE=address,undefined"];
buildNative("native/build-asan", ...definitions, "--", "session_files", "ort_without_arena");
const built = join(root, "native/build-asan/tests");

/** Files of one process. */
const atOnce = 500;
const folder = mkdtempSync(join(tmpdir(), "lutnn-sessions-"));
let done = 0;
try {
  const seeds = [...(await seedFiles(join(folder, "seeds")))];
  while (done < each) {
    const count = Math.min(atOnce, each - done);
    const files = join(folder, "files");
    mkdirSync(files);
    const paths = Array.from({ length: count }, (_, i) => {
      const seed = first * 1_000_003 + done + i;
      const [name, bytes] = seeds[seed % seeds.length];
      const path = join(files, `${name}-${seed}.onnx`);
      writeFileSync(path, i < seeds.length && done === 0 ? bytes : spoilt(bytes, seed)); // the first ones are whole
      return path;
    });
    run(join(built, "session_files"), [join(built, "libort_without_arena.so"), ...paths], {
      LUTNN_ORT_LIBRARY: onnxRuntimeLibrary(),
      // ONNX Runtime itself keeps what an operator's shape inference refuses, some 75 bytes each, and threads' first memory.
      ASAN_OPTIONS: "allocator_may_return_null=1:detect_leaks=0",
    });
    rmSync(files, { recursive: true });
    done += count;
  }
  rmSync(folder, { recursive: true });
} catch (error) {
  console.error(`check:sessions: ${error.message.slice(0, 300)}…\nthe files are in ${folder}`);
  process.exitCode = 1;
}
