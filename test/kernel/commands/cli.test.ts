// Which commands there are, and with what: what a user sees first.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const program = join(import.meta.dirname, "../../../kernel/bin/lutnn.js");
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
