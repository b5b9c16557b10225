import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isa } from "lutnn-native";
import { describe, expect, it } from "vitest";

const native = dirname(require.resolve("lutnn-native"));
const environment = { ...process.env, LUTNN_FORCE_ISA: isa };

describe("lutnn bench", () => {
  it("prints the measurement of twelve layers as JSON, and draws it", () => {
    const out = mkdtempSync(join(tmpdir(), "lutnn-bench-"));
    try {
      const lutnn = join(native, "../kernel/bin/lutnn.js");
      const args = [lutnn, "bench", "--json", "--rounds", "1", "--isa", isa, "--plot", out];
      const text = execFileSync(process.execPath, args, { encoding: "utf8", env: environment });
      const measured = JSON.parse(text);
      expect(measured).toMatchObject({ isa, unit: "ms", threads: 1 });
      expect(measured.machine).toMatchObject({ node: process.version, onnxruntime: expect.any(String) });
      expect(measured.rows).toHaveLength(12);
      for (const row of measured.rows) {
        const ours = [
          "oursMs",
          "encodeMs",
          "lookupMs",
          "oursInt8EncodeMs",
          "oursIntegerMs",
          "encodeIntegerMs",
        ];
        for (const key of [...ours, "ortFp32Ms", "ortInt8Ms"])
          expect(row[key], `${row.name} ${key}`).toBeGreaterThan(0);
        for (const key of ["N", "D", "M", "V"]) expect(Number.isInteger(row[key]), key).toBe(true);
        expect(row.D % row.V).toBe(0);
        expect(row.encodeMs).toBeLessThanOrEqual(row.spreads.oursMs[1]);
        expect(row.codesDifferent).toBeLessThan(0.05);
      }
      for (const name of ["bench-roofline.svg", "bench-ratios.svg"]) {
        const svg = readFileSync(join(out, name), "utf8");
        expect(svg).toMatch(/^<svg [^>]*aria-label="/);
        expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      }
      expect(readFileSync(join(out, "bench-ratios.svg"), "utf8")).toContain("conv 56²×64→64 3×3");
    } finally {
      rmSync(out, { recursive: true });
    }
  }, 120_000);

  it("runs with the addon alone, and names every target and what binds it where it is missed", () => {
    const folder = mkdtempSync(join(tmpdir(), "lutnn-alone-"));
    try {
      for (const part of [
        "index.js",
        "binary.js",
        "pieces.js",
        "package.json",
        "bench",
        "build/lutnn_native.node",
      ])
        cpSync(join(native, part), join(folder, part), { recursive: true });
      const text = execFileSync(
        process.execPath,
        [join(folder, "bench/bench.mjs"), "--rounds", "1", "--isa", isa],
        {
          encoding: "utf8",
          env: environment,
        },
      );
      expect(text).toContain("no onnxruntime-node here");
      expect(text).toMatch(/not run {2}\S+: .*as fast as ORT fp32/);
      const lines = text.split("\n");
      lines.forEach((line, i) => {
        if (line.startsWith("  MISSED")) expect(lines[i + 1]).toMatch(/: .*(ports|loads|stores|cache)/);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 120_000);

  it("refuses options that it does not know", () => {
    expect(() =>
      execFileSync(process.execPath, [join(native, "bench/bench.mjs"), "--round", "1"], { stdio: "pipe" }),
    ).toThrow(/Unknown option '--round'/);
  });
});
