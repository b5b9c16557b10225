import { createRequire } from "node:module";
import { layers, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { findHead } from "../../../kernel/lib/layers/head";
import { dot } from "../../../kernel/lib/layers/kinds/dot";
import { batchNormalization, layerNormalization } from "../../../kernel/lib/layers/kinds/normalization";
import type * as makers from "../../../kernel/lib/layers/makeLookup";
import { hasBefore, hasBehind } from "../../../kernel/lib/layers/norms";
import { axisWindow, perAxis } from "../../../kernel/lib/layers/window";
import { expectSameFile, randomWeights } from "../onnx/sameOutputs";
import { randomFloats } from "../random";

const L = tf.layers;
type Tensor = tf.SymbolicTensor;
// As the library itself loads it: its classes of layers are registered once.
const { makeLookup, makeMaddness } = createRequire(import.meta.url)(
  "../../../kernel/lib/layers/makeLookup",
) as typeof makers;

const through = (shape: number[], ...layers: tf.layers.Layer[]): tf.LayersModel => {
  const input = tf.input({ shape });
  const output = layers.reduce<Tensor>((x, layer) => layer.apply(x) as Tensor, input);
  return tf.model({ inputs: input, outputs: output });
};

describe("names of layers in nested networks", () => {
  const nested = (name: string, ...layers: string[]) => {
    const input = tf.input({ shape: [3] });
    const output = layers.reduce<Tensor>(
      (x, one) => L.dense({ units: 3, name: one }).apply(x) as Tensor,
      input,
    );
    return tf.model({ inputs: input, outputs: output, name });
  };

  it("are short where they are unique, else with the networks around; later calls are numbered", () => {
    const [first, second] = [nested("first", "dense", "only"), nested("second", "dense")];
    const input = tf.input({ shape: [3] });
    let x = first.apply(input) as Tensor;
    x = second.apply(first.apply(x)) as Tensor;
    const graph = new NetworkGraph(tf.model({ inputs: input, outputs: x }));
    expect(graph.nodes.map(({ key, name, around }) => [key, name, around])).toEqual([
      ["first/dense", "first/dense", ["first"]],
      ["only", "only", ["first"]],
      ["first/dense#2", "first/dense", ["first"]],
      ["only#2", "only", ["first"]],
      ["second/dense", "second/dense", ["second"]],
    ]);
    expect([...graph.layers.keys()]).toEqual(["first/dense", "only", "second/dense"]);
    expect(graph.callsOf("only").map(({ key }) => key)).toEqual(["only", "only#2"]);
    expect(() => graph.layer("dense")).toThrow(/it has first\/dense, only, second\/dense$/);
    // Each value has one maker, whatever it is called.
    for (const node of graph.nodes) for (const id of node.outputs) expect(graph.makerOf(id)).toBe(node);
    expect(graph.readersOf(graph.inputs[0].id)).toEqual([graph.nodes[0]]);
  });
});

describe("the head of a network", () => {
  const head = (shape: number[], ...layers: tf.layers.Layer[]) =>
    findHead(new NetworkGraph(through(shape, ...layers)));
  const softmax = () => L.dense({ units: 4, activation: "softmax", name: "end" });

  it("is a softmax where that is over the last axis in the end, however it was rearranged", () => {
    for (const layers of [
      [],
      [L.activation({ activation: "linear" })],
      [L.flatten(), L.reshape({ targetShape: [3, 4] })],
      [L.permute({ dims: [2, 1] }), L.permute({ dims: [2, 1] })],
      [L.dropout({ rate: 0.5 })],
      [L.globalAveragePooling1d({})],
    ])
      expect(head([3, 2], softmax(), ...layers)).toMatchObject({ nonlinearity: "softmax", layer: "end" });
  });

  it("is none where that is over another axis", () => {
    for (const layers of [
      [L.permute({ dims: [2, 1] })],
      [L.reshape({ targetShape: [4, 3] })],
      [L.flatten()],
      [L.permute({ dims: [2, 1] }), L.activation({ activation: "linear" })],
    ])
      expect(head([3, 2], softmax(), ...layers)).toMatchObject({
        nonlinearity: "other",
        activation: "softmax over another axis than the last",
      });
    expect(head([3, 4], L.softmax({ axis: 1, name: "end" })).nonlinearity).toBe("other");
    expect(head([3, 4], L.softmax({ axis: 2, name: "end" })).nonlinearity).toBe("softmax");
  });

  it("counts units and positions", () => {
    expect(head([3, 2], softmax())).toMatchObject({ units: 4, positions: 3 });
    expect(head([2], softmax())).toMatchObject({ units: 4, positions: 1 });
    expect(head([5, 3, 2], L.dense({ units: 4, activation: "sigmoid" }))).toMatchObject({
      nonlinearity: "sigmoid",
      units: 4,
      positions: 15,
    });
    expect(head([2], L.dense({ units: 4, name: "d" }))).toEqual({
      nonlinearity: "none",
      activation: "linear",
      layer: "d",
      units: 4,
      positions: 1,
    });
  });
});

describe("lookup twins", () => {
  it("are made of what has one alone", () => {
    const lookup = {
      numCentroids: 4,
      subvectorLength: 2,
      tableSource: "table",
      tableScale: "output",
      tableBits: 8,
      distance: "l2",
    } as const;
    const attempts = (layer: tf.layers.Layer) => [
      () => makeLookup(layer, "twin", lookup),
      () => makeMaddness(layer, "twin"),
    ];
    for (const attempt of attempts(L.embedding({ inputDim: 3, outputDim: 4, name: "e" })))
      expect(attempt).toThrow(
        /^e \(Embedding\): a layer that is replaced must be of a kind with a lookup twin/,
      );
    for (const attempt of attempts(L.dense({ units: 3, name: "d" }))) expect(attempt().name).toBe("twin");
  });

  it("by Maddness give the shapes of their dense layers", () => {
    for (const [layer, shape] of [
      [L.dense({ units: 5 }), [7]],
      [L.dense({ units: 5 }), [6, 7]],
      [L.dense({ units: 5 }), [2, 6, 7]],
      [L.conv2d({ filters: 3, kernelSize: 3, strides: [2, 1], padding: "same" }), [5, 6, 2]],
      [L.conv1d({ filters: 3, kernelSize: 2, dilationRate: 2 }), [8, 2]],
    ] as const) {
      const input = tf.input({ shape: [...shape] });
      const twin = makeMaddness(layer, "twin");
      const [own, wanted] = [twin, layer].map((one) => (one.apply(input) as Tensor).shape);
      expect(own).toEqual(wanted);
    }
  });
});

describe("windows", () => {
  it("are where TensorFlow puts them", () => {
    const window = (...args: Parameters<typeof axisWindow>) => {
      const { padBefore, padAfter, positions } = axisWindow(...args);
      return [padBefore, padAfter, positions];
    };
    expect(window(7, 3, 1, 1, "same")).toEqual([1, 1, 7]);
    expect(window(8, 3, 2, 1, "same")).toEqual([0, 1, 4]);
    expect(window(7, 3, 2, 1, "same")).toEqual([1, 1, 4]);
    expect(window(7, 2, 1, 1, "same")).toEqual([0, 1, 7]);
    expect(window(7, 3, 1, 2, "same")).toEqual([2, 2, 7]);
    expect(window(7, 1, 3, 1, "same")).toEqual([0, 0, 3]);
    expect(window(7, 3, 1, 1, "valid")).toEqual([0, 0, 5]);
    expect(window(8, 3, 2, 1, "valid")).toEqual([0, 0, 3]);
    expect(window(8, 3, 1, 2, "valid")).toEqual([0, 0, 4]);
    expect([perAxis(3, 2), perAxis([4, 5], 2), perAxis([6], 2)]).toEqual([
      [3, 3],
      [4, 5],
      [6, 6],
    ]);
  });
});

describe("axes that a file can have", () => {
  const fault = (kind: typeof dot, config: object, ...inputShapes: (number | null)[][]) =>
    kind.fault!({ inputShapes, layer: { getConfig: () => config } } as never);

  it("of a product are behind the batch, in both inputs", () => {
    const axes = (given: number | number[]) => fault(dot, { axes: given }, [null, 3, 4], [null, 4]);
    for (const good of [1, -1, [2, 1], [1, 1], [-1, -1], [-2, -1]]) expect(axes(good)).toBeNull();
    for (const wrong of [0, 2, [0, 1], [1, 0], [3, 1], [2, 2], [-3, 1], [1, -2]])
      expect(axes(wrong), JSON.stringify(wrong)).toMatch(/^axes must be from 1 to 1 \(got /);
  });

  it("of a normalisation are behind the batch", () => {
    const batch = (axis: number) => fault(batchNormalization, { axis }, [null, 3, 4]);
    expect([1, 2, -1, -2].map(batch)).toEqual([null, null, null, null]);
    for (const axis of [0, -3]) expect(batch(axis)).toBe(`axis must be from 1 to 2 (got ${axis})`);
    const layer = (axis: number[]) => fault(layerNormalization, { axis }, [null, 3, 4]);
    expect([[1], [2], [1, 2]].map(layer)).toEqual([null, null, null]);
    expect(layer([0, 2])).toBe("axis must be from 1 to 2 (got 0, 2)");
  });
});

describe("files", () => {
  it("leave out the positions whose every number is masked, and no others", async () => {
    const values = randomFloats(2 * 4 * 3, 3);
    for (const [n, position] of [
      [0, 1],
      [1, 0],
      [1, 3],
    ])
      values.fill(0.5, (4 * n + position) * 3, (4 * n + position + 1) * 3);
    values[0] = 0.5; // of a position with others
    const model = through([4, 3], L.masking({ maskValue: 0.5 }));
    await expectSameFile(model, [tf.tensor3d(values, [2, 4, 3])]);
  });

  it.each([
    ["elu", "relu"],
    ["hardSigmoid", "linear"],
    ["linear", "hardSigmoid"],
    ["softplus", "softsign"],
    ["sigmoid", "tanh"],
  ] as const)("have the recurrent activations %s and %s", async (recurrentActivation, activation) => {
    const config = { units: 2, activation, returnSequences: true };
    for (const layer of [
      L.simpleRNN(config),
      L.gru({ ...config, recurrentActivation }),
      L.lstm({ ...config, recurrentActivation }),
    ])
      await expectSameFile(randomWeights(through([3, 2], layer)));
  });
});

describe("what stands before and behind a call", () => {
  it("is found along the edges, past others, and not beside it", () => {
    const input = tf.input({ shape: [3] });
    const dense = (name: string, x: Tensor) => L.dense({ units: 3, name }).apply(x) as Tensor;
    const first = dense("first", input);
    const relu = L.reLU({ name: "relu" }).apply(first) as Tensor;
    const [left, right] = [dense("left", relu), L.reLU({ name: "right" }).apply(relu) as Tensor];
    const sum = L.add({ name: "sum" }).apply([left, right]) as Tensor;
    const graph = new NetworkGraph(tf.model({ inputs: input, outputs: sum }));
    const isDense = ({ layer }: { layer: tf.layers.Layer }) => layer.getClassName() === "Dense";
    const found = (has: typeof hasBefore) =>
      graph.nodes.filter((node) => has(graph, node, isDense)).map(({ name }) => name);
    expect(found(hasBefore).sort()).toEqual(["left", "relu", "right", "sum"]);
    expect(found(hasBehind).sort()).toEqual(["first", "relu"]);
  });
});

describe("a slice of whole numbers", () => {
  it("is written as it computes", async () => {
    const model = through([6], new layers.Slice({ axis: 1, start: 1, length: 3 }));
    const input = tf.input({ shape: [6], dtype: "int32" });
    const ids = new layers.Slice({ axis: 1, start: 1, length: 3 }).apply(input) as Tensor;
    const table = L.embedding({ inputDim: 5, outputDim: 2 }).apply(ids) as Tensor;
    await expectSameFile(randomWeights(tf.model({ inputs: input, outputs: table })));
    await expectSameFile(model);
  });
});
