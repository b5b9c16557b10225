import { type tf as Tf, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { exportLayer } from "../../../kernel/lib/layers/exportOnnx";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { linearOperator } from "../../../kernel/lib/layers/linearOperator";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { expectSame, expectSameFile, randomInputs, randomWeights, runOnnx } from "./sameOutputs";
import { withLookups } from "./withLookups";

const L = tf.layers;
type Symbolic = Tf.SymbolicTensor;

const kinds: [string, (name: string) => Tf.layers.Layer, number[], number][] = [
  [
    "conv2d",
    (name) => L.conv2d({ filters: 5, kernelSize: [3, 2], padding: "same", activation: "relu", name }),
    [5, 7, 4],
    6,
  ],
  [
    "conv2d, strides 1, 2",
    (name) => L.conv2d({ filters: 5, kernelSize: 2, strides: [1, 2], useBias: false, name }),
    [5, 7, 4],
    8,
  ],
  [
    "conv2d, dilated",
    (name) => L.conv2d({ filters: 5, kernelSize: 2, dilationRate: [1, 2], padding: "same", name }),
    [5, 7, 4],
    4,
  ],
  [
    "conv1d",
    (name) => L.conv1d({ filters: 5, kernelSize: 3, padding: "same", activation: "tanh", name }),
    [7, 4],
    6,
  ],
  [
    "conv1d, strides 2",
    (name) => L.conv1d({ filters: 5, kernelSize: 3, strides: 2, padding: "same", name }),
    [8, 4],
    3,
  ],
  [
    "conv1d, dilated, no bias",
    (name) => L.conv1d({ filters: 5, kernelSize: 2, dilationRate: 3, useBias: false, name }),
    [8, 3],
    2,
  ],
  ["dense", (name) => L.dense({ units: 5, activation: "softmax", name }), [12], 4],
  ["dense on sequences", (name) => L.dense({ units: 5, name }), [3, 8], 4],
  ["dense on images", (name) => L.dense({ units: 5, activation: "relu", name }), [5, 7, 4], 2],
];

describe("a layer that is looked up", () => {
  it.each(kinds)("is exported as it computes: %s", async (_, make, shape, V) => {
    const input = tf.input({ shape });
    const model = tf.model({ inputs: input, outputs: make("looked").apply(input) as Symbolic });
    const converted = withLookups(model, { looked: V });
    expect(converted.outputs[0].shape).toEqual(model.outputs[0].shape);
    const bytes = await expectSameFile(converted);
    expect(readModel(bytes, "test").graph!.node.filter(({ domain }) => domain === "ai.lutnn").length).toBe(1);
  });

  it.each(kinds)("is exported alone without its activation: %s", async (_, make, shape, V) => {
    const input = tf.input({ shape });
    const model = randomWeights(
      tf.model({ inputs: input, outputs: make("looked").apply(input) as Symbolic }),
    );
    const converted = withLookups(model, { looked: V });
    for (const network of [model, converted]) {
      const [node] = new NetworkGraph(network).nodes;
      const [x] = randomInputs(network);
      const { output } = await runOnnx(exportLayer(node), network, [x]);
      const kind = node.layer.constructor as Tf.serialization.SerializableConstructor<Tf.layers.Layer>;
      const linear = kind.fromConfig(kind, { ...node.layer.getConfig(), activation: "linear" });
      linear.apply(tf.input({ shape }));
      linear.setWeights(node.layer.getWeights());
      expectSame(output, linear.apply(x) as Tf.Tensor);
    }
    const [node] = new NetworkGraph(model).nodes;
    const twin = converted.getLayer("looked");
    const opTypes = readModel(exportLayer(node, twin), "test").graph!.node.map(({ domain }) => domain);
    expect(opTypes).toContain("ai.lutnn");
  });

  it("writes its arrays once where it is used twice, on two sizes", async () => {
    const input = tf.input({ shape: [6, 8, 2] });
    const shared = L.conv2d({ filters: 2, kernelSize: 3, padding: "same", name: "shared" });
    const first = shared.apply(input) as Symbolic;
    const second = shared.apply(L.maxPooling2d({ poolSize: 2, name: "pool" }).apply(first)) as Symbolic;
    const converted = withLookups(tf.model({ inputs: input, outputs: second }), { shared: 9 });
    const { graph } = readModel(await expectSameFile(converted), "test");
    expect(graph!.node.filter(({ opType }) => opType === "LutConv").length).toBe(2);
    expect(
      graph!.initializer
        .map(({ name }) => name)
        .filter((name) => name!.startsWith("shared/"))
        .sort(),
    ).toEqual(["bias", "centroids", "scale", "table"].map((name) => `shared/${name}`));
  });

  it("stands in a network with others, behind a Reshape that leaves a length open too", async () => {
    const input = tf.input({ shape: [6, 8, 2] });
    const image = L.conv2d({ filters: 4, kernelSize: 3, name: "a" }).apply(input);
    const rows = L.reshape({ targetShape: [-1, 12], name: "rows" }).apply(image);
    const sequence = L.conv1d({ filters: 6, kernelSize: 3, padding: "same", name: "b" }).apply(rows);
    const outputs = L.dense({ units: 3, name: "c" }).apply(sequence) as Symbolic;
    const model = randomWeights(tf.model({ inputs: input, outputs }));
    expect(linearOperator(new NetworkGraph(model).nodes[2]).positions).toBe(8);
    await expectSameFile(withLookups(model, { a: 9, b: 3, c: 2 }));
  });
});
