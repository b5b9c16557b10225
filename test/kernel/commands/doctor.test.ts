import { spawnSync } from "node:child_process";
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
    const { status, lines } = doctor({ LUTNN_FORCE_ISA: "none" });
    expect(line(lines, "missing: the native backend does not load")).toMatch(
      /got "none".*leave LUTNN_FORCE_ISA out/,
    );
    expect(status).toBe(1);
  });
});
