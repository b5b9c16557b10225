import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { InferenceSession, tf } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { randomWeights, withLookups } from "../inference/lookupNetwork";
import { expectSameFile } from "./sameOutputs";

const L = tf.layers;
type Tensor = tf.SymbolicTensor;
const python = resolve(import.meta.dirname, "../../../.venv/bin/python");
const folder = mkdtempSync(join(tmpdir(), "lutnn-fuse-"));
afterAll(() => rmSync(folder, { recursive: true }));

const conv = (name: string, args: object = {}) =>
  L.conv2d({ filters: 4, kernelSize: 3, padding: "same", name, ...args });
const on = (x: Tensor, ...layers: tf.layers.Layer[]) =>
  layers.reduce((value, layer) => layer.apply(value) as Tensor, x);
const sum = (...values: Tensor[]) => L.add().apply(values) as Tensor;

/** A network on images of 6×5×4 from what it does with them, with its convolutions and dense layers called `l…` replaced. */
function lookups(make: (x: Tensor) => Tensor | Tensor[]): tf.LayersModel {
  const input = tf.input({ shape: [6, 5, 4], name: "image" });
  const dense = randomWeights(tf.model({ inputs: input, outputs: make(input) }));
  const names = dense.layers.map(({ name }) => name).filter((name) => name.startsWith("l"));
  return withLookups(dense, Object.fromEntries(names.map((name) => [name, name.startsWith("ld") ? 4 : 9])));
}

/** Operators of a file's nodes, in their order. */
const operators = (bytes: Uint8Array) => readModel(bytes, "test").graph!.node.map(({ opType }) => opType);

describe("what follows a lookup", () => {
  it.each<[string, (x: Tensor) => Tensor | Tensor[], string[]]>([
    ["a ReLU layer", (x) => on(x, conv("l1"), L.reLU()), ["LutConvRelu"]],
    ["an activation of its own", (x) => on(x, conv("l1", { activation: "relu" })), ["LutConvRelu"]],
    [
      "a batch norm before the ReLU",
      (x) => on(x, conv("l1"), L.batchNormalization(), L.reLU()),
      ["LutConvRelu"],
    ],
    ["a residual", (x) => sum(x, on(x, conv("l1"))), ["LutConvAdd"]],
    [
      "a residual on the other side, and ReLU",
      (x) => on(sum(on(x, conv("l1")), x), L.reLU()),
      ["LutConvAddRelu"],
    ],
    [
      "another lookup as residual",
      (x) => on(sum(on(x, conv("l1")), on(x, conv("l2"))), L.reLU()),
      ["LutConv", "LutConvAddRelu"],
    ],
    [
      "ReLU and then a residual, which is the other way round",
      (x) => sum(x, on(x, conv("l1"), L.reLU())),
      ["LutConvRelu", "Add"],
    ],
    ["a clipped ReLU", (x) => on(x, conv("l1"), L.reLU({ maxValue: 6 })), ["LutConv", "Clip"]],
    ["GELU", (x) => on(x, conv("l1", { activation: "gelu" })), ["LutConvGelu"]],
    [
      "GELU of a dense layer, and a residual behind it",
      (x) => sum(x, on(x, L.dense({ units: 4, activation: "gelu", name: "ld1" }))),
      ["LutMatMulGelu", "Add"],
    ],
    [
      "GELU of a sum",
      (x) => on(sum(x, on(x, conv("l1"))), L.activation({ activation: "gelu" })),
      ["LutConvAdd", "Add"],
    ],
    [
      "a result that others read too",
      (x) => {
        const y = on(x, conv("l1"));
        return [on(y, L.reLU()), on(y, L.activation({ activation: "tanh" }))];
      },
      ["LutConv", "Relu", "Tanh"],
    ],
    [
      "a result that is an output of the network",
      (x) => {
        const y = on(x, conv("l1"));
        return [y, on(y, L.reLU())];
      },
      ["LutConv", "Relu"],
    ],
    [
      "a sum whose result is an output, before the ReLU",
      (x) => {
        const y = sum(on(x, conv("l1")), x);
        return [y, on(y, L.reLU())];
      },
      ["LutConvAdd", "Relu"],
    ],
    ["the same twice", (x) => sum(...Array<Tensor>(2).fill(on(x, conv("l1")))), ["LutConv", "Add"]],
    ["three at once", (x) => sum(x, x, on(x, conv("l1"))), ["Add", "LutConvAdd"]],
    [
      "one number for each channel",
      (x) =>
        sum(on(x, conv("l1")), on(x, L.globalAveragePooling2d({}), L.reshape({ targetShape: [1, 1, 4] }))),
      ["LutConv", "Add"],
    ],
    [
      "a dense layer's",
      (x) =>
        on(x, L.dense({ units: 8, activation: "relu", name: "ld1" }), L.dense({ units: 4, name: "ld2" })),
      ["LutMatMulRelu", "LutMatMul"],
    ],
    [
      "a dense layer's residual",
      (x) => {
        const rows = on(x, L.reshape({ targetShape: [30, 4] }));
        return on(sum(rows, on(rows, L.dense({ units: 4, name: "ld1" }))), L.reLU());
      },
      ["LutMatMulAddRelu"],
    ],
    [
      "zeros before it",
      (x) =>
        on(
          x,
          L.zeroPadding2d({
            padding: [
              [1, 0],
              [2, 1],
            ] as never,
          }),
          conv("l1", { padding: "valid" }),
        ),
      ["LutConv"],
    ],
  ])("%s", async (_, make, wanted) => {
    const model = lookups(make);
    const bytes = await expectSameFile(model);
    const kinds = /^(Lut|Add$|Relu$|Clip$|Tanh$|Pad$)/;
    expect(
      operators(bytes)
        .filter((name) => kinds.test(name))
        .sort(),
    ).toEqual([...wanted].sort());
    // Natively too.
    const x = { data: new Float32Array(240).map((_, i) => Math.sin(i * i)), dims: [2, 4, 6, 5] };
    const results: Awaited<ReturnType<InferenceSession["run"]>>[] = [];
    for (const backend of ["native", "onnxruntime"] as const) {
      const session = await InferenceSession.create(bytes, { backend });
      results.push(await session.run({ input: x }));
      await session.release();
    }
    for (const [name, { data }] of Object.entries(results[0]))
      for (const [i, value] of data.entries())
        expect(Number(value)).toBeCloseTo(Number(results[1][name].data[i]), 4);
  });

  it.each<[string, (x: Tensor) => Tensor, string[]]>([
    [
      "behind a ReLU",
      (x) => on(x, L.reLU(), L.zeroPadding2d({ padding: 1 }), L.maxPooling2d({ poolSize: 3, strides: 2 })),
      ["MaxPool"],
    ],
    [
      "behind anything else",
      (x) => on(x, L.zeroPadding2d({ padding: 1 }), L.maxPooling2d({ poolSize: 3, strides: 2 })),
      ["Conv", "MaxPool", "Pad"],
    ],
    [
      "wider than the pooling's filter",
      (x) => on(x, L.reLU(), L.zeroPadding2d({ padding: 3 }), L.maxPooling2d({ poolSize: 3, strides: 2 })),
      ["Conv", "MaxPool", "Pad"],
    ],
    [
      "before a mean",
      (x) =>
        on(x, L.reLU(), L.zeroPadding2d({ padding: 1 }), L.averagePooling2d({ poolSize: 3, strides: 2 })),
      ["AveragePool", "Conv", "Pad"],
    ],
  ])("zeros before a pooling, %s", async (_, make, wanted) => {
    const bytes = await expectSameFile(lookups(make));
    expect(
      operators(bytes)
        .filter((name) => /^(Conv|Pad|.*Pool)$/.test(name))
        .sort(),
    ).toEqual(wanted);
    const { node, initializer } = readModel(bytes, "test").graph!;
    const read = new Set(node.flatMap(({ input }) => input));
    expect(initializer.filter(({ name }) => !read.has(name))).toEqual([]); // as lengths of a padding that is no node any more
  });

  it("stays where its values are revealed", () => {
    const model = lookups((x) => on(x, conv("l1"), L.reLU()));
    const [node] = new NetworkGraph(model).nodes;
    expect(operators(exportOnnx(model, { reveal: node.outputs }))).toEqual(
      expect.arrayContaining(["LutConv", "Relu"]),
    );
  });

  it("passes onnx's full checker and strict shape inference in every variant, nested functions and all", () => {
    const model = lookups((x) => {
      const images = on(sum(on(x, conv("l1", { activation: "relu" })), on(x, conv("l2"))), L.reLU());
      const added = sum(images, on(images, conv("l3")));
      const rows = on(added, L.dense({ units: 4, activation: "relu", name: "ld1" }));
      return on(
        sum(
          on(sum(rows, on(rows, L.dense({ units: 4, name: "ld2" }))), L.reLU()),
          on(rows, L.dense({ units: 4, name: "ld3" })),
        ),
        L.flatten(),
      );
    });
    const path = join(folder, "variants.onnx");
    writeFileSync(path, exportOnnx(model));
    const script = `
import sys, json, onnx
model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
print(json.dumps([[f.name for f in model.functions], [d.dim_value for d in inferred.graph.output[0].type.tensor_type.shape.dim]]))`;
    const [functions, shape] = JSON.parse(execFileSync(python, ["-c", script, path], { encoding: "utf8" }));
    expect(functions).toEqual([
      "LutConv",
      "LutConvRelu",
      "LutConvAdd",
      "LutConvAddRelu",
      "LutMatMul",
      "LutMatMulRelu",
      "LutMatMulAdd",
      "LutMatMulAddRelu",
    ]);
    expect(shape).toEqual([0, 120]);
  });
});
