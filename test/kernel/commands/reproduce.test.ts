// What `lutnn reproduce` and `lutnn cell run` say to who started them; what they compute is tested in test/kernel/paper.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { denseCell, program, rehearsal, temporary } from "../paper/cells";

const folder = temporary("commands");
function lutnn(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    encoding: "utf8",
    cwd: folder,
  });
  return { status, stdout, errors: stderr.trimEnd().split("\n") };
}

describe("lutnn reproduce", () => {
  it("says how much there is to do, each cell that is done and how much is left, and where the table is", () => {
    const words = ["accuracy", "--scale", "rehearsal", "--quick", "--jobs", "2", "--cores", "2"];
    const { status, stdout, errors } = lutnn("reproduce", ...words, "--out", "made");
    expect(status).toBe(0);
    const [begin, ...rest] = errors;
    expect(begin).toMatch(
      /^5 cells: 0 here from before, 5 to run \(about \d.* on two free cores\), 0 cannot be run here$/,
    );
    const done = rest.filter((line) => line.startsWith("done: "));
    done.forEach((line, i) => {
      expect(line).toMatch(/^done: rehearsal of .* \(\d of 5, about [\d.]+ \S+( [\d.]+ s)? left\)$/);
      expect(line).toContain(`(${i + 1} of 5, `);
    });
    expect(done).toHaveLength(5);
    expect(done[4]).toContain("about 0.0 s left");
    expect(stdout).toContain("REHEARSAL, nothing is measured");
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(
      "Written to made/index.html, and each table as Markdown, CSV, JSON and SVG.",
    );
    const again = lutnn("reproduce", ...words, "--out", "made");
    expect(again).toMatchObject({ status: 0, stdout });
    expect(again.errors[0]).toMatch(/^5 cells: 5 here from before, 0 to run \(about 0.*\), 0 cannot be run/);
    expect(again.errors.filter((line) => line.startsWith("done: "))).toEqual([]);
  });

  it("refuses words that it does not know, with 2, and a device that there is not", () => {
    for (const [words, status, said] of [
      [["--seeds", "0"], 2, "lutnn reproduce: --seeds must be a whole number from 1 (got 0)"],
      [["--cores", "1.5"], 2, "lutnn reproduce: --cores must be a whole number from 1 (got 1.5)"],
      [
        ["--epochs", "1,2,3"],
        2,
        "lutnn reproduce: --epochs must be two numbers, of the dense network and of the lookups (got 1,2,3)",
      ],
      [["--device", "tpu"], 1, 'lutnn the device must be cpu or gpu (got "tpu"); see lutnn doctor'],
    ] as const)
      expect(lutnn("reproduce", "flops", ...words)).toEqual({ status, stdout: "", errors: [said] });
    expect(lutnn("reproduce", "speed", "--engine", "none").errors[0]).toMatch(
      /^lutnn reproduce: the table must be one of accuracy, .*, or all \(got speed\)$/,
    );
  });
});

describe("lutnn cell run", () => {
  const spec = join(folder, "spec.json");
  writeFileSync(spec, JSON.stringify(rehearsal(denseCell(), 2, 1)));
  const run = (...words: string[]) => lutnn("cell", "run", "--spec", spec, "--dir", "store", ...words);

  it("does a cell's work once, says what came out, and writes it where it is asked to", () => {
    const first = run("--output", "result.json");
    expect(first).toMatchObject({ status: 0, errors: [""] });
    const { key, figures } = JSON.parse(readFileSync(join(folder, "result.json"), "utf8"));
    const [name, value] = Object.entries(figures as Record<string, number>)[0];
    expect(first.stdout.startsWith(`${key}: ${name} ${Number(value.toPrecision(6))}`)).toBe(true);
    expect(first.stdout).toMatch(/; \d+\.\d s, run 1\n$/);
    // Six figures are said, and that there are more.
    const said = first.stdout.split("; ")[0].split(": ")[1].split(", ");
    const { length } = Object.keys(figures);
    expect(said.length).toBe(length > 6 ? 7 : length);
    expect(said.at(-1) === "…").toBe(length > 6);
    expect(run("--device", "cpu").stdout).toBe(first.stdout);
  });

  it.each<[string[], number, string]>([
    [["--stale", "0"], 2, "lutnn cell run: --stale must be a number of seconds above 0 (got 0)"],
    [
      ["--stale", "Infinity"],
      2,
      "lutnn cell run: --stale must be a number of seconds above 0 (got Infinity)",
    ],
    [["--stale", "soon"], 2, "lutnn cell run: --stale must be a number of seconds above 0 (got soon)"],
    [["--spec", "none.json"], 2, "lutnn cell run: the file none.json must exist (it does not)"],
    [["--device", "tpu"], 1, 'lutnn the device must be cpu or gpu (got "tpu"); see lutnn doctor'],
  ])("refuses %j", (words, status, said) => {
    expect(run(...words)).toEqual({ status, stdout: "", errors: [said] });
  });
});
