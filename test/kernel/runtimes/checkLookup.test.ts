import { InferenceSession } from "lutnn";
import { describe, expect, it } from "vitest";
import { drawConv, drawFrom, drawMatMul, inIntegers, lookupFile, outputShape } from "../inference/lookupFile";
import { checkLookup, type Value } from "./checkLookup";
import { lookupNodes } from "./lookupNodes";

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
  return { lookup: lookupNodes(file)[0], x, residual, y };
}

describe("what a runtime gives for a lookup", () => {
  it.each([
    [drawConv, "", false],
    [drawConv, "AddRelu", true],
    [drawMatMul, "Add", false],
    [drawMatMul, "Relu", true],
  ] as const)(
    "is right as it is, and wrong with one integer sum or another input (%#)",
    async (make, suffix, integers) => {
      const { lookup, x, residual, y } = await ran(make, suffix, integers);
      const fine = checkLookup(lookup, x, residual, y);
      expect(fine.fault).toBeNull();
      expect(fine.outputs).toBe(y.data.length);
      if (!suffix.endsWith("Relu")) expect(fine.sums).toBe(y.data.length);
      const at = y.data.findIndex((value) => value > 0);
      const off = Float32Array.from(y.data, (value, i) => (i === at ? value + lookup.scale[0] : value));
      expect(checkLookup(lookup, x, residual, { ...y, data: off }).fault).toMatch(/^row \d+: /);
      const other = { ...x, data: x.data.map((value) => -value) };
      expect(checkLookup(lookup, other, residual, y).fault).not.toBeNull();
    },
  );

  it("may be another centroid's where two are equally near, in float32 alone", async () => {
    const { lookup } = await ran(drawMatMul, "", false);
    const tied = {
      ...lookup,
      shape: { numCodebooks: 1, numCentroids: 2, subvectorLength: 1 },
      outputs: 1,
      centroids: Float32Array.of(1, -1),
      table: Int8Array.of(5, 9),
      scale: Float32Array.of(0.5),
      bias: Float32Array.of(0),
    };
    const value = (number: number) => ({ data: Float32Array.of(number), dims: [1, 1] });
    expect(checkLookup(tied, value(0), null, value(2.5))).toMatchObject({ nearTies: 0, fault: null });
    expect(checkLookup(tied, value(0), null, value(4.5))).toMatchObject({ nearTies: 1, fault: null });
    expect(checkLookup(tied, value(0), null, value(3.5)).fault).not.toBeNull();
    expect(checkLookup(tied, value(0.1), null, value(4.5)).fault).not.toBeNull();
    const integers = {
      input: { scale: 1, zeroPoint: 128 },
      centroids: Int8Array.of(1, -1),
      halfNorms: Int32Array.of(1, 1),
    };
    expect(checkLookup({ ...tied, integers }, value(0), null, value(4.5)).fault).not.toBeNull();
  });
});
