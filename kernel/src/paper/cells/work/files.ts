import { statSync } from "node:fs";
import { join } from "node:path";
import type { Work } from "../kind";
import { benchMissing, benchWords, runBench, runPythonBench } from "./bench";

const names = ["dense", "lookups", "integers", "int8"] as const;

/**
 * Writes one of the paper's networks at its full shape as ONNX files: dense, with lookups (codes in float32 and in integers),
 * and dense in INT8 by ONNX Runtime's quantiser. Weights are random: only times, memory and sizes are taken of them.
 */
export const work: Work<"files"> = {
  whyNot: () => benchMissing(),
  run: async ({ network }, { kept, signal }) => {
    await runBench("modelFiles.mjs", [kept, ...benchWords(network)], signal);
    const path = (name: string) => join(kept, `${name}.onnx`);
    await runPythonBench("models.py", ["quantize", path("dense"), path("int8")], signal);
    const bytes = names.map((name) => [`${name}Bytes`, statSync(path(name)).size]);
    return { figures: Object.fromEntries(bytes) };
  },
};
