// Which commands there are, and with what: what a user sees first.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const program = join(import.meta.dirname, "../../../kernel/bin/lutnn.js");
const { version } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../kernel/package.json"), "utf8"),
);
const lutnn = (...words: string[]) => spawnSync(process.execPath, [program, ...words], { encoding: "utf8" });

/** The names that stand in the first column of a part of the help: commands, or options. */
function namesIn(help: string, part: "Commands" | "Options"): string[] {
  const [, lines] = new RegExp(`^${part}:\\n((?: .*\\n)+)`, "m").exec(help) ?? [];
  return (lines ?? "").split("\n").flatMap((line) => /^ {2}((?:-\w, )?[\w-]+)/.exec(line)?.[1] ?? []);
}

describe("the help", () => {
  it("names every command, without any is what no word gives, and ends with 0", () => {
    const { stdout, stderr, status } = lutnn("--help");
    expect([stderr, status]).toEqual(["", 0]);
    expect(namesIn(stdout, "Commands")).toEqual([
      ...["doctor", "run", "lab", "bench", "convert", "info", "count", "cell", "reproduce", "kernel", "help"],
    ]);
    expect(lutnn()).toMatchObject({ stdout, stderr, status });
  });

  it.each([
    ["kernel", ["install", "list", "remove", "help"]],
    ["cell", ["run", "help"]],
  ])("of %s names its own", (command, names) => {
    expect(namesIn(lutnn(command, "--help").stdout, "Commands")).toEqual(names);
  });

  it.each([
    ["cell run", ["--spec", "--dir", "--output", "--device", "--stale"]],
    ["kernel install", ["--user", "--sys-prefix", "--prefix", "--python", "--name", "--display-name"]],
    ["kernel list", ["--python", "--json"]],
    ["kernel remove", ["--user", "--sys-prefix", "--prefix", "--python"]],
    ["run", ["-o, --output", "-i, --input", "--threads", "--backend", "--kernel"]],
    ["count", ["--model", "--k", "--json"]],
  ])("of %s names its options", (command, options) => {
    const named = namesIn(lutnn(...command.split(" "), "--help").stdout, "Options");
    expect(named.filter((name) => !["-V, --version", "-h, --help"].includes(name))).toEqual(options);
  });
});

describe("the command line", () => {
  it.each([[], ["reproduce"], ["cell", "run"], ["kernel", "list"]])("says its version: %s", (...words) => {
    expect(lutnn(...words, "--version")).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("says before a table is made that an instruction set is unknown", () => {
    const env = { ...process.env, LUTNN_FORCE_ISA: "nonsense" };
    const words = [program, "reproduce", "flops", "--engine", "none"];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8", env });
    expect(stderr).toMatch(
      /^lutnn reproduce: LUTNN_FORCE_ISA must name .* \(got "nonsense"\); available are: /,
    );
    expect([status, stdout]).toEqual([2, ""]);
  });

  it("gives what doctor finds as JSON, and ends with 0 where nothing is missing", {
    timeout: 180_000,
  }, () => {
    const { status, stdout } = lutnn("doctor", "--json");
    const found = JSON.parse(stdout);
    expect(stdout).toBe(`${JSON.stringify(found, null, 2)}\n`);
    expect(found).toMatchObject({ lutnn: version, node: process.versions.node, native: { available: true } });
    expect(status).toBe(found.missing.length === 0 ? 0 : 1);
  });
});
