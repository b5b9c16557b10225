import { createRequire } from "node:module";
import * as lutnn from "lutnn";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { type NativeLayer, nativeLayer } from "../../../kernel/lib/inference/nativeLayer";
import { NearTies } from "../../../kernel/lib/inference/nearTies";
import { type ComputedCall, verifyCall } from "../../../kernel/lib/inference/verifyCall";
import type { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import type { ExportedLookup } from "../../../kernel/lib/layers/lookupLayer";
import { encodeReference, lookupReference, scaleSumsReference } from "../../../kernel/lib/pq/reference";
import { randomFloats } from "../random";
import { manyExamples, randomExamples } from "./examples";
import { manyKinds, manyLookups, withLookups } from "./lookupNetwork";

const { tf } = lutnn;
/** A built file of the library as its other files see it, so that what it gives can be exchanged. */
const lib: (path: string) => unknown = (path) =>
  createRequire(import.meta.url)(`../../../kernel/lib/${path}`);
const unchangedLayer = nativeLayer;
const fine = { codesDifferent: 0, sumsDifferent: 0, rowsUnexplained: 0 };

/** A layer (D = 6, M = 3) on 7 rows, computed by the reference: every part may then be made wrong. */
function rightCall(): ComputedCall {
  const shape = { numCodebooks: 3, numCentroids: 4, subvectorLength: 2 };
  const lookup: ExportedLookup = {
    ...shape,
    outputs: 3,
    centroids: randomFloats(24, 1),
    lookupTable: Int8Array.from(randomFloats(36, 2), (x) => Math.round(127 * x)),
    tableScale: Float32Array.of(0.1, 0.2, 0.3),
    bias: Float32Array.of(1, 2, 3),
  };
  const windows = randomFloats(42, 3);
  const codes = encodeReference(windows, 7, lookup.centroids, shape);
  const accumulate = (given: Uint8Array) => lookupReference(given, 7, lookup.lookupTable, shape, 3);
  const rows = () => scaleSumsReference(accumulate(codes), lookup.tableScale, lookup.bias);
  return { layer: "l", lookup, windows, codes: codes.slice(), accumulate, native: rows(), file: rows() };
}

describe("verifyCall", () => {
  it("finds nothing where nothing differs", () => {
    const result = verifyCall(rightCall());
    expect(result).toEqual({ layer: "l", codes: 21, sums: 21, rows: 7, rowsDifferent: 0, ...fine });
  });

  it("counts each wrong code and each wrong sum", () => {
    const call = rightCall();
    call.codes[20] = (call.codes[20] + 1) % 4;
    call.codes[3] = (call.codes[3] + 1) % 4;
    expect(verifyCall(call).codesDifferent).toBe(2);
    const right = rightCall();
    const { accumulate } = right;
    right.accumulate = (codes) => accumulate(codes).map((sum, i) => sum + (i === 20 ? 1 : 0));
    expect(verifyCall(right).sumsDifferent).toBe(1);
  });

  it("calls no row explained that no nearly equal centroid gives, the last row neither, on either side", () => {
    for (const side of ["native", "file"] as const)
      for (const at of [0, 4, 20]) {
        const call = rightCall();
        call[side][at] += 0.1; // one step of the table
        expect(verifyCall(call), `${side} ${at}`).toMatchObject({ rowsDifferent: 1, rowsUnexplained: 1 });
      }
  });

  it("finds rows that were never computed", () => {
    const call = rightCall();
    call.native = call.native.slice(0, 3);
    call.codes = call.codes.slice(0, 3);
    expect(verifyCall(call)).toMatchObject({ codesDifferent: 18, rowsDifferent: 6, rowsUnexplained: 6 });
  });

  it("explains a row by a near tie only when it is what the other centroid gives", () => {
    const call = rightCall();
    const { lookup, windows } = call;
    // The first sub-vector becomes the middle between centroids 0 and 1 of its codebook, which come to lie close by.
    lookup.centroids.set([0.5, 0.5, 0.5, 0.75, -9, -9, -9, -9]);
    windows.set([0.3, 0.625]);
    const codes = encodeReference(windows, 7, lookup.centroids, lookup);
    const rowsOf = (chosen: Uint8Array) =>
      scaleSumsReference(call.accumulate(chosen), lookup.tableScale, lookup.bias);
    const other = codes.slice();
    other[0] = 1 - codes[0];
    const tied = { ...call, codes, native: rowsOf(codes), file: rowsOf(other) };
    expect(verifyCall(tied)).toMatchObject({ ...fine, rowsDifferent: 1 });
    const third = codes.slice();
    third[0] = 2;
    expect(verifyCall({ ...tied, file: rowsOf(third) })).toMatchObject({ rowsUnexplained: 1 });
    // Near to a tie, but a row further on is not.
    const later = codes.slice();
    later[6] = (codes[6] + 1) % 4;
    expect(verifyCall({ ...tied, file: rowsOf(later) })).toMatchObject({ rowsUnexplained: 1 });
  });
});

describe("NearTies with many ties at once", () => {
  // All centroids of all 12 codebooks are the same: 4¹² choices.
  const lookup: ExportedLookup = {
    numCodebooks: 12,
    numCentroids: 4,
    subvectorLength: 1,
    outputs: 5,
    centroids: new Float32Array(48).fill(0.5),
    lookupTable: Int8Array.from(randomFloats(240, 7), (x) => Math.round(127 * x)),
    tableScale: new Float32Array(5).fill(1),
    bias: new Float32Array(5),
  };
  const x = new Float32Array(12).fill(0.25);
  const ties = new NearTies(lookup, () => 0.1);
  const rowOf = (codes: number[]) =>
    scaleSumsReference(
      lookupReference(Uint8Array.from(codes), 1, lookup.lookupTable, lookup, 5),
      lookup.tableScale,
      lookup.bias,
    );

  it("finds the codebooks that chose otherwise, and explains nothing else", () => {
    const codes = Array.from({ length: 12 }, (_, c) => (c === 3 ? 2 : c === 8 ? 1 : 0));
    expect(ties.explain(x, rowOf(codes))).toBe(true);
    expect(
      ties.explain(
        x,
        rowOf(codes).map((value, m) => value + (m === 2 ? 1000 : 0)),
      ),
    ).toBe(false);
  });
});

describe("verifyNative", () => {
  const data = manyExamples(11);
  let model: lutnn.tf.LayersModel;
  beforeAll(() => {
    model = withLookups(manyKinds(), manyLookups);
  });

  it("compares every call of every kind of lookup, in nested networks and with several inputs", async () => {
    const before = tf.memory().numTensors;
    const verification = await lutnn.inference.verifyNative(model, data);
    expect(tf.memory().numTensors).toBe(before);
    const rows = Object.fromEntries(verification.rows.map((row) => [row.layer, row.rows]));
    expect(rows).toEqual({
      wide: 11 * 21,
      shared: 11 * 21,
      "shared#2": 11 * 21,
      dilated: 11 * 21,
      line: 11 * 4,
      each: 11 * 4,
      numbers: 11,
    });
    for (const row of verification.rows) expect(row).toMatchObject(fine);
    expect(verification.file).toMatchObject({ ok: true, examples: 4, calls: 11, differs: null });
    expect(verification.ok).toBe(true);
    expect(verification.toTable().toString()).toContain("shared#2");
  });

  it("takes as many examples as it is told", async () => {
    const { rows } = await lutnn.inference.verifyNative(model, data, { examples: 2 });
    expect(rows[0].rows).toBe(2 * 21);
    await expect(lutnn.inference.verifyNative(model, data, { examples: 0 })).rejects.toThrow(/\(got 0\)/);
  });

  /** Verifies with the native side of the layer `each` exchanged for a wrong one. */
  async function withNative(change: (right: NativeLayer, layer: lutnn.LookupLayer) => NativeLayer) {
    const inside = lib("inference/nativeLayer") as { nativeLayer: typeof nativeLayer };
    const { nativeLayer: right } = inside;
    const spy = vi.spyOn(inside, "nativeLayer").mockImplementation((layer, shape) => {
      const made = right(layer, shape);
      return layer.name === "each" ? change(made, layer) : made;
    });
    const verification = await lutnn.inference.verifyNative(model, data);
    spy.mockRestore();
    expect(verification.ok).toBe(false);
    for (const row of verification.rows) if (row.layer !== "each") expect(row).toMatchObject(fine);
    return verification.rows.find(({ layer }) => layer === "each")!;
  }

  it("is not ok when the native backend holds a table with one entry changed", async () => {
    const each = await withNative((right, layer) => {
      const lookup = layer.exportLookup();
      lookup.lookupTable[0] ^= 1;
      const spy = vi.spyOn(layer, "exportLookup").mockReturnValue(lookup);
      const wrong = unchangedLayer(layer, [4, 5]);
      spy.mockRestore();
      return { ...wrong, lookup: right.lookup };
    });
    expect(each.sumsDifferent).toBeGreaterThan(0);
    expect(each.rowsUnexplained).toBeGreaterThan(0);
  });

  it("is not ok when of a dense layer on (4, D) only each example's first row is computed", async () => {
    const each = await withNative((right) => ({
      ...right,
      bind: (x, count, y) => {
        const run = right.bind(x, count, y);
        return () => {
          run();
          y.forEach((_, i) => {
            if (Math.floor(i / 6) % 4 > 0) y[i] = 0;
          });
        };
      },
    }));
    expect(each).toMatchObject({ rows: 44, rowsUnexplained: 33 });
  });

  it("is not ok when the file's outputs are exchanged", async () => {
    const inside = lib("layers/exportOnnx") as { exportOnnx: typeof exportOnnx };
    const { exportOnnx: right } = inside;
    const spy = vi.spyOn(inside, "exportOnnx").mockImplementation((given, options) => {
      const [first, second] = model.outputs;
      return options
        ? right(given, options)
        : right(tf.model({ inputs: model.inputs, outputs: [second, first] }));
    });
    const verification = await lutnn.inference.verifyNative(model, data);
    spy.mockRestore();
    for (const row of verification.rows) expect(row).toMatchObject(fine);
    expect(verification.file).toMatchObject({ ok: false });
    expect(verification.file.sentence).toMatch(/outputs are exchanged/);
    expect(verification.ok).toBe(false);
  });

  it("refuses a network in which nothing is replaced, and data that do not fit", async () => {
    await expect(lutnn.inference.verifyNative(manyKinds(), data)).rejects.toThrow(
      /at least one layer must be replaced/,
    );
    const other = randomExamples(3, [{ name: "image", shape: [5, 7, 3], dtype: "float32" }]);
    await expect(lutnn.inference.verifyNative(model, other)).rejects.toThrow(
      /verifyNative: the data must have the network's input words/,
    );
  });
});
