import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const program = join(import.meta.dirname, "../../../kernel/bin/lutnn.js");

function doctor(env: Record<string, string> = {}): { status: number | null; lines: string[] } {
  const { status, stdout } = spawnSync(process.execPath, [program, "doctor"], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { status, lines: stdout.trim().split("\n") };
}

const line = (lines: string[], start: string) => lines.find((each) => each.startsWith(start));

describe("lutnn doctor", () => {
  it("says that all is well where everything is there, and which backends run", () => {
    const { status, lines } = doctor();
    expect(lines.at(-1)).toBe("All is well.");
    expect(status).toBe(0);
    expect(line(lines, "lookup backend")).toMatch(/native \w+ \(can run .*scalar\)/);
    expect(line(lines, "soft-PQ training")).toMatch(/native \w+, \d+ threads/);
    expect(line(lines, "saved files")).toMatch(/native lookups in ONNX Runtime \d/);
    expect(lines.filter((each) => /^data set +optdigits \(embedded\)$/.test(each))).toHaveLength(1);
  });

  it("says which instruction sets are forced", () => {
    const { lines } = doctor({ LUTNN_FORCE_ISA: "scalar" });
    expect(line(lines, "lookup backend")).toContain("native scalar (can run");
  });

  it("does not call a fallback that was asked for a fault", () => {
    const { status, lines } = doctor({ LUTNN_TRAINING: "tfjs" });
    expect(line(lines, "soft-PQ training")).toMatch(/tf\.js operations \(asked for by name\)/);
    expect(lines.at(-1)).toBe("All is well.");
    expect(status).toBe(0);
  });

  it("says what does not load, why, and what to do", () => {
    const broken = join(mkdtempSync(join(tmpdir(), "lutnn-doctor-")), "broken.cjs");
    writeFileSync(
      broken,
      `const Module = require("node:module");
       const load = Module._load;
       Module._load = function (id, ...rest) {
         if (id === "onnxruntime-node") throw new Error("no such library");
         return load.call(this, id, ...rest);
       };`,
    );
    const { status, lines } = doctor({ NODE_OPTIONS: `--require ${broken}` });
    expect(line(lines, "missing: onnxruntime-node")).toMatch(/no such library.*run npm run setup/);
    expect(status).toBe(1);
  });
});
