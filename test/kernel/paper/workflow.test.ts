import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { namesIn, program, temporary } from "./cells";

describe("lutnn reproduce --engine snakemake", () => {
  it("writes a workflow in which every cell comes after what it needs, and says how to start it", () => {
    const out = temporary("workflow");
    const words = ["reproduce", "all", "--scale", "rehearsal", "--engine", "snakemake", "--out", out];
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words, "--cores", "3"], {
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
    const folder = join(out, "workflow");
    expect(stdout).toContain(`--snakefile ${folder}/Snakefile --workflow-profile ${folder}/profiles/local`);
    expect(namesIn(join(folder, "profiles")).sort()).toEqual(["kubernetes", "local", "slurm"]);
    const plan = JSON.parse(readFileSync(join(folder, "plan.json"), "utf8")) as {
      order: string[];
      threads: number;
      report: string[];
      jobs: { key: string; needs: string[] }[];
    };
    expect(plan.order.length).toBeGreaterThan(50);
    expect(plan.jobs.map(({ key }) => key)).toEqual(plan.order);
    expect(namesIn(join(folder, "cells")).sort()).toEqual(plan.order.map((key) => `${key}.json`).sort());
    plan.jobs.forEach(({ needs }, at) => {
      for (const need of needs) expect(plan.order.slice(0, at)).toContain(need);
    });
    expect(plan.threads).toBe(3);
    expect(plan.report.slice(0, 4)).toEqual(["reproduce", "all", "--scale", "rehearsal"]);
  });

  it("refuses an engine, a scale and numbers that there are not", () => {
    for (const [words, said] of [
      [["--engine", "magic"], /--engine must be one of local, none, snakemake \(got magic\)/],
      [["--scale", "huge"], /--scale must be one of small, paper, rehearsal/],
      [["--epochs", "5"], /--epochs must be two numbers/],
      [["--jobs", "none"], /--jobs must be a whole number from 1/],
    ] as const) {
      const { status, stderr } = spawnSync(process.execPath, [program, "reproduce", "flops", ...words], {
        encoding: "utf8",
      });
      expect([status, stderr]).toEqual([2, expect.stringMatching(said)]);
    }
  });
});
