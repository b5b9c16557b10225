import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const program = join(import.meta.dirname, "../../../kernel/bin/lutnn.js");
const folder = mkdtempSync(join(tmpdir(), "lutnn-command-line-"));
afterAll(() => rmSync(folder, { recursive: true }));
const { version } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../kernel/package.json"), "utf8"),
);

function lutnn(words: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    encoding: "utf8",
    cwd: folder,
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

const empty = { cells: [], metadata: {}, nbformat: 4, nbformat_minor: 5 };
writeFileSync(join(folder, "good.ipynb"), JSON.stringify(empty));
writeFileSync(join(folder, "text.ipynb"), "no notebook");
writeFileSync(join(folder, "list.ipynb"), "[1, 2]");
writeFileSync(join(folder, "cells.ipynb"), '{"nbformat": 4}');
writeFileSync(join(folder, "cell.ipynb"), JSON.stringify({ ...empty, cells: [{ cell_type: "nonsense" }] }));
writeFileSync(join(folder, "file"), "");

const commands = [
  [],
  ["doctor"],
  ["run"],
  ["lab"],
  ["bench"],
  ["convert"],
  ["count"],
  ["info"],
  ["kernel"],
  ["kernel", "install"],
  ["kernel", "list"],
  ["kernel", "remove"],
];

describe.each(commands.map((words) => [words.join(" "), words] as const))("lutnn %s", (_, words) => {
  it("answers --help and --version on stdout and ends with 0", () => {
    const help = lutnn([...words, "--help"]);
    expect(help).toMatchObject({ status: 0, stderr: "" });
    expect(help.stdout).toMatch(/^Usage: lutnn/);
    expect(help.stdout).toContain("--version");
    for (const option of ["-V", "--version"])
      expect(lutnn([...words, option])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("lutnn count", () => {
  it("prints the published operations and bytes, and every layer in the network's order", () => {
    const { status, stdout } = lutnn(["count", "--model", "vgg11_cifar", "--json"]);
    const counted = JSON.parse(stdout);
    expect(status).toBe(0);
    expect(counted).toMatchObject({
      model: "vgg11_cifar",
      k: 16,
      dense: { ops: 605_754_368, bytes: 36_891_392 },
      lut: { multiplyAdds: 34_804_736, additions: 67_108_864, ops: 101_913_600, bytes: 17_701_632 },
    });
    expect(counted.layers.map(({ name }: { name: string }) => name)).toEqual([
      ...Array.from({ length: 8 }, (_, i) => `conv${i + 1}`),
      "fc",
    ]);
    const table = lutnn(["count", "--model", "vgg11_cifar", "--k", "8"]);
    expect(table.stdout).toMatch(/whole network .* 605\.754 M .* 85\.399 M .* 7\.09×/);
  });
});

describe("lutnn, called wrongly", () => {
  it.each<[string[], string]>([
    [["nonsense"], "unknown command 'nonsense'"],
    [["--nonsense"], "unknown option '--nonsense'"],
    [["doctor", "more"], "too many arguments for 'doctor'"],
    [["run"], "missing required argument 'file'"],
    [["run", "none.onnx", "--input", "x.npy"], "the file none.onnx must exist (it does not)"],
    [["run", "good.ipynb", "more"], "too many arguments for 'run'"],
    [["run", "good.ipynb", "--nonsense"], "unknown option '--nonsense'"],
    [["run", "."], "the notebook must be a file (got the folder .)"],
    [["run", "none.ipynb"], "the notebook none.ipynb must exist (it does not)"],
    [
      ["run", "text.ipynb"],
      "must be a Jupyter notebook, JSON with nbformat and cells (got text.ipynb: it is not JSON)",
    ],
    [["run", "list.ipynb"], "(got list.ipynb: it has no nbformat)"],
    [["run", "cells.ipynb"], "(got cells.ipynb: it has no cells)"],
    [["run", "cell.ipynb"], "the file must be a valid notebook (got cell.ipynb: "],
    [["run", "good.ipynb", "--kernel", "nonsense"], "the kernel must be one that Jupyter knows, "],
    [["run", "good.ipynb", "--output", "."], "the executed notebook must not overwrite the notebook itself"],
    [["run", "good.ipynb", "--output", "file"], "the folder for the results must be one that can be made"],
    [["lab", "text.ipynb"], "(got text.ipynb: it is not JSON)"],
    [["lab", "none.txt"], "a new notebook's name must end in .ipynb (got none.txt)"],
    [["lab", "none/none.ipynb"], "the folder of a new notebook must exist"],
    [["lab", "good.ipynb", "cells.ipynb"], "one notebook or folder can be opened"],
    [["lab", "good.ipynb", "--notebook-dir=."], "the folder to serve follows from what is opened"],
    [["bench", "--isa", "nonsense"], "--isa must name an instruction set that is available here, "],
    [["bench", "--nonsense"], "Unknown option '--nonsense'"],
    [["bench", "--rounds", "0"], "--rounds must be a whole number from 1 (got 0)"],
    [["count"], "required option '--model <name>' not specified"],
    [
      ["count", "--model", "nonsense"],
      '--model must be one of resnet18_cifar, senet18_cifar, vgg11_cifar, resnet18_imagenet224, senet18_imagenet224, vgg11_bn_imagenet224, bert-6, or an ONNX file (got "nonsense", which is neither)',
    ],
    [["count", "--model", "vgg11_cifar", "--k", "1"], "--k must be a whole number from 2 to 256 (got 1)"],
    [["info"], "missing required argument 'file'"],
    [["info", "none.onnx"], "the file none.onnx must exist (it does not)"],
    [["kernel", "nonsense"], "unknown command 'nonsense'"],
    [["kernel", "./none.json"], "the connection file must exist (got ./none.json)"],
    [["kernel", "install", "--user", "--prefix", "x"], "cannot be used with"],
    [
      ["kernel", "install", "--name", "a b"],
      'the name may consist of a-z, 0-9, ".", "-" and "_" (got "a b")',
    ],
    [["kernel", "install", "--prefix", "file"], "--prefix must be a folder that is there or can be made"],
    [
      ["kernel", "install", "--prefix", "/proc/none"],
      "--prefix must be a folder that is there or can be made",
    ],
    [["kernel", "install", "--sys-prefix", "--python", "none"], "--sys-prefix needs a working Python"],
    [["kernel", "list", "--python", "none"], "--python needs a working Python (got none)"],
    [["kernel", "remove", "none"], "there must be a kernelspec of this kernel with that name (got none)"],
  ])("says why in one line, and ends with 2: %j", (words, sentence) => {
    const { status, stdout, stderr } = lutnn(words);
    expect(stderr).toContain(sentence);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect([status, stdout]).toEqual([2, ""]);
  });

  it.each([["run", "good.ipynb"], ["lab"], ["bench"], ["doctor"], ["doctor", "--json"]])(
    "says in one line that an instruction set is unknown: %s",
    (...words) => {
      const { status, stdout, stderr } = lutnn(words, { LUTNN_FORCE_ISA: "nonsense" });
      expect(stderr).toMatch(
        /^lutnn \w+: LUTNN_FORCE_ISA must name .* \(got "nonsense"\); available are: .*\n$/,
      );
      expect([status, stdout]).toEqual([2, ""]);
    },
  );
});
