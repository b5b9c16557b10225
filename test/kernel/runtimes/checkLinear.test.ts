import { InferenceSession } from "lutnn";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../kernel/lib/onnx/graphBuilder";
import { modelBytes } from "../../../kernel/lib/onnx/model";
import { addDense, type DenseSpec } from "../inference/denseFile";
import {
  drawConv,
  drawFrom,
  drawMatMul,
  inIntegers,
  lookupFile,
  outputShape,
  plainValue,
} from "../inference/lookupFile";
import { checkLinear, type Value } from "./checkLinear";
import { linearNodes } from "./linearNodes";

const draw = drawFrom(17);
const sizeOf = (dims: readonly number[]) => dims.reduce((product, length) => product * length, 1);

/** A random layer's lookup with what ONNX Runtime makes of an input. */
async function ran(make: typeof drawConv | typeof drawMatMul, suffix: string, integers: boolean) {
  const drawn = make(draw);
  const layer = integers ? inIntegers(drawn) : drawn;
  const spec = { ...layer.spec, operator: `${layer.spec.operator}${suffix}` };
  const file = lookupFile({ ...layer, spec }, draw);
  const value = (dims: number[]): Value & { dims: number[] } => ({
    data: Float32Array.from({ length: sizeOf(dims) }, () => draw(-4, 4)),
    dims,
  });
  const x = value([2, ...layer.shape]);
  const residual = suffix.includes("Add") ? value([2, ...outputShape(layer.spec, layer.shape)]) : null;
  const session = await InferenceSession.create(file, { backend: "onnxruntime" });
  const { y } = await session.run({ x, ...(residual ? { residual } : {}) });
  await session.release();
  return { lookup: linearNodes(file)[0], x, residual, y };
}

/** A random dense layer in INT8, the same. */
async function ranDense(suffix: string, window?: DenseSpec["window"]) {
  const graph = new GraphBuilder();
  for (const name of ["x", "y"]) graph.name(name);
  const shape = window ? [3, 5, 4] : [4];
  const spec = { suffix, channels: shape[0], outputs: 5, ...(window ? { window } : {}) };
  const made = addDense(graph, spec, "x", "dense", draw);
  graph.rename(new Map([[made, "y"]]));
  const file = modelBytes(graph, {
    name: "dense",
    inputs: [plainValue("x", shape)],
    outputs: [plainValue("y", [5, ...shape.slice(1)])],
    metadata: {},
  });
  const dims = [2, ...shape];
  const x: Value = { data: Float32Array.from({ length: sizeOf(dims) }, () => draw(-9, 9) / 8), dims };
  const session = await InferenceSession.create(file, { backend: "onnxruntime" });
  const { y } = await session.run({ x: x as { data: Float32Array; dims: number[] } });
  await session.release();
  return { dense: linearNodes(file)[0], x, y };
}

describe("what a runtime gives for a lookup, or for a dense layer in INT8,", () => {
  it.each([
    ["", undefined],
    ["Relu", { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] }],
  ])("is right as it is, and wrong with one integer sum more: dense%s", async (suffix, window) => {
    const { dense, x, y } = await ranDense(suffix, window);
    const fine = checkLinear(dense, x, null, y);
    expect(fine).toMatchObject({ fault: null, outputs: y.data.length, nearTies: 0 });
    if (suffix === "") expect(fine.sums).toBe(y.data.length);
    const at = y.data.findIndex((value) => value > 0);
    const m = Math.floor(at / (y.data.length / 2 / 5)) % 5;
    const off = Float32Array.from(y.data, (value, i) => (i === at ? value + dense.scale[m] : value));
    expect(checkLinear(dense, x, null, { ...y, data: off }).fault).toMatch(/^row \d+: /);
  });

  it.each([
    [drawConv, "", false],
    [drawConv, "AddRelu", true],
    [drawMatMul, "Add", false],
    [drawMatMul, "Relu", true],
  ] as const)(
    "is right as it is, and wrong with one integer sum or another input (%#)",
    async (make, suffix, integers) => {
      const { lookup, x, residual, y } = await ran(make, suffix, integers);
      const fine = checkLinear(lookup, x, residual, y);
      expect(fine.fault).toBeNull();
      expect(fine.outputs).toBe(y.data.length);
      if (!suffix.endsWith("Relu")) expect(fine.sums).toBe(y.data.length);
      const at = y.data.findIndex((value) => value > 0);
      const off = Float32Array.from(y.data, (value, i) => (i === at ? value + lookup.scale[0] : value));
      expect(checkLinear(lookup, x, residual, { ...y, data: off }).fault).toMatch(/^row \d+: /);
      const other = { ...x, data: x.data.map((value) => -value) };
      expect(checkLinear(lookup, other, residual, y).fault).not.toBeNull();
    },
  );

  it("may be another centroid's where two are equally near, in float32 alone", async () => {
    const { lookup } = await ran(drawMatMul, "", false);
    const sums = {
      kind: "lookup",
      shape: { numCodebooks: 1, numCentroids: 2, subvectorLength: 1 },
      centroids: Float32Array.of(1, -1),
      integers: null,
      table: Int8Array.of(5, 9),
    } as const;
    const tied = {
      ...lookup,
      sums,
      inputLength: 1,
      outputs: 1,
      scale: Float32Array.of(0.5),
      bias: Float32Array.of(0),
    };
    const value = (number: number) => ({ data: Float32Array.of(number), dims: [1, 1] });
    expect(checkLinear(tied, value(0), null, value(2.5))).toMatchObject({ nearTies: 0, fault: null });
    expect(checkLinear(tied, value(0), null, value(4.5))).toMatchObject({ nearTies: 1, fault: null });
    expect(checkLinear(tied, value(0), null, value(3.5)).fault).not.toBeNull();
    expect(checkLinear(tied, value(0.1), null, value(4.5)).fault).not.toBeNull();
    const integers = {
      input: { scale: 1, zeroPoint: 128 },
      centroids: Int8Array.of(1, -1),
      halfNorms: Int32Array.of(1, 1),
    };
    const exactly = { ...tied, sums: { ...sums, centroids: null, integers } };
    expect(checkLinear(exactly, value(0), null, value(4.5)).fault).not.toBeNull();
  });
});
