import { LutnnError, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { compareWithFile } from "../../../kernel/lib/inference/compareWithFile";
import { feederOf } from "../../../kernel/lib/inference/exampleFeeds";
import { headOfFile } from "../../../kernel/lib/inference/fileHead";
import {
  fileShape,
  networkShape,
  toChannelsFirst,
  toChannelsLast,
} from "../../../kernel/lib/inference/layout";
import { NearTies } from "../../../kernel/lib/inference/nearTies";
import { absoluteOf } from "../../../kernel/lib/inference/rounding";
import { checkFeed, type FileValue } from "../../../kernel/lib/inference/tensorData";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import type { ExportedLookup } from "../../../kernel/lib/layers/lookupLayer";
import type { ImportedNetwork } from "../../../kernel/lib/models/onnx/importNetwork";
import type { ModelProto } from "../../../kernel/lib/onnx/onnx_pb";
import { randomExamples } from "./examples";

describe("images", () => {
  // Two images of 2 rows, 3 columns and 2 channels; each number is image, channel, row, column.
  const at = (n: number, c: number, h: number, w: number) => 1000 * (n + 1) + 100 * c + 10 * h + w;
  const range = (length: number) => [...Array(length).keys()];
  const last = range(2).flatMap((n) =>
    range(2).flatMap((h) => range(3).flatMap((w) => range(2).map((c) => at(n, c, h, w)))),
  );
  const first = range(2).flatMap((n) =>
    range(2).flatMap((c) => range(2).flatMap((h) => range(3).map((w) => at(n, c, h, w)))),
  );

  it("have their channels last in a network and first in a file", () => {
    expect([...toChannelsFirst(Float32Array.from(last), [2, 3, 2])]).toEqual(first);
    expect([...toChannelsLast(Int32Array.from(first), [2, 2, 3])]).toEqual(last);
    const line = Float32Array.of(1, 2, 3);
    expect(toChannelsFirst(line, [3, 1, 1])).toBe(line);
    expect(toChannelsLast(line, [3, 1, 1])).toBe(line);
    expect(fileShape([9, 2, 3, 4])).toEqual([9, 4, 2, 3]);
    expect(networkShape([9, 4, 2, 3])).toEqual([9, 2, 3, 4]);
    expect([fileShape([9, 2, 3]), networkShape([9, 2])]).toEqual([
      [9, 2, 3],
      [9, 2],
    ]);
  });

  it("go into a file as this library writes them, else as they are", async () => {
    const data = randomExamples(2, [{ name: "x", shape: [2, 3, 2], dtype: "float32" }]);
    const fed = async (dims: FileValue["dims"]) => {
      for await (const batch of data.batches(2)) {
        const values = [...batch.inputs.x.dataSync()];
        const feeds = await feederOf([{ name: "other", type: "float32", dims }], data)(batch);
        const { data: numbers, dims: shape } = feeds.other;
        tf.dispose(batch.inputs);
        return { shape, turned: [...(numbers as Float32Array)].join() !== values.join() };
      }
      return null;
    };
    expect(await fed([null, 2, 2, 3])).toEqual({ shape: [2, 2, 2, 3], turned: true });
    expect(await fed(["N", 2, 3, 2])).toEqual({ shape: [2, 2, 3, 2], turned: false });
    expect(await fed([7, "C", null, 3])).toEqual({ shape: [2, 2, 2, 3], turned: true });
    for (const dims of [
      [null, 3, 2, 2],
      [null, 2, 3],
      [null, 2, 3, 2, 1],
    ])
      await expect(fed(dims)).rejects.toThrow(LutnnError);
  });
});

describe("a feed", () => {
  const input: FileValue = { name: "x", type: "float32", dims: ["N", 3] };
  const check = (data: unknown, dims: unknown, free = new Map<string, number>()) =>
    checkFeed("f", input, { data, dims } as never, free);

  it("holds as many numbers as its dims say, and fixes the lengths that have a name", () => {
    const free = new Map<string, number>();
    check(new Float32Array(6), [2, 3], free);
    expect([...free]).toEqual([["N", 2]]);
    check(new Float32Array(6), [2, 3], free);
    expect(() => check(new Float32Array(9), [3, 3], free)).toThrow(/have N = 2 as the inputs before it/);
    check(new Float32Array(0), [0, 3]);
  });

  it.each<[unknown, unknown, RegExp]>([
    [new Float32Array(5), [2, 3], /hold 6 numbers for its dims \(2, 3\) \(got 5\)/],
    [new Float32Array(4), [2, 2], /axis 1 must be 3 long/],
    [new Float32Array(6), [6], /give 2 lengths/],
    [new Float32Array(6), [2, 3, 1], /give 2 lengths/],
    [new Float32Array(6), [-2, 3], /lengths are whole numbers/],
    [new Float32Array(6), [0.5, 3], /lengths are whole numbers/],
    [new Float64Array(6), [2, 3], /hold float32 in a Float32Array \(got Float64Array\)/],
    [[1, 2, 3], [1, 3], /be \{ data, dims \}/],
    [new Float32Array(6), undefined, /be \{ data, dims \}/],
  ])("is refused where it does not (%#)", (data, dims, message) => {
    expect(() => check(data, dims)).toThrow(message);
  });
});

describe("how a file ends", () => {
  /** A file of nodes in a row behind `x`, with an output of these lengths. */
  function head(ops: string[], dims: (number | null)[]) {
    const node = ops.map((opType, i) => ({
      opType,
      name: `n${i}`,
      input: [i === 0 ? "x" : `v${i - 1}`],
      output: [`v${i}`],
    }));
    const dim = dims.map((length) => ({
      value: length === null ? { case: "dimParam", value: "N" } : { case: "dimValue", value: BigInt(length) },
    }));
    const name = ops.length === 0 ? "x" : `v${ops.length - 1}`;
    const type = { value: { case: "tensorType", value: { shape: { dim } } } };
    return headOfFile({ graph: { node, output: [{ name, type }] } } as unknown as ModelProto);
  }

  it("is its last operator that changes numbers, of so many units and positions", () => {
    expect(head(["Softmax", "Identity", "Reshape"], [null, 5])).toEqual({
      nonlinearity: "softmax",
      activation: "softmax",
      layer: "n0",
      units: 5,
      positions: 1,
    });
    expect(head(["Gemm"], [null, 5])).toMatchObject({ nonlinearity: "none", activation: "linear" });
    expect(head(["Gemm", "Clip"], [null, 7, 5])).toMatchObject({
      nonlinearity: "other",
      activation: "clip",
      units: 5,
      positions: 7,
    });
    expect(head([], [null])).toMatchObject({ nonlinearity: "none", layer: "x", units: 1, positions: 1 });
    expect(head(["Conv"], [null, 3, 4, 5])).toMatchObject({ units: 3, positions: 20 });
    expect(head(["Gemm"], [null, null, 5])).toMatchObject({ units: 5, positions: null });
    expect(head(["Gemm"], [null, 4, 6, 2, 5])).toMatchObject({ units: 5, positions: 48 });
  });
});

describe("a network beside its file", () => {
  /** y = x · weights of a network, beside the file of other weights; its own are about 2. */
  async function compared(
    change: number,
    options: { share?: boolean; batch?: number; order?: number[] } = {},
  ) {
    const dense = (weight: number) => {
      const input = tf.input({ shape: [3, 2], name: "x" });
      const weights = [tf.tensor2d([weight, 1, -weight, 0.5], [2, 2])];
      const layer = tf.layers.dense({ units: 2, useBias: false, weights, name: "y" });
      return tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor });
    };
    const [network, other] = [dense(2), dense(2 + change)];
    const end = { name: "output", order: options.order ?? [0, 1, 2], tensor: network.outputs[0] };
    const imported = {
      network,
      inputs: [{ name: "input", order: [0, 1, 2], lengths: [3, 2], dtype: "float32" }],
      outputs: [end],
      logits: [],
      shares: new Set(options.share ? ["output"] : []),
      batch: options.batch ?? null,
    } as unknown as ImportedNetwork;
    await compareWithFile("fromOnnx", imported, exportOnnx(other));
  }

  it("may differ by rounding and no more, on inputs from −1 to 1", async () => {
    await compared(0);
    await compared(4e-5);
    await compared(0, { batch: 1 });
    for (const change of [1e-3, -1e-3, 0.5, Number.NaN])
      await expect(compared(change)).rejects.toThrow(
        /^fromOnnx: the network must compute what ONNX Runtime computes of the file, to 0\.0001 .* \(got output: a difference of/,
      );
  });

  it("must have its shape", async () => {
    await expect(compared(0, { order: [0, 2, 1] })).rejects.toThrow("output of 3×2×3 instead of 3×3×2");
  });
});

describe("a near tie", () => {
  /** Two codebooks of two centroids, ±1 each; the sums of their rows tell which was chosen. */
  const lookup: ExportedLookup = {
    numCodebooks: 2,
    numCentroids: 2,
    subvectorLength: 1,
    outputs: 2,
    centroids: Float32Array.of(1, -1, 1, -1),
    lookupTable: Int8Array.of(1, 2, 10, 20, 3, 5, 30, 50),
    tableScale: Float32Array.of(1, 2),
    bias: Float32Array.of(0.5, 0),
  };
  const row = (first: number, second: number) => {
    const rows = [
      [1, 2],
      [10, 20],
      [3, 5],
      [30, 50],
    ];
    const [a, b] = [rows[first], rows[2 + second]];
    return Float32Array.of(a[0] + b[0] + 0.5, 2 * (a[1] + b[1]));
  };
  const ties = new NearTies(lookup, () => 1e-3);
  const explained = (x: number[], y: Float32Array) => ties.explain(Float32Array.from(x), y);

  it("explains the rows of either centroid, and no other", () => {
    for (const first of [0, 1])
      for (const second of [0, 1]) {
        expect(explained([0, 0], row(first, second))).toBe(true);
        expect(explained([1e-6, -1e-6], row(first, second))).toBe(true);
        expect(explained([0.5, 0], row(first, second))).toBe(first === 0);
        expect(explained([-0.5, 1e-6], row(first, second))).toBe(first === 1);
        expect(explained([0.5, -0.5], row(first, second))).toBe(first === 0 && second === 1);
        // 2·|x| of the scores' terms, which are about ½: the rule is a hundred-thousandth of them.
        expect(explained([2.4e-6, 0.5], row(first, second))).toBe(second === 0);
        expect(explained([1e-5, 0.5], row(first, second))).toBe(first === 0 && second === 0);
      }
    const off = row(0, 0);
    off[1] += 2e-3;
    expect(explained([0, 0], off)).toBe(false);
    off[1] -= 1.5e-3;
    expect(explained([0, 0], off)).toBe(true);
    expect(explained([0, 0], Float32Array.of(Number.NaN, 0))).toBe(false);
  });

  it("of many codebooks is looked for by one swap after the other", () => {
    const count = 12; // 4,096 choices
    const many: ExportedLookup = {
      numCodebooks: count,
      numCentroids: 2,
      subvectorLength: 1,
      outputs: 1,
      centroids: Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? 1 : -1)),
      lookupTable: Int8Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? 0 : 5 + i)),
      tableScale: Float32Array.of(1),
      bias: Float32Array.of(0),
    };
    const found = new NearTies(many, () => 0.5);
    const all = Array.from({ length: count }, (_, c) => 5 + 2 * c + 1).reduce((a, b) => a + b, 0);
    const x = new Float32Array(count);
    expect(found.explain(x, Float32Array.of(0))).toBe(true);
    expect(found.explain(x, Float32Array.of(all))).toBe(true);
    expect(found.explain(x, Float32Array.of(all + 3))).toBe(false);
    expect(found.explain(x, Float32Array.of(-3))).toBe(false);
    x[0] = 0.5; // no tie any more: the first codebook's row is 0
    expect(found.explain(x, Float32Array.of(all))).toBe(false);
    expect(found.explain(x, Float32Array.of(all - 6))).toBe(true);
  });
});

describe("rounding around one", () => {
  it("is allowed to activations that are computed so", () => {
    const allowed = (activation: string) =>
      absoluteOf(tf.layers.activation({ activation: activation as "relu" })) * 2 ** 22;
    expect(["sigmoid", "swish", "gelu", "relu", "linear"].map(allowed)).toEqual([1, 16, 8, 0, 0]);
    expect(absoluteOf(tf.layers.flatten())).toBe(0);
  });
});
