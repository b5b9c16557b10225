import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { drawFrom, drawMatMul, lookupFile } from "../inference/lookupFile";

const root = resolve(import.meta.dirname, "../../..");

describe("the benchmark of whole networks", () => {
  it.runIf(process.platform === "linux")("measures a row in a process of its own", () => {
    const folder = mkdtempSync(join(tmpdir(), "lutnn-bench-"));
    const file = join(folder, "lookup.onnx");
    writeFileSync(file, lookupFile(drawMatMul(drawFrom(3)), drawFrom(4)));
    const library = join(dirname(require.resolve("lutnn-native")), "build/liblutnn_ort.so");
    for (const variant of ["lut-functions", "lut-native"]) {
      const words = [join(root, "kernel/bench/models.py"), "row", variant, file, library, "1", "2", "4"];
      const row = JSON.parse(execFileSync(join(root, ".venv/bin/python"), words, { encoding: "utf8" }));
      expect([row.wallMs.length, row.processorMs.length]).toEqual([4, 4]);
      expect(Math.min(...row.wallMs, row.createMs)).toBeGreaterThan(0);
      expect(row.peakBytes).toBeGreaterThan(0);
    }
    rmSync(folder, { recursive: true });
  });

  it("says what is no number of threads", () => {
    const words = [join(root, "kernel/bench/models.mjs"), "--threads", "1,0"];
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
    expect([status, stderr]).toEqual([2, "bench:models: --threads must be whole numbers from 1 (got 1,0)\n"]);
  });
});
