import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const program = join(import.meta.dirname, "../../../kernel/bin/lutnn.js");
const run = (words: string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, [program, ...words], { encoding: "utf8", env: { ...process.env, ...env } });

/** A folder for NODE_PATH with a package for GPUs that says that it was loaded, and is the other one. */
function standIn(): string {
  const folder = mkdtempSync(join(tmpdir(), "lutnn-device-"));
  const place = join(folder, "@tensorflow/tfjs-node-gpu");
  mkdirSync(place, { recursive: true });
  const real = createRequire(program).resolve("@tensorflow/tfjs-node");
  writeFileSync(
    join(place, "index.js"),
    `process.stdout.write("loaded for the GPU\\n"); module.exports = require(${JSON.stringify(real)});`,
  );
  return folder;
}

describe("the device that trains", () => {
  it("is the processor, and doctor says what a GPU would need", () => {
    expect(run(["doctor"]).stdout).toMatch(
      /^device +cpu \((no|an) NVIDIA GPU here; @tensorflow\/tfjs-node-gpu/m,
    );
  });

  it("is refused in a sentence where the package for GPUs is missing, and by another name", () => {
    const words = ["reproduce", "flops", "--engine", "none", "--device"];
    const gpu = run([...words, "gpu"]);
    expect([gpu.status, gpu.stderr]).toEqual([
      1,
      expect.stringMatching(
        /needs the package @tensorflow\/tfjs-node-gpu \(it is not installed\); npm install/,
      ),
    ]);
    expect(run([...words, "abacus"]).stderr).toMatch(/must be cpu or gpu \(got "abacus"\)/);
  });

  it("is the GPU's package by option and by LUTNN_DEVICE, in everything that is loaded later", () => {
    const NODE_PATH = standIn();
    const { stdout } = run(["doctor"], { NODE_PATH, LUTNN_DEVICE: "gpu" });
    expect(stdout.match(/loaded for the GPU/g)).toHaveLength(1);
    expect(stdout).toMatch(/^device +gpu \(/m);
    expect(run(["doctor"], { NODE_PATH }).stdout).not.toContain("loaded for the GPU");
  });
});
