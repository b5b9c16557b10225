import { join } from "node:path";
import { convert, datasets, plan, profiles, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { ACTIVATION_BYTES, ActivationStream } from "../../../kernel/lib/conversion/activations";
import {
  cheapEnough,
  costOf,
  Plan,
  type PlanPoint,
  tradeOff,
} from "../../../kernel/lib/conversion/plan/plan";
import type { LayerOption, MeasuredLayer } from "../../../kernel/lib/conversion/plan/sensitivity";
import { rowsAtOnce } from "../../../kernel/lib/conversion/rows";
import { Samples } from "../../../kernel/lib/conversion/samples";
import { makeStages, stageFolders } from "../../../kernel/lib/conversion/stages";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { tinyData, tinyNetwork } from "../network";

const L = tf.layers;
type Tensor = tf.SymbolicTensor;

/** Dense layers of so many units each, from an input of so many numbers. */
function dense(length: number, ...units: number[]): tf.LayersModel {
  const input = tf.input({ shape: [length], name: "x" });
  const output = units.reduce<Tensor>(
    (x, count, i) => L.dense({ units: count, name: `d${i}` }).apply(x) as Tensor,
    input,
  );
  return tf.model({ inputs: input, outputs: output, name: "lines" });
}

const vOf = (model: tf.LayersModel, layers: string[]) =>
  [...convert(model, { layers, task: "regression" }).layers].map(({ subvectorLength }) => subvectorLength);

describe("the length of sub-vectors", () => {
  it("of a dense layer is the largest divisor of its input length up to 32", () => {
    for (const [length, wanted] of [
      [64, 32],
      [45, 15],
      [33, 11],
      [32, 32],
      [31, 31],
      [37, 1],
      [2, 2],
    ])
      expect(vOf(dense(length, 3), ["d0"])).toEqual([wanted]);
  });

  it("of a convolution is its window, of a 1×1 one up to 4 channels", () => {
    const by = (kernelSize: number | [number, number], channels: number) => {
      const input = tf.input({ shape: [5, 5, channels] });
      const output = L.conv2d({ filters: 2, kernelSize, name: "c" }).apply(input) as Tensor;
      return vOf(tf.model({ inputs: input, outputs: L.flatten().apply(output) as Tensor }), ["c"])[0];
    };
    expect([by(3, 2), by([1, 2], 2), by(1, 8), by(1, 6), by(1, 7), by(1, 1)]).toEqual([9, 2, 4, 3, 1, 1]);
  });

  it("that does not do is answered with those that do, twelve at most", () => {
    const refusal = (model: tf.LayersModel, subvectorLength: Record<string, number>) => () =>
      convert(model, { layers: Object.keys(subvectorLength), subvectorLength });
    expect(refusal(tinyNetwork(), { c2: 7 })).toThrow(/\(got 7\); 9, 18, 36, 72 would do$/);
    const lengths = "1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 18";
    expect(refusal(dense(360, 2), { d0: 7 })).toThrow(`(got 7); ${lengths} … would do`);
    expect(refusal(dense(60, 2), { d0: 7 })).toThrow("; 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60 would do");
  });
});

describe("the table of layers", () => {
  it("counts operations and bytes of each layer and of all", () => {
    // d0: D = 8, M = 24, V = 4; d1: D = 24, M = 2048, V = 24.
    const { layers } = convert(dense(8, 24, 2048), {
      layers: ["d0", "d1"],
      numCentroids: { d0: 4 },
      subvectorLength: { d0: 4 },
      task: "regression",
    });
    const [first, second, all, ...rest] = layers.toTable().rows;
    expect(first).toEqual([
      ...["d0", "dense", "dense", "int8", 1, 8, 24, 4, 4, 2],
      ...["0.000 M", "0.000 M", "2.40×", "0.8 KiB", "0.3 KiB", "3.00×"],
    ]);
    expect(second).toEqual([
      ...["d1", "dense", "dense", "int8", 1, 24, 2048, 16, 24, 1],
      ...["0.049 M", "0.002 M", "20.21×", "192.0 KiB", "32.4 KiB", "5.92×"],
    ]);
    expect(all).toEqual([
      ...["all of these", "", "", "", "", "", "", "", "", ""],
      ...["0.049 M", "0.003 M", "19.64×", "192.8 KiB", "32.7 KiB", "5.90×"],
    ]);
    expect(rest).toEqual([]); // there is nothing else
    expect(layers.toString()).toContain("lines: layers that can be replaced");
  });

  it("names the others that are left dense, and one of more bytes", () => {
    const narrow = convert(dense(8, 8, 2, 2, 2, 2, 2), { layers: ["d1"], task: "regression" }).layers;
    expect(narrow.toString()).toContain(
      "left dense: d0, d2, d3 and d4 (not chosen), d5 (the head); of more bytes as a lookup: d1",
    );
    const many = convert(dense(8, 8, 2, 2, 2, 2, 2, 2), { layers: ["d1"], task: "regression" }).layers;
    expect(many.toString()).toContain("left dense: d0, d2, d3 and 2 more (not chosen), d6 (the head)");
  });

  it("says which tables cannot be saved", () => {
    const remarks = (tableBits: 4 | 8 | 16 | "float") =>
      convert(tinyNetwork(), { profile: { ...profiles.plus, tableBits } }).layers.remarks.filter((remark) =>
        remark.includes("not saved"),
      );
    expect(remarks("float")).toEqual(["tables of float32 can be trained and measured, not saved"]);
    expect(remarks(16)).toEqual(["tables of 16 bits can be trained and measured, not saved"]);
    expect([remarks(8), remarks(4)]).toEqual([[], []]);
  });
});

describe("stages", () => {
  it("take layers and epochs in order, the later ones what is left over", () => {
    expect(makeStages(3, ["a", "b", "c", "d", "e"], 7)).toEqual([
      { layers: ["a"], epochs: 2 },
      { layers: ["b", "c"], epochs: 2 },
      { layers: ["d", "e"], epochs: 3 },
    ]);
    expect(makeStages(1, ["a"], 1)).toEqual([{ layers: ["a"], epochs: 1 }]);
    expect(makeStages(2, ["a", "b"], 2).map(({ epochs }) => epochs)).toEqual([1, 1]);
    for (const stages of [0, -1, 3, 1.5]) expect(() => makeStages(stages, ["a", "b"], 5)).toThrow("1 to 2");
  });

  it("have folders of their own, counted from 1", () => {
    expect(stageFolders({ epochs: 1, checkpoint: "c", log: "l" }, 0)).toEqual({
      checkpoint: join("c", "stage-1"),
      log: join("l", "stage-1"),
    });
    expect(stageFolders({ epochs: 1, checkpoint: { folder: "c", everySeconds: 4 } }, 1)).toEqual({
      checkpoint: { folder: join("c", "stage-2"), everySeconds: 4 },
    });
    expect(stageFolders({ epochs: 1 }, 0)).toEqual({});
  });
});

const option = (cost: number, harm: number): LayerOption => ({
  numCentroids: 16,
  subvectorLength: 9,
  cost: { flops: 2 * cost, bytes: cost, latency: cost / 1000 },
  localError: harm / 8,
  harm,
});
const measured = (name: string, cost: number, options: [number, number][]): MeasuredLayer => ({
  name,
  dense: { ...option(cost, 0), numCentroids: 0, subvectorLength: 0 },
  options: options.map(([one, harm]) => option(one, harm)),
});

describe("a trade-off", () => {
  const path = (layers: MeasuredLayer[]) => tradeOff(layers, "bytes").map(({ cost, harm }) => [cost, harm]);

  it("leaves out a first step that a mixture of dense and the next one beats", () => {
    const one = measured("one", 100, [
      [90, 10],
      [50, 1],
    ]);
    expect(path([one])).toEqual([
      [100, 0],
      [50, 1],
    ]);
  });

  it("leaves out what lies on the line, of equals the less harmful, and what costs as much as dense", () => {
    const layers = [
      measured("one", 100, [
        [100, -1],
        [80, 2],
        [60, 4],
        [60, 5],
      ]),
    ];
    expect(path(layers)).toEqual([
      [100, 0],
      [60, 4],
    ]);
  });

  it("weighs harm per saved cost, not harm", () => {
    const layers = [
      measured("little", 1000, [[999, 1]]),
      measured("much", 1000, [[100, 9]]),
      measured("none", 10, []),
    ];
    expect(path(layers)).toEqual([
      [2010, 0],
      [1110, 9],
      [1109, 10],
    ]);
  });
});

describe("a plan", () => {
  const layers = [
    measured("first", 4096, [[1024, 0.5]]),
    measured("second", 2048, [[512, 4]]),
    measured("third", 300, []),
  ];
  const points = tradeOff(layers, "bytes");
  const accuracy = { metric: { name: "accuracy", unit: "%", higherIsBetter: true }, divergenceUnit: "nats" };
  const made = (chosen: PlanPoint, cost: "bytes" | "flops" | "latency" = "bytes", task = accuracy) =>
    new Plan("net", cost, layers, points, chosen, task);

  it("takes the dearest point within its budget, and says the least there is", () => {
    expect(cheapEnough(points, 6444, "bytes")).toBe(points[0]);
    expect(cheapEnough(points, 6443, "bytes")).toBe(points[1]);
    expect(cheapEnough(points, points[2].cost, "bytes")).toBe(points[2]);
    expect(() => cheapEnough(points, 1024, "bytes")).toThrow("at least 1.8 KiB, the least");
    expect(() => cheapEnough(points, 1024, "bytes")).toThrow("(got 1.0 KiB)");
    expect(["bytes", "flops", "latency"].map((name) => costOf({ [name]: 1 } as { bytes: number }))).toEqual([
      "bytes",
      "flops",
      "latency",
    ]);
    expect(costOf({ accuracyDrop: 1 })).toBe("flops");
    expect(costOf({ accuracyDrop: 1, minimize: "latency" })).toBe("latency");
  });

  it("shows every layer's choice, and what all cost", () => {
    const table = made(points[1]).toTable();
    expect(table.rows).toEqual([
      ["first", "lookup", 16, 9, "0.063", "0.5000", "4.0 KiB", "1.0 KiB"],
      ["second", "dense", null, null, null, null, "2.0 KiB", "2.0 KiB"],
      ["third", "dense", null, null, null, null, "0.3 KiB", "0.3 KiB"],
    ]);
    expect(made(points[1]).options).toEqual({
      layers: ["first"],
      numCentroids: { first: 16 },
      subvectorLength: { first: 9 },
    });
    expect(made(points[0]).summary()).toBe(
      "net: 6.3 KiB dense, 6.3 KiB chosen, expected divergence 0.0000 nats",
    );
    expect(made(points[1], "flops").toTable().rows[0].slice(-2)).toEqual(["0.008 M", "0.002 M"]);
    expect(made(points[1], "latency").toTable().rows[0].slice(-2)).toEqual(["4096.0 µs", "1024.0 µs"]);
  });

  it("says what was lost or gained in the metric's own unit", () => {
    const said = (measuredDrop: number, task = accuracy) =>
      made({ ...points[2], measuredDrop }, "bytes", task)
        .summary()
        .split("; ")[1];
    expect(said(1.25)).toBe("measured: 1.25 points of accuracy lost on the validation data");
    expect(said(-0.5)).toBe("measured: 0.50 points of accuracy gained on the validation data");
    expect(said(0)).toBe("measured: 0.00 points of accuracy lost on the validation data");
    const metres = { ...accuracy, metric: { name: "error", unit: "m", higherIsBetter: false } };
    expect(said(12.345, metres)).toBe("measured: 12.3 m of error lost on the validation data");
  });

  it("draws harm against cost in a unit that can be read", () => {
    const drawn = (cost: "bytes" | "flops" | "latency") => made(points[1], cost).figure().chart;
    const [line, chosen] = drawn("bytes").panels[0].series;
    expect(line.values).toEqual([0, 0.5, 4.5]);
    expect(line.at).toEqual([6444 / 1024, 3372 / 1024, 1836 / 1024]);
    expect(line.labels).toEqual(["dense", null, "all cheapest"]);
    expect([chosen.values, chosen.at]).toEqual([[0.5], [3372 / 1024]]);
    expect(drawn("bytes").subtitle).toMatch(/^chosen: 3\.3 KiB, 1 of 3 layers replaced;/);
    expect(drawn("flops").panels[0].series[1].at![0]).toBeCloseTo(3372e-6, 12);
    expect(drawn("latency").panels[0].series[1].at).toEqual([3372 * 1000]);
    expect(made(points[2]).figure().chart.panels[0].series[0].labels).toEqual(["dense", null, null]);
  });

  it("tries every K with every multiple of V that is whole windows and divides the input", async () => {
    const data = tinyData(24);
    const { layers: tried } = await plan(tinyNetwork(3), {
      data,
      validation: data,
      budget: { bytes: 1e9 },
      layers: ["c2", "c4"],
      numCentroids: [2, 3],
      subvectorMultiples: [0.5, 1, 3, 8, 16],
    });
    const pairs = tried.map(({ options }) => options.map((one) => [one.numCentroids, one.subvectorLength]));
    // c2: D = 72 in windows of 9; c4: D = 8, windows of 1, V = 4 by default.
    expect(pairs).toEqual([
      [2, 3].flatMap((k) => [9, 72].map((v) => [k, v])),
      [2, 3].flatMap((k) => [2, 4].map((v) => [k, v])),
    ]);
    const [{ dense: before, options }] = tried;
    expect(before.cost).toEqual({ flops: 36 * 72 * 8, bytes: 4 * 72 * 8, latency: 0 });
    expect(options[0].cost).toEqual({
      flops: 36 * 72 * 2 + 36 * 8 * 8,
      bytes: 2 * (72 + 4 * 8) + 8 * 2 * 8,
      latency: 0,
    });
    expect(options.every(({ localError, harm }) => localError > 0 && harm > 0)).toBe(true);
  });
});

describe("what is held at once", () => {
  it("is 256 MiB of activations, and rows of four million numbers", () => {
    expect(ACTIVATION_BYTES).toBe(256 * 1024 * 1024);
    expect(rowsAtOnce(1)).toBe(4 * 1024 * 1024);
    expect(rowsAtOnce(1000)).toBe(4194);
    expect(rowsAtOnce(5e6)).toBe(1);
  });

  it("grows where activations shrink, and every example passes every call once", async () => {
    // Bytes of an example: 4·(10 + 50) at the first call, 4·(50 + 5) at the second, 4·(5 + 2) at the third.
    const model = dense(10, 50, 5, 2);
    const graph = new NetworkGraph(model);
    const examples = 30;
    const data = new datasets.ArrayExamples({
      name: "d",
      inputs: { x: { shape: [10], values: Float32Array.from({ length: 10 * examples }, (_, i) => i / 100) } },
      target: { kind: "values", length: 2 },
      targets: new Float32Array(2 * examples),
    });
    const { signal } = new AbortController();
    const stream = new ActivationStream(graph, [(node) => node.layer], data, {
      signal,
      maximumBytes: 240 * 8,
    });
    const sizes: number[][] = [];
    const results: number[] = [];
    const before = tf.memory().numBytes;
    for (;;) {
      await stream.fill();
      if (stream.size === 0) break;
      const seen = [stream.size];
      for (const node of graph.nodes) {
        await stream.fill();
        seen.push(stream.size);
        expect(stream.inputs(node).reduce((sum, { shape }) => sum + shape[0], 0)).toBe(stream.size);
        await stream.advance();
      }
      // Of each example what the network gives, and its target: 2 numbers each. Its inputs have gone.
      expect(tf.memory().numBytes - before).toBe(stream.size * 4 * (2 + 2));
      sizes.push(seen);
      for (const [output] of stream.results()) results.push(...output.dataSync());
      stream.restart();
    }
    await stream.dispose();
    // 8 examples fit at the widest call, in batches of a quarter; 68 by the end, which takes all that are left.
    expect(sizes).toEqual([[8, 8, 8, 30]]);
    // Two networks hold twice as much.
    const layer = (node: (typeof graph.nodes)[0]) => node.layer;
    const both = new ActivationStream(graph, [layer, layer], data, { signal, maximumBytes: 240 * 8 });
    await both.fill();
    expect(both.size).toBe(4);
    await both.dispose();
    const x = tf.tensor2d(data.arrays.inputs.x.values as Float32Array, [examples, 10]);
    const wanted = [...(model.predict(x) as tf.Tensor).dataSync()];
    expect(results.length).toBe(wanted.length);
    for (const [i, value] of results.entries()) expect(value).toBeCloseTo(wanted[i], 4);
  });
});

describe("examples kept to check files by", () => {
  it("are the first four of the first data, else random ones of the input's kind", async () => {
    const samples = new Samples([
      { id: "a", name: "a", shape: [null, 2, 3], dtype: "float32" },
      { id: "b", name: "b", shape: [null, 5], dtype: "int32" },
    ] as never);
    expect(samples.origin).toBe("random examples");
    const [floats, whole] = samples.tensors();
    expect([floats.shape, floats.dtype, whole.shape, whole.dtype]).toEqual([
      [4, 2, 3],
      "float32",
      [4, 5],
      "int32",
    ]);
    const values = [...floats.dataSync()];
    expect(new Set(values).size).toBe(24);
    expect(values.every((value) => Math.abs(value) < 1)).toBe(true);
    expect(values.some((value) => value < -0.2) && values.some((value) => value > 0.2)).toBe(true);
    expect([...new Set(whole.dataSync())].sort()).toEqual([0, 1]);
    tf.dispose([floats, whole]);

    const graph = new NetworkGraph(tinyNetwork());
    const kept = new Samples(graph.inputs);
    await kept.remember(tinyData(9));
    await kept.remember(tinyData(9, 1));
    expect(kept.origin).toBe("examples of the data");
    const [images] = kept.tensors();
    expect(images.shape).toEqual([4, 6, 6, 2]);
    expect([...images.dataSync()]).toEqual([...tinyData(9).images.subarray(0, 4 * 72)]);
    images.dispose();
  });
});
