import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { InferenceSession } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { readNpy, writeNpy } from "../../../kernel/lib/files/npy";

const root = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "lutnn-run-"));
afterAll(() => rmSync(folder, { recursive: true }));

const lutnn = (...words: string[]) =>
  spawnSync(process.execPath, [join(root, "kernel/bin/lutnn.js"), ...words], {
    encoding: "utf8",
    cwd: folder,
  });
const read = (name: string) => readNpy(readFileSync(join(folder, name)), name);

// One file of one input and output, one of two: y = 2a + b as float32, and a's shape as int64.
execFileSync(
  join(root, ".venv/bin/python"),
  [
    "-c",
    `
import sys, numpy as np
from onnx import TensorProto as T, helper as h, save
def write(name, nodes, inputs, outputs):
    value = lambda name, type, *dims: h.make_tensor_value_info(name, type, dims)
    graph = h.make_graph(nodes, name, [value(*one) for one in inputs], [value(*one) for one in outputs])
    save(h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8), f"{name}.onnx")
write("twice", [h.make_node("Add", ["x", "x"], ["y"])], [("x", T.FLOAT, "N", 3)], [("y", T.FLOAT, "N", 3)])
write("two", [h.make_node("Add", ["a", "a"], ["c"]), h.make_node("Cast", ["b"], ["d"], to=T.FLOAT),
              h.make_node("Add", ["c", "d"], ["out/sum"]), h.make_node("Shape", ["a"], ["out_sum"])],
      [("a", T.FLOAT, "N", 3), ("b", T.INT64, "N", 3)], [("out/sum", T.FLOAT, "N", 3), ("out_sum", T.INT64, 2)])
np.save("x.npy", np.arange(6, dtype="f8").reshape(2, 3) / 4)
np.save("b.npy", np.asfortranarray(np.arange(6).reshape(2, 3).astype("i4")))
np.save("words.npy", np.array([True, False]))
`,
  ],
  { cwd: folder },
);
const x = [0, 0.25, 0.5, 0.75, 1, 1.25];

describe("lutnn run of an ONNX file", () => {
  it("writes what ONNX Runtime computes on an array of NumPy's", async () => {
    const { status, stdout, stderr } = lutnn("run", "twice.onnx", "--input", "x.npy", "--output", "y.npy");
    expect([status, stdout, stderr]).toEqual([0, "y: float32 2×3, in y.npy\n", ""]);
    expect(read("y.npy")).toEqual({
      type: "f4",
      shape: [2, 3],
      values: Float32Array.from(x, (one) => 2 * one),
    });
    const session = await InferenceSession.create(join(folder, "twice.onnx"));
    const { y } = await session.run({ x: { data: Float32Array.from(x), dims: [2, 3] } });
    expect(read("y.npy").values).toEqual(y.data);
    await session.release();
  });

  it("does so by the reference backend too, and tells what a file of others says of itself: its size", () => {
    const words = ["run", "twice.onnx", "-i", "x.npy", "-o", "r.npy", "--backend", "reference"];
    expect(lutnn(...words)).toMatchObject({ status: 0, stderr: "" });
    expect(read("r.npy").values).toEqual(Float32Array.from(x, (one) => 2 * one));
    const { length } = readFileSync(join(folder, "twice.onnx"));
    expect(lutnn("info", "twice.onnx").stdout).toBe(`twice.onnx: ${length} bytes; no lookups\n`);
    expect(JSON.parse(lutnn("info", "twice.onnx", "--json").stdout)).toMatchObject({
      layers: [],
      measured: null,
    });
    expect(lutnn("info", "x.npy")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^lutnn fileInfo: .*whole ONNX/),
    });
  });

  it("takes several inputs by name, and writes several outputs into a folder, each under a name of its own", () => {
    const { status, stdout } = lutnn(
      "run",
      "two.onnx",
      "-i",
      "a=x.npy",
      "b=b.npy",
      "-o",
      "results",
      "--threads",
      "2",
      "--backend",
      "onnxruntime",
    );
    expect(status).toBe(0);
    expect(stdout.trim().split("\n")).toEqual([
      "out/sum: float32 2×3, in results/out_sum.npy",
      "out_sum: int64 2, in results/out_sum_2.npy",
    ]);
    expect(readdirSync(join(folder, "results")).sort()).toEqual(["out_sum.npy", "out_sum_2.npy"]);
    expect([...(read("results/out_sum.npy").values as Float32Array)]).toEqual(x.map((one, i) => 2 * one + i));
    expect(read("results/out_sum_2.npy")).toEqual({
      type: "i8",
      shape: [2],
      values: BigInt64Array.of(2n, 3n),
    });
  });

  writeFileSync(
    join(folder, "large.npy"),
    writeNpy({ type: "u8", shape: [1, 3], values: BigUint64Array.of(1n, 2n ** 63n, 3n) }),
  );
  it.each<[string[], number, string]>([
    [["twice.onnx"], 2, "--input must give every input of the file (missing x); as --input x=FILE.npy"],
    [["two.onnx", "-i", "x.npy"], 2, "--input must give each input once, as NAME=FILE.npy (got x.npy)"],
    [["twice.onnx", "-i", "x.npy", "x=x.npy"], 2, "(got x=x.npy)"],
    [
      ["two.onnx", "-i", "a=x.npy", "b=b.npy", "-o", "y.npy"],
      2,
      "--output must be a folder for a file of several outputs",
    ],
    [
      ["two.onnx", "-i", "a=x.npy", "b=x.npy"],
      2,
      'must be of input b\'s type, int64 (got f8); convert it with array.astype("i8")',
    ],
    [
      ["two.onnx", "-i", "a=x.npy", "b=large.npy"],
      2,
      "must fit input b, which is int64 (got 9223372036854776000 in u8)",
    ],
    [["twice.onnx", "-i", "x.npy", "--threads", "0"], 2, "--threads must be a whole number from 1 (got 0)"],
    [
      ["twice.onnx", "-i", "x.npy", "--backend", "web"],
      2,
      "--backend must be native, onnxruntime or reference (got web)",
    ],
    [["twice.onnx", "-i", "none.npy"], 1, "none.npy"],
    [["twice.onnx", "-i", "two.onnx"], 1, "the file must be an array of NumPy's"],
    [["twice.onnx", "-i", "words.npy"], 2, "must be of input x's type, float32 (got b1)"],
  ])("says in one line what is wrong: %j", (words, code, sentence) => {
    const { status, stdout, stderr } = lutnn("run", ...words);
    expect(stderr).toContain(sentence);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect([status, stdout]).toEqual([code, ""]);
  });
});
