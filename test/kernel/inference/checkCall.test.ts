import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromOnnx, tf } from "lutnn";
import { afterAll, describe, expect, it, vi } from "vitest";
import type * as calls from "../../../kernel/lib/inference/checkCall";
import type * as optimized from "../../../kernel/lib/inference/checkOptimized";
import type * as files from "../../../kernel/lib/inference/fileValues";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import type * as graphs from "../../../kernel/lib/layers/graph";
import { withLookups } from "./lookupNetwork";

// As the library itself loads them: a layer is told to be a lookup by its class.
const load = createRequire(import.meta.url);
const { checkCall } = load("../../../kernel/lib/inference/checkCall") as typeof calls;
const { checkOptimized } = load("../../../kernel/lib/inference/checkOptimized") as typeof optimized;
const inside = load("../../../kernel/lib/inference/fileValues") as {
  -readonly [K in keyof typeof files]: (typeof files)[K];
};
const { GraphRun, NetworkGraph } = load("../../../kernel/lib/layers/graph") as typeof graphs;

const folder = mkdtempSync(join(tmpdir(), "lutnn-check-call-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** y = x · weights of two numbers each. */
function dense(values: number[] = [1, 2, 3, -4]): tf.LayersModel {
  const input = tf.input({ shape: [2], name: "x" });
  const layer = tf.layers.dense({
    units: 2,
    weights: [tf.tensor2d(values, [2, 2]), tf.tensor1d([0.5, 0])],
    name: "y",
  });
  return tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor, name: "two" });
}

/** What a check of the one call of a network says where the file's output is the network's own, changed so. */
function checked(model: tf.LayersModel, x: number[][], change: (y: number[][]) => number[][]) {
  const graph = new NetworkGraph(model);
  const run = new GraphRun(graph);
  const [node] = graph.nodes;
  const input = tf.tensor2d(x);
  const own = (model.predict(input) as tf.Tensor2D).arraySync();
  return checkCall(run, node, [], run.start([input]), [tf.tensor2d(change(own))]);
}

describe("a call beside a file's", () => {
  const x = [
    [1000, 1000],
    [0.001, 0.001],
    [1, -1],
  ];
  const moved = (row: number, column: number, by: number) => (y: number[][]) => {
    y[row][column] += by;
    return y;
  };

  it("is right where it is equal, or within the rounding of its own example", () => {
    const same = checked(dense(), x, (y) => y);
    expect(same).toMatchObject({ ok: true, worst: 0, explained: 0 });
    expect(same.size).toBeCloseTo(4000.5, 1);
    const near = checked(dense(), x, moved(0, 1, 0.01));
    expect(near.ok).toBe(true);
    expect(near.worst).toBeCloseTo(0.01, 4);
  });

  it("is wrong where a small example is off by what a large one may be", () => {
    for (const row of [1, 2]) expect(checked(dense(), x, moved(row, 1, 0.01))).toMatchObject({ ok: false });
    expect(checked(dense(), x, moved(0, 0, 1)).ok).toBe(false);
    expect(checked(dense(), x, moved(0, 0, Number.NaN)).ok).toBe(false);
    expect(checked(dense(), x, (y) => y.slice(0, 2))).toMatchObject({
      ok: false,
      worst: Number.POSITIVE_INFINITY,
    });
  });

  it("of a lookup is right row by row: by rounding, by near ties, and by nothing else", () => {
    const model = withLookups(dense(), { y: 1 });
    const fine = checked(model, x, (y) => y);
    expect(fine).toMatchObject({ ok: true, explained: 0 });
    for (const row of [0, 1, 2])
      for (const column of [0, 1])
        expect(checked(model, x, moved(row, column, 0.5)), `${row}, ${column}`).toMatchObject({
          ok: false,
          explained: 0,
        });
    // A row that is another one's: all of them are what some choice of centroids gives, but not near ones.
    const exchanged = checked(model, x, ([a, b, c]) => [b, a, c]);
    expect(exchanged.ok).toBe(false);
    expect(exchanged.worst).toBeGreaterThan(0.01);
  });

  it("of a lookup may take either of two centroids that are equally near", () => {
    const model = withLookups(dense(), { y: 2 });
    const layer = model.getLayer("y") as tf.layers.Layer & {
      setLookup(weights: object): void;
      getLookup(): { centroids: Float32Array; weight: Float32Array; bias: Float32Array };
    };
    const known = layer.getLookup();
    const centroids = Float32Array.of(1, 0, -1, 0, 9, 9, 9, 8, 8, 9);
    layer.setLookup({ ...known, centroids, inverseTemperatureLogit: 14 });
    const rows = [
      [0, 5],
      [1, 0],
      [-1, 0],
    ];
    const both = checked(model, rows, ([, first, second]) => [second, first, second]);
    expect(both).toMatchObject({ ok: true, explained: 1 });
    expect(checked(model, rows, ([tie, first]) => [tie, first, first])).toMatchObject({ ok: false });
  });
});

describe("a file run optimised", () => {
  it.each([0, 1, 2, 5])("must give every number of an output, the one at %d too", async (at) => {
    const graph = new NetworkGraph(dense());
    const own = tf.tensor2d([1, 2, 3, 4, 5, 100], [3, 2]);
    const run = vi.spyOn(inside, "runFile");
    const said = async (by: number) => {
      run.mockImplementation(async () => {
        const values = own.dataSync().slice();
        values[at] += by;
        return [tf.tensor2d(values, [3, 2])];
      });
      return checkOptimized(new Uint8Array(), graph, [], [own]);
    };
    try {
      expect(await said(-0.09)).toBeNull();
      expect(await said(-0.11)).toMatch(/differ by 0\.110 where its largest is 100/);
    } finally {
      run.mockRestore();
    }
  });
});

describe("a file run optimised whose sigmoid is all but 0", () => {
  it("may differ by what the sigmoid is rounded by, and no more", async () => {
    const input = tf.input({ shape: [2] });
    const output = tf.layers.dense({ units: 1, activation: "sigmoid" }).apply(input) as tf.SymbolicTensor;
    const graph = new NetworkGraph(tf.model({ inputs: input, outputs: output }));
    const run = vi.spyOn(inside, "runFile");
    const said = async (value: number) => {
      run.mockImplementation(async () => [tf.tensor2d([value], [1, 1])]);
      return checkOptimized(new Uint8Array(), graph, [], [tf.tensor2d([0], [1, 1])]);
    };
    try {
      expect(await said(2 ** -25)).toBeNull();
      expect(await said(2 ** -21)).toMatch(/differ by 4\.77e-7 where its largest is 0/);
    } finally {
      run.mockRestore();
    }
  });
});

describe("a network of a file", () => {
  it("is the same from a path, its bytes and their buffer", async () => {
    const bytes = exportOnnx(dense());
    const path = join(folder, "two.onnx");
    writeFileSync(path, bytes);
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    for (const file of [path, bytes, buffer]) {
      const model = await fromOnnx(file);
      const y = model.predict(tf.tensor2d([[1, -1]])) as tf.Tensor;
      expect([...y.dataSync()]).toEqual([1 - 3 + 0.5, 2 + 4]);
    }
    writeFileSync(path, "no file of ONNX");
    await expect(fromOnnx(path)).rejects.toThrow(/two\.onnx/);
    await expect(fromOnnx(7 as never)).rejects.toThrow(
      "fromOnnx: the file must be a path or bytes (got number)",
    );
    await expect(fromOnnx(null as never)).rejects.toThrow("(got null)");
  });
});
