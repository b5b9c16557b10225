import { convert, models, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { excitationCalls } from "../../../kernel/lib/layers/excitation";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";

type Tensor = tf.SymbolicTensor;
const L = tf.layers;

/** A map of 8 channels times what `gate` makes of it, between two convolutions and before a head. */
function gated(gate: (x: Tensor) => Tensor): tf.LayersModel {
  const input = tf.input({ shape: [6, 6, 2], name: "image" });
  const stem = L.conv2d({ filters: 8, kernelSize: 3, name: "stem" }).apply(input) as Tensor;
  const scaled = L.multiply({ name: "scaled" }).apply([gate(stem), stem]);
  const next = L.conv2d({ filters: 8, kernelSize: 3, name: "next" }).apply(scaled);
  const pooled = L.globalAveragePooling2d({ name: "pool" }).apply(next);
  const head = L.dense({ units: 3, name: "head" }).apply(pooled) as Tensor;
  return tf.model({ inputs: input, outputs: head, name: "gated" });
}

const one = (units: number) => L.dense({ units, name: "a" });
const two = (units = 8) => L.dense({ units, name: "b", activation: "sigmoid" });
const through = (x: unknown, ...layers: tf.layers.Layer[]): Tensor =>
  layers.reduce((value, layer) => layer.apply(value as Tensor) as Tensor, x as Tensor);
const reshaped = () => L.reshape({ targetShape: [1, 1, 8] });
const mean = () => L.globalAveragePooling2d({});
const point = (filters: number, name: string) => L.conv2d({ filters, kernelSize: 1, name });

const found = (model: tf.LayersModel): string[] =>
  [...excitationCalls(new NetworkGraph(model))].map(({ name }) => name).sort();

describe("squeeze-and-excitation", () => {
  it.each<[string, (x: Tensor) => Tensor]>([
    ["two dense layers", (x) => through(x, mean(), one(2), L.reLU(), two(), reshaped())],
    ["an inner layer larger than the outer", (x) => through(x, mean(), one(40), two(), reshaped())],
    ["no reshape", (x) => through(x, mean(), one(2), two())],
    ["the largest instead of the mean", (x) => through(x, L.globalMaxPooling2d({}), one(2), two())],
    [
      "1×1 convolutions on a map of one position, with norms",
      (x) =>
        through(
          x,
          L.averagePooling2d({ poolSize: 4 }),
          point(2, "a"),
          L.batchNormalization(),
          L.reLU(),
          point(8, "b"),
          L.activation({ activation: "hardSigmoid" }),
        ),
    ],
  ])("is found by edges and left dense: %s", (_, gate) => {
    const model = gated(gate);
    expect(found(model)).toEqual(["a", "b"]);
    const { layers } = convert(model);
    expect(layers.names).toEqual(["next"]);
    expect(layers.toString()).toMatch(
      /left dense: stem \(the first convolution\), a and b \(squeeze-and-excitation\), head \(the head\)/,
    );
    expect(convert(model, { layers: ["a", "next"] }).layers.names).toEqual(["a", "next"]);
  });

  it.each<[string, (x: Tensor) => Tensor]>([
    ["one dense layer", (x) => through(x, mean(), two(), reshaped())],
    ["three dense layers", (x) => through(x, mean(), one(2), L.dense({ units: 4, name: "c" }), two())],
    ["no pooling over everything", (x) => through(x, L.flatten(), one(2), two())],
    ["a map that is not one position", (x) => through(x, point(2, "a"), point(8, "b"))],
    [
      "pooling of a part",
      (x) =>
        through(
          x,
          L.averagePooling2d({ poolSize: 4, strides: 1, padding: "same" }),
          point(2, "a"),
          point(8, "b"),
        ),
    ],
  ])("is nothing else: %s", (_, gate) => {
    expect(found(gated(gate))).toEqual([]);
  });

  it("is not a layer that is used elsewhere too", () => {
    const shared = L.dense({ units: 8, name: "b" });
    const input = tf.input({ shape: [6, 6, 8], name: "image" });
    const pooled = mean().apply(input);
    const gate = shared.apply(one(8).apply(pooled)) as Tensor;
    const scaled = L.multiply().apply([gate, input]);
    const again = shared.apply(L.globalMaxPooling2d({}).apply(scaled));
    const head = L.dense({ units: 3, name: "head" }).apply(again) as Tensor;
    const model = tf.model({ inputs: input, outputs: head });
    expect(convert(model, { task: "classification" }).layers.names).toEqual(["b"]);
  });

  it("of SENet18 is left dense, which leaves the lookups of ResNet18", () => {
    const options = { inputShape: [32, 32, 3], numClasses: 10, width: 16 };
    const resnet = convert(models.resnet18(options)).layers;
    const senet = convert(models.senet18(options)).layers;
    expect(senet.names).toEqual(resnet.names);
    expect(resnet.names).toHaveLength(19);
    expect(senet.toString()).toContain(
      "stage1_block1_se1, stage1_block1_se2, stage1_block2_se1 and 13 more (squeeze-and-excitation)",
    );
  });
});

describe("the table of layers", () => {
  it("shows rows N, input length D and outputs M as they are counted", () => {
    const table = convert(models.resnet18({ inputShape: [32, 32, 3], numClasses: 10 })).layers.toTable();
    expect(table.columns.slice(0, 10).map(({ title }) => title)).toEqual([
      "layer",
      "op",
      "state",
      "codes",
      "N",
      "D",
      "M",
      "K",
      "V",
      "C",
    ]);
    const row = table.rows.find(([name]) => name === "stage2_block1_shortcut")!;
    expect(row.slice(3, 10)).toEqual(["int8", 256, 64, 128, 16, 4, 16]);
    expect(table.rows.at(-1)).toHaveLength(table.columns.length);
  });

  it("says which layers are no smaller as lookups", () => {
    const wide = convert(models.resnet18({ inputShape: [32, 32, 3], numClasses: 10 })).layers;
    const shortcuts = [2, 3, 4].map((stage) => `stage${stage}_block1_shortcut`);
    expect(wide.toString()).toContain(
      `of more bytes as lookups: ${shortcuts[0]}, ${shortcuts[1]} and ${shortcuts[2]}`,
    );
  });
});
