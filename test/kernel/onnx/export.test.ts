import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LutnnError, tf } from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportIdentity, exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { tinyNetwork } from "../network";
import { expectSame, randomInputs, randomWeights, runOnnx } from "./sameOutputs";
import { withLookups } from "./withLookups";

const python = join(import.meta.dirname, "../../../.venv/bin/python");
const folder = mkdtempSync(join(tmpdir(), "lutnn-onnx-"));
const file = join(folder, "tiny.lut.onnx");

let bytes: Uint8Array;
let network: tf.LayersModel;
beforeAll(() => {
  network = withLookups(randomWeights(tinyNetwork()), { c2: 9, c3: 18, c4: 4, hidden: 4 });
  bytes = exportOnnx(network);
  writeFileSync(file, bytes);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the file of a converted network", () => {
  it("passes the full checker of the onnx package and runs in Python's ONNX Runtime to the same result", () => {
    const [x] = randomInputs(network, 4);
    const [input, output] = ["input.f32", "output.f32"].map((name) => join(folder, name));
    writeFileSync(input, x.transpose([0, 3, 1, 2]).dataSync() as Float32Array);
    writeFileSync(output, (network.predict(x) as tf.Tensor).dataSync() as Float32Array);
    const script = `
import sys, json, numpy as np, onnx, onnxruntime as ort
path, data, wanted = sys.argv[1:]
model = onnx.load(path)
onnx.checker.check_model(model, full_check=True)
onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
x = np.fromfile(data, "<f4").reshape(-1, 2, 6, 6)
y = ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"input": x})[0]
wanted = np.fromfile(wanted, "<f4").reshape(4, 3)
print(json.dumps({
    "ir": model.ir_version,
    "opsets": {o.domain: o.version for o in model.opset_import},
    "functions": sorted(f.name for f in model.functions),
    "nodes": [n.op_type for n in model.graph.node if n.domain == "ai.lutnn"],
    "difference": float(np.abs(y - wanted).max() / np.abs(wanted).max()),
}))`;
    const result = JSON.parse(
      execFileSync(python, ["-c", script, file, input, output], { encoding: "utf8", maxBuffer: 1 << 26 }),
    );
    expect(result).toMatchObject({
      ir: 8,
      opsets: { "": 17, "ai.lutnn": 1 },
      functions: ["LutConv", "LutConvAdd", "LutConvRelu", "LutMatMul", "LutMatMulRelu"],
      nodes: ["LutConvAdd", "LutConvRelu", "LutConv", "LutMatMulRelu"],
    });
    expect(result.difference).toBeLessThan(2e-5);
  });

  it("without functions passes the checker, too, and computes the same to the last bit", async () => {
    const inlined = exportOnnx(network, { functions: "inlined" });
    const path = join(folder, "inlined.onnx");
    writeFileSync(path, inlined);
    const script = `
import sys, json, onnx
model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
print(json.dumps({"opsets": {o.domain: o.version for o in model.opset_import}, "functions": len(model.functions),
    "domains": sorted({n.domain for n in model.graph.node})}))`;
    const result = JSON.parse(execFileSync(python, ["-c", script, path], { encoding: "utf8" }));
    expect(result).toEqual({ opsets: { "": 17 }, functions: 0, domains: [""] });
    const inputs = randomInputs(network, 3);
    const [wanted, got] = [await runOnnx(bytes, network, inputs), await runOnnx(inlined, network, inputs)];
    expect(got.output).toEqual(wanted.output);
  });

  it("runs in onnxruntime-node to the same result, at any batch size", async () => {
    for (const size of [1, 5]) {
      const inputs = randomInputs(network, size);
      const { output } = await runOnnx(bytes, network, inputs);
      expectSame(output, network.predict(inputs[0]) as tf.Tensor, `${size} images`);
    }
  });

  it("has the functions that it calls, and none where it calls none", () => {
    const functions = (model: tf.LayersModel) =>
      readModel(exportOnnx(model), "test").functions.map(({ name }) => name);
    const dense = randomWeights(tinyNetwork());
    expect(functions(dense)).toEqual([]);
    expect(functions(withLookups(dense, { c2: 9 }))).toEqual(["LutConv", "LutConvAdd"]);
    expect(functions(withLookups(dense, { hidden: 4 }))).toEqual(["LutMatMul", "LutMatMulRelu"]);
  });
});

describe("the file of nothing but an input", () => {
  it.each([[[6]], [[5, 7, 4]]])("gives it back: %j", async (shape) => {
    const input = tf.input({ shape });
    const model = tf.model({ inputs: input, outputs: tf.layers.reLU().apply(input) as tf.SymbolicTensor });
    const inputs = randomInputs(model);
    const { output } = await runOnnx(exportIdentity(shape), model, inputs);
    expectSame(output, inputs[0]);
  });
});

describe("reading a model file", () => {
  it("refuses a truncated file at every length tried", () => {
    for (const share of [0, 0.01, 0.3, 0.5, 0.9, 0.999]) {
      const part = bytes.slice(0, Math.floor(share * bytes.length));
      expect(() => readModel(part, "damaged.onnx")).toThrow(LutnnError);
      expect(() => readModel(part, "damaged.onnx")).toThrow(
        /^damaged\.onnx: the file must be (a whole|an) ONNX model/,
      );
    }
  });

  it("refuses a foreign file", () => {
    const text = new TextEncoder().encode("PK\u0003\u0004 this is not a model");
    expect(() => readModel(text, "other.zip")).toThrow(/it is (damaged, )?cut off or of another format/);
  });
});
