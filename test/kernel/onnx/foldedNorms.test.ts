import { convert, inference, models, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { expectSameFile, randomInputs, randomWeights } from "./sameOutputs";
import { withLookups } from "./withLookups";

type Tensor = tf.SymbolicTensor;
const L = tf.layers;
const norm = (name: string, args = {}) => L.batchNormalization({ name, ...args });

/** A network of images in which `inner` stands between two convolutions, `looked` being looked up. */
function around(inner: (x: Tensor) => Tensor): tf.LayersModel {
  const input = tf.input({ shape: [6, 5, 3], name: "image" });
  const looked = L.conv2d({ filters: 4, kernelSize: 3, name: "looked" }).apply(input) as Tensor;
  const last = L.conv2d({ filters: 2, kernelSize: 1, name: "last" }).apply(inner(looked)) as Tensor;
  return randomWeights(tf.model({ inputs: input, outputs: last, name: "around" }));
}

const lookups = (model: tf.LayersModel) => withLookups(model, { looked: 9 });
const operators = (bytes: Uint8Array) => readModel(bytes, "test").graph!.node.map(({ opType }) => opType);
const normsIn = (bytes: Uint8Array) =>
  operators(bytes).filter((name) => name === "BatchNormalization").length;

/** The file computes what the network computes, by itself and by the check at the door; returns how many norms it has. */
async function norms(model: tf.LayersModel): Promise<number> {
  const inputs = randomInputs(model);
  const bytes = await expectSameFile(model, inputs);
  const check = await inference.checkFile(bytes, model, inputs);
  expect(check.sentence).toMatch(/^the file equals the network/);
  expect(check.worst).toBeLessThan(1e-5);
  return normsIn(bytes);
}

describe("a batch norm behind a lookup", () => {
  it.each<[string, (x: Tensor) => Tensor]>([
    ["with γ and β", (x) => norm("bn").apply(x) as Tensor],
    ["without them", (x) => norm("bn", { scale: false, center: false }).apply(x) as Tensor],
    [
      "with layers between that act while training alone",
      (x) =>
        norm("bn").apply(
          L.dropout({ rate: 0.5 }).apply(L.activation({ activation: "linear" }).apply(x)),
        ) as Tensor,
    ],
  ])("is part of its scale and bias: %s", async (_, inner) => {
    expect(await norms(lookups(around(inner)))).toBe(0);
  });

  it.each<[string, (x: Tensor) => Tensor]>([
    ["an activation between", (x) => norm("bn").apply(L.reLU().apply(x)) as Tensor],
    ["another reader", (x) => L.add().apply([norm("bn").apply(x) as Tensor, x]) as Tensor],
    ["another axis", (x) => norm("bn", { axis: 1 }).apply(x) as Tensor],
  ])("stays in the file where folding would change something: %s", async (_, inner) => {
    expect(await norms(lookups(around(inner)))).toBe(1);
  });

  it("stays where its input is an output of the network, or is revealed", async () => {
    const input = tf.input({ shape: [6, 5, 3], name: "image" });
    const looked = L.conv2d({ filters: 4, kernelSize: 3, name: "looked" }).apply(input) as Tensor;
    const model = lookups(
      randomWeights(tf.model({ inputs: input, outputs: [norm("bn").apply(looked) as Tensor, looked] })),
    );
    expect(await norms(model)).toBe(1);
    const inner = lookups(around((x) => norm("bn").apply(x) as Tensor));
    const [node] = new NetworkGraph(inner).nodes;
    expect(normsIn(exportOnnx(inner, { reveal: node.outputs }))).toBe(1);
    expect(normsIn(exportOnnx(inner, { reveal: "all" }))).toBe(0);
  });

  it("of a dense layer, of a sequence and of each call of a layer that is used again is folded too", async () => {
    const tokens = tf.input({ shape: [7, 8], name: "tokens" });
    const shared = L.dense({ units: 8, name: "shared" });
    const first = norm("first").apply(shared.apply(tokens));
    const second = norm("second").apply(shared.apply(first));
    const conv = L.conv1d({ filters: 5, kernelSize: 3, name: "along" }).apply(second);
    const model = randomWeights(tf.model({ inputs: tokens, outputs: norm("third").apply(conv) as Tensor }));
    const converted = withLookups(model, { shared: 4, along: 6 });
    expect(await norms(converted)).toBe(0);
    const names = readModel(exportOnnx(converted), "test").graph!.initializer.map(({ name }) => name);
    expect(names.filter((name) => name.endsWith("/table"))).toHaveLength(2);
    expect(names.filter((name) => name.endsWith("/scale"))).toHaveLength(3);
  });

  it.each([
    ["ResNet18", models.resnet18, 1],
    // Those that are not directly behind a convolution: the first of each block.
    ["SENet18", models.senet18, 1 + 8],
  ] as const)("of a whole %s is folded wherever it is directly behind a lookup", async (_, make, left) => {
    const model = randomWeights(make({ inputShape: [16, 16, 3], numClasses: 4, form: "cifar", width: 4 }));
    const names = convert(model).layers.names;
    const converted = withLookups(
      model,
      Object.fromEntries(names.map((name) => [name, name.endsWith("shortcut") ? 4 : 9])),
    );
    const inputs = randomInputs(converted);
    const bytes = exportOnnx(converted);
    expect(normsIn(bytes)).toBe(left);
    expect(operators(bytes).filter((name) => name.startsWith("LutConv"))).toHaveLength(19);
    expect((await inference.checkFile(bytes, converted, inputs)).sentence).toMatch(/^the file equals/);
  });

  it("stays where its numbers are not finite", () => {
    const model = lookups(around((x) => norm("bn", { epsilon: 0 }).apply(x) as Tensor));
    const layer = model.getLayer("bn");
    const [gamma, beta, mean, variance] = layer.getWeights();
    layer.setWeights([gamma, beta, mean, tf.zerosLike(variance)]);
    expect(normsIn(exportOnnx(model))).toBe(1);
  });

  it("is checked with the lookup: a file whose folded scale is wrong does not pass", async () => {
    const model = lookups(around((x) => norm("bn").apply(x) as Tensor));
    const bytes = exportOnnx(model);
    const layer = model.getLayer("bn");
    layer.setWeights(layer.getWeights().map((weight, i) => (i === 0 ? tf.mul(weight, 1.01) : weight)));
    const check = await inference.checkFile(bytes, model, randomInputs(model));
    expect(check).toMatchObject({ ok: false });
  });
});
