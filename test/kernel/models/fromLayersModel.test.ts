import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert, fromLayersModel, tf, fit as train } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "lutnn layers model é "));
afterAll(() => rmSync(folder, { recursive: true }));

/** Images of open size and numbers, a nested network, a layer used twice, two outputs. */
function network(): tf.LayersModel {
  const inner = tf.sequential({
    name: "inner",
    layers: [
      tf.layers.conv2d({
        filters: 4,
        kernelSize: 3,
        padding: "same",
        name: "first",
        inputShape: [null!, null!, 2],
      }),
      tf.layers.batchNormalization({ name: "norm" }),
    ],
  });
  const image = tf.input({ shape: [null, null, 2], name: "image" });
  const numbers = tf.input({ shape: [3], name: "numbers" });
  const shared = tf.layers.conv2d({
    filters: 4,
    kernelSize: 3,
    padding: "same",
    name: "twice",
    activation: "relu",
  });
  const y = shared.apply(shared.apply(inner.apply(image)));
  const pooled = tf.layers.globalAveragePooling2d({ name: "pool" }).apply(y) as tf.SymbolicTensor;
  const joined = tf.layers.concatenate({ name: "join" }).apply([pooled, numbers]);
  const classes = tf.layers.dense({ units: 3, activation: "softmax", name: "classes" }).apply(joined);
  const score = tf.layers.dense({ units: 1, name: "score" }).apply(joined);
  const model = tf.model({ inputs: [image, numbers], outputs: [classes, score] as tf.SymbolicTensor[] });
  model.setWeights(
    model.getWeights().map((one, i) => tf.abs(tf.randomNormal(one.shape, 0.2, 0.5, "float32", i + 1))),
  );
  return model;
}

const inputs = () => [
  tf.randomNormal([2, 8, 8, 2], 0, 1, "float32", 7),
  tf.randomNormal([2, 3], 0, 1, "float32", 8),
];
const outputsOf = (model: tf.LayersModel) =>
  (model.predict(inputs()) as tf.Tensor[]).map((output) => output.dataSync());
const sized = { inputShape: { image: [8, 8, null] } };

describe("fromLayersModel", () => {
  it("makes a network that computes the same and can be converted, and leaves the given one alone", async () => {
    const given = network();
    const before = given.getWeights().map((one) => one.dataSync());
    const made = await fromLayersModel(given, sized);
    expect(made.inputs.map(({ shape }) => shape)).toEqual([
      [null, 8, 8, 2],
      [null, 3],
    ]);
    expect(made.layers.map(({ name }) => name)).toContain("first"); // laid open
    expect(outputsOf(made)).toEqual(outputsOf(given));
    const classifier = tf.model({ inputs: made.inputs, outputs: made.outputs[0] });
    expect(convert(classifier).layers.names).toEqual(["twice"]);
    made.setWeights(made.getWeights().map((one) => tf.zerosLike(one)));
    expect(given.getWeights().map((one) => one.dataSync())).toEqual(before);
  });

  it.each(["folder", "file"])("reads what tf.js saved, by its %s", async (by) => {
    const model = network();
    const into = join(folder, by);
    await model.save(`file://${into}`);
    const made = await fromLayersModel(by === "folder" ? into : join(into, "model.json"), sized);
    expect(outputsOf(made)).toEqual(outputsOf(model));
  });

  it("trains", async () => {
    const small = tf.sequential({
      layers: [
        tf.layers.dense({ units: 8, activation: "relu", inputShape: [4] }),
        tf.layers.dense({ units: 1 }),
      ],
    });
    const made = await fromLayersModel(small);
    const xs = tf.randomNormal([64, 4], 0, 1, "float32", 1);
    const ys = xs.sum(1, true);
    const data = tf.data.zip({
      xs: tf.data.array(xs.arraySync() as number[][]),
      ys: tf.data.array(ys.arraySync() as number[][]),
    });
    const history = await train(made, data, { batchSize: 16, epochs: 3, task: "regression" });
    const losses = history.epochs.map(({ loss }) => loss);
    expect(losses[2]).toBeLessThan(losses[0]);
  });

  it.each<[string, () => unknown, object, RegExp]>([
    [
      "open sizes",
      network,
      {},
      /every length of input "image" after the batch must be known \(got .*, where .*\{ inputShape: \[32, 32, 2\] \}/,
    ],
    [
      "a shape for one of two inputs",
      network,
      { inputShape: [8, 8, 2] },
      /by the names of the inputs, image, numbers \(got one shape for 2 inputs\)/,
    ],
    [
      "a shape of no input",
      network,
      { inputShape: { picture: [8, 8, 2] } },
      /image, numbers \(got "picture"\)/,
    ],
    ["another rank", network, { inputShape: { image: [8, 8] } }, /every length of input "image"/],
    ["no network", () => 5, {}, /must be a tf.LayersModel or a path \(got number\)/],
    ["no file", () => join(folder, "none"), {}, /^fromLayersModel: .*none/],
  ])("says in one sentence what is wrong: %s", async (_, make, options, sentence) => {
    await expect(fromLayersModel(make() as tf.LayersModel, options)).rejects.toThrow(sentence);
  });

  it("says so of a network that flattens, given another size", async () => {
    const flat = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [8, 8, 1] }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 3, name: "head" }),
      ],
    });
    await expect(fromLayersModel(flat, { inputShape: [10, 10, 1] })).rejects.toThrow(
      /weights' shapes as they are \(head has 72×3 and would need 128×3\)/,
    );
  });

  it.each<[string, string, RegExp]>([
    [
      "a graph model",
      '{"format": "graph-model", "modelTopology": {}}',
      /a graph-model, which knows no layers\); .*fromOnnx/,
    ],
    ["other JSON", '{"cells": []}', /JSON without modelTopology, or none/],
    ["null", "null", /JSON without modelTopology, or none/],
    ["no JSON", "model", /JSON without modelTopology, or none/],
  ])("refuses %s", async (name, text, sentence) => {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, text);
    await expect(fromLayersModel(path)).rejects.toThrow(sentence);
  });

  it("refuses unknown classes and files without their weights by name", async () => {
    const into = join(folder, "damaged");
    mkdirSync(into);
    await network().save(`file://${into}`);
    const text = readFileSync(join(into, "model.json"), "utf8");
    writeFileSync(join(into, "other.json"), text.replace('"GlobalAveragePooling2D"', '"Fancy"'));
    await expect(fromLayersModel(join(into, "other.json"))).rejects.toThrow(
      /classes of all layers must be known \(got Fancy in .*registerClass/,
    );
    rmSync(join(into, "weights.bin"));
    await expect(fromLayersModel(into)).rejects.toThrow(/must be whole, with its weights beside it \(/);
  });
});
