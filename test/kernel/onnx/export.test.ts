import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { tinyData, tinyNetwork } from "../network";

const { tf } = lutnn;
const python = join(import.meta.dirname, "../../../.venv/bin/python");
const folder = mkdtempSync(join(tmpdir(), "lutnn-onnx-"));
const file = join(folder, "tiny.lut.onnx");
const test = tinyData(64, 3);

/** Between tf.js and ONNX Runtime, of outputs of order 1: sums in another order, divisions by the batch norm. */
const outputTolerance = 1e-4;

let conversion: lutnn.Conversion;
let expected: Float32Array;
beforeAll(async () => {
  const model = tinyNetwork(2);
  await lutnn.fit(model, tinyData(240), { epochs: 2 });
  conversion = lutnn.convert(model);
  await conversion.calibrate(tinyData(240), { method: "kmeans" });
  await conversion.replaceAll();
  await conversion.save(file);
  const x = tf.tensor4d(test.images, [test.size, 6, 6, 2]);
  expected = (conversion.model.predict(x) as lutnn.tf.Tensor).dataSync() as Float32Array;
});
afterAll(() => rmSync(folder, { recursive: true }));

function expectClose(got: ArrayLike<number>, what: string): void {
  expect(got.length).toBe(expected.length);
  // A near tie may be decided differently and then changes an image's outputs visibly: at most one image may.
  const worst = new Map<number, number>();
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(got[i] - expected[i]);
    const image = Math.floor(i / 3);
    if (difference > outputTolerance) worst.set(image, Math.max(worst.get(image) ?? 0, difference));
  }
  expect(worst.size, `${what}: images that differ: ${JSON.stringify([...worst])}`).toBeLessThanOrEqual(1);
}

describe("the ONNX file", () => {
  it("passes the full checker of the onnx package and runs in Python's ONNX Runtime to the same result", () => {
    const input = join(folder, "input.f32");
    writeFileSync(input, lutnn.inference.toChannelsFirst(test.images, [6, 6, 2]));
    const script = `
import sys, json, numpy as np, onnx, onnxruntime as ort
path, data = sys.argv[1:]
model = onnx.load(path)
onnx.checker.check_model(model, full_check=True)
onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
x = np.fromfile(data, "<f4").reshape(-1, 2, 6, 6)
y = ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"input": x})[0]
print(json.dumps({
    "ir": model.ir_version,
    "opsets": {o.domain: o.version for o in model.opset_import},
    "functions": sorted(f.name for f in model.functions),
    "nodes": [n.op_type for n in model.graph.node if n.domain == "ai.lutnn"],
    "output": y.ravel().tolist(),
}))`;
    const result = JSON.parse(
      execFileSync(python, ["-c", script, file, input], { encoding: "utf8", maxBuffer: 1 << 26 }),
    );
    expect(result).toMatchObject({
      ir: 8,
      opsets: { "": 17, "ai.lutnn": 1 },
      functions: ["LutConv", "LutMatMul"],
      nodes: ["LutConv", "LutConv", "LutConv", "LutMatMul"],
    });
    expectClose(result.output, "Python");
  });

  it("runs in onnxruntime-node to the same result, at any batch size", async () => {
    const session = await lutnn.InferenceSession.create(file);
    expect([session.inputNames, session.outputNames]).toEqual([["input"], ["output"]]);
    const x = lutnn.inference.toChannelsFirst(test.images, [6, 6, 2]);
    const all = await session.run({ input: { data: x, dims: [64, 2, 6, 6] } });
    expectClose(all.output.data, "Node");
    const one = await session.run({ input: { data: x.slice(0, 72), dims: [1, 2, 6, 6] } });
    expect([...one.output.data]).toEqual([...all.output.data.slice(0, 3)]);
    const accuracy = (await conversion.evaluate(test)).accuracy;
    expect(Math.abs((await session.evaluate(test)).accuracy - accuracy)).toBeLessThanOrEqual(100 / 64);
    await session.release();
  });

  it("holds a dense network too, without functions", async () => {
    const bytes = exportOnnx(conversion.original);
    const model = readModel(bytes, "dense");
    expect(model.functions).toEqual([]);
    const session = await lutnn.InferenceSession.create(bytes);
    const dense = await lutnn.evaluate(conversion.original, test);
    expect((await session.evaluate(test)).accuracy).toBeCloseTo(dense.accuracy, 10);
    await session.release();
  });

  it("leaves nothing half-written when a network cannot be exported", async () => {
    const input = tf.input({ shape: [4, 4, 4] });
    const y = tf.layers.conv2d({ filters: 2, kernelSize: 1 }).apply(input) as lutnn.tf.SymbolicTensor;
    const z = tf.layers
      .conv2d({ filters: 2, kernelSize: 1, name: "second" })
      .apply(y) as lutnn.tf.SymbolicTensor;
    const permuted = tf.layers.permute({ dims: [2, 1, 3], name: "turn" }).apply(z) as lutnn.tf.SymbolicTensor;
    const strange = lutnn.convert(tf.model({ inputs: input, outputs: permuted }));
    const target = join(folder, "sub", "strange.onnx");
    await expect(strange.save(target)).rejects.toThrow(
      /turn is a Permute layer, which cannot be exported; these can: Activation, Add/,
    );
    expect(readdirSync(folder).filter((name) => name.includes("partial") || name === "sub")).toEqual([]);
  });
});

describe("reading a model file", () => {
  const damaged = () => join(folder, "damaged.onnx");

  it("refuses a truncated file at every length tried", async () => {
    const whole = readFileSync(file);
    for (const share of [0, 0.01, 0.3, 0.5, 0.9, 0.999]) {
      writeFileSync(damaged(), whole);
      truncateSync(damaged(), Math.floor(share * whole.length));
      await expect(lutnn.InferenceSession.create(damaged())).rejects.toThrow(lutnn.LutnnError);
    }
    await expect(lutnn.InferenceSession.create(damaged())).rejects.toThrow(
      /damaged\.onnx: the file must be (a whole|an) ONNX model/,
    );
  });

  it("refuses a foreign file and a missing one", async () => {
    writeFileSync(damaged(), "PK\u0003\u0004 this is not a model");
    await expect(lutnn.InferenceSession.create(damaged())).rejects.toThrow(
      /it is (damaged, )?cut off or of another format/,
    );
    await expect(lutnn.InferenceSession.create(join(folder, "absent.onnx"))).rejects.toThrow(
      /absent\.onnx must be readable \(ENOENT\)/,
    );
  });
});
