import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { drawFrom, lookupFile } from "../kernel/inference/lookupFile";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "lutnn-ort-"));
afterAll(() => rmSync(folder, { recursive: true }));

const library = { linux: "liblutnn_ort.so", darwin: "liblutnn_ort.dylib", win32: "Release/lutnn_ort.dll" };

const script = `
import json, sys, time, numpy as np, onnxruntime as ort
file, library = sys.argv[1:]
def session(native):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    if native:
        options.register_custom_ops_library(library)
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
x = np.random.default_rng(1).integers(-4, 5, (1, 64, 28, 28)).astype(np.float32)
def best(one):
    times = []
    for _ in range(15):
        start = time.process_time()
        y = one.run(None, {"x": x})[0]
        times.append(time.process_time() - start)
    return y, min(times)
for _ in range(20):
    session(True)  # registered again and again
functions, slow = best(session(False))
native, fast = best(session(True))
def refused(edit):
    import onnx
    model = onnx.load(file)
    edit(model)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.register_custom_ops_library(library)
    try:
        ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        return str(error)
def pad(model):
    [pads] = [one for one in model.graph.node[0].attribute if one.name == "pads"]
    pads.ints[0] = -1
print(json.dumps({"same": bool(np.array_equal(functions, native)), "ratio": slow / fast, "refused": refused(pad)}))`;

it("gives Python's ONNX Runtime the native lookups: the same results, faster", () => {
  const spec = {
    operator: "LutConv",
    codebooks: 64,
    centroids: 16,
    length: 9,
    outputs: 64,
    attributes: { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], group: 64 },
  };
  const file = join(folder, "conv.onnx");
  writeFileSync(file, lookupFile({ spec, shape: [64, 28, 28] }, drawFrom(7)));
  const path = join(
    dirname(require.resolve("lutnn-native")),
    "build",
    library[process.platform as keyof typeof library],
  );
  const python = join(root, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  const result = JSON.parse(execFileSync(python, ["-c", script, file, path], { encoding: "utf8" }));
  expect(result.same).toBe(true);
  expect(result.ratio).toBeGreaterThan(3);
  expect(result.refused).toMatch(
    /ai\.lutnn\.LutConv "lookup": padTop must be an integer from 0|padTop must be/,
  );

  const other = (isa: string) => {
    const lines = `
import sys, onnxruntime as ort
options = ort.SessionOptions()
options.register_custom_ops_library(sys.argv[2])
print(ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"]).get_inputs()[0].name)`;
    const env = { ...process.env, LUTNN_FORCE_ISA: isa };
    return spawnSync(python, ["-c", lines, file, path], { encoding: "utf8", env });
  };
  expect(other("scalar").stdout.trim()).toBe("x");
  expect(other("sse2").stderr).toMatch(/LUTNN_FORCE_ISA must name an instruction set .*got "sse2"/);
});
