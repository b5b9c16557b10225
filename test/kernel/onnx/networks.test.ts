import { tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { expectSame, expectSameFile, randomInputs, randomWeights, runOnnx } from "./sameOutputs";

const L = tf.layers;
type Symbolic = tf.SymbolicTensor;
const apply = (layer: tf.layers.Layer, ...inputs: Symbolic[]): Symbolic =>
  layer.apply(inputs.length === 1 ? inputs[0] : inputs) as Symbolic;
const conv = (x: Symbolic, filters: number, name?: string) =>
  apply(L.conv2d({ filters, kernelSize: 3, padding: "same", name }), x);
const opTypes = (bytes: Uint8Array) => readModel(bytes, "test").graph!.node.map(({ opType }) => opType);

/** A network on images whose sizes all differ. */
function onImages(shape: number[], make: (x: Symbolic) => Symbolic | Symbolic[]): tf.LayersModel {
  const input = tf.input({ shape, name: "image" });
  return randomWeights(tf.model({ inputs: input, outputs: make(input) }));
}

describe("merges broadcast as TensorFlow.js does", () => {
  const merges = {
    add: () => L.add(),
    multiply: () => L.multiply(),
    average: () => L.average(),
    maximum: () => L.maximum(),
    minimum: () => L.minimum(),
  };
  for (const [name, make] of Object.entries(merges)) {
    it.each([
      ["all sizes different", [5, 7, 4]],
      ["as many channels as columns", [5, 4, 4]],
      ["a cube", [4, 4, 4]],
    ])(`${name}: squeeze and excitation, %s`, async (_, shape) => {
      const squeezed = (x: Symbolic) =>
        apply(L.dense({ units: shape[2], activation: "sigmoid" }), apply(L.globalAveragePooling2d({}), x));
      for (const swapped of [false, true])
        await expectSameFile(
          onImages(shape, (x) => {
            const y = conv(x, shape[2]);
            return conv(apply(make(), ...(swapped ? [squeezed(y), y] : [y, squeezed(y)])), 3);
          }),
        );
    });

    it(`${name}: rows, sequences and images of equal or missing lengths, in one`, async () => {
      const shapes = [[5, 7, 4], [7, 4], [4], [5, 1, 4], [1, 7, 1], [1, 4]];
      const inputs = shapes.map((shape, i) => tf.input({ shape, name: `x${i}` }));
      const model = randomWeights(tf.model({ inputs, outputs: apply(make(), ...inputs) }));
      await expectSameFile(model);
    });

    it(`${name}: three images that come in different orders`, async () => {
      await expectSameFile(
        onImages([5, 7, 7], (x) => {
          const turned = apply(L.permute({ dims: [1, 3, 2] }), x);
          return conv(apply(make(), turned, conv(x, 7), apply(L.dense({ units: 7 }), x)), 2);
        }),
      );
    });
  }
});

describe("concatenate", () => {
  it.each([-1, 1, 2, 3])("joins images along axis %i of TensorFlow.js", async (axis) => {
    await expectSameFile(
      onImages([5, 7, 4], (x) => {
        const [first, second] = [conv(x, 4), apply(L.dense({ units: 4 }), x)]; // in two orders of axes
        const joined = apply(L.concatenate({ axis }), first, second, x);
        return conv(
          apply(
            L.concatenate(),
            apply(L.conv2d({ filters: 2, kernelSize: 1 }), joined),
            apply(L.conv2d({ filters: 2, kernelSize: 1 }), apply(L.concatenate({ axis }), second, x, first)),
          ),
          3,
        );
      }),
    );
  });

  it.each([1, 2, -1])("joins sequences along axis %i", async (axis) => {
    const inputs = [tf.input({ shape: [3, 5], name: "a" }), tf.input({ shape: [3, 5], name: "b" })];
    const model = tf.model({ inputs, outputs: apply(L.concatenate({ axis }), ...inputs) });
    await expectSameFile(model);
  });
});

describe("dot", () => {
  it.each([
    [[5], [5], 1, false],
    [[5], [5], -1, true],
    [[3, 5], [4, 5], 2, false],
    [[3, 5], [4, 5], -1, true],
    [[5, 3], [5, 4], 1, true],
    [[3, 5], [5, 4], [2, 1], false],
    [[3, 5], [5], [2, 1], true],
    [[5], [5, 4], 1, false],
    [[5], [4, 5], [1, 2], true],
  ])("%j · %j along %j, normalised: %j", async (first, second, axes, normalize) => {
    const inputs = [first, second].map((shape, i) => tf.input({ shape, name: `x${i}` }));
    const layer = L.dot({ axes: axes as number, normalize });
    await expectSameFile(tf.model({ inputs, outputs: apply(layer, ...inputs) }));
  });
});

describe("whole networks", () => {
  it("have as many inputs and outputs as they like, of both types, by name", async () => {
    const tokens = tf.input({ shape: [6], dtype: "int32", name: "tokens" });
    const image = tf.input({ shape: [5, 7, 2], name: "image" });
    const numbers = tf.input({ shape: [3], name: "numbers" });
    const text = apply(
      L.globalAveragePooling1d({}),
      apply(L.embedding({ inputDim: 5, outputDim: 4 }), tokens),
    );
    const seen = conv(image, 3, "seen");
    const joined = apply(L.concatenate(), text, apply(L.flatten(), seen), numbers);
    const outputs = [apply(L.dense({ units: 2, name: "first" }), joined), seen, image];
    const model = randomWeights(tf.model({ inputs: [tokens, image, numbers], outputs }));
    const bytes = await expectSameFile(model, undefined, { outputNames: ["a", "b", "c"] });
    const { graph, producerVersion } = readModel(bytes, "test");
    expect(graph!.input.map(({ name }) => name)).toEqual(["tokens", "image", "numbers"]);
    expect(graph!.output.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(producerVersion).toMatch(/^\d+\.\d+\.\d+/);
  });

  it("keep names apart that they give twice", async () => {
    const input = tf.input({ shape: [4], name: "input" });
    const y = apply(L.dense({ units: 3, name: "output" }), input);
    await expectSameFile(
      randomWeights(tf.model({ inputs: input, outputs: apply(L.dense({ units: 2, name: "number/6" }), y) })),
    );
  });

  it("are laid open where they are nested, called twice too", async () => {
    const inner = tf.input({ shape: [5, 7, 2] });
    const backbone = tf.model({
      name: "backbone",
      inputs: inner,
      outputs: conv(conv(inner, 3, "k1"), 2, "k2"),
    });
    const head = tf.sequential({
      layers: [L.flatten({ inputShape: [5, 7, 2] }), L.dense({ units: 3, activation: "softmax" })],
    });
    await expectSameFile(onImages([5, 7, 2], (x) => apply(head, apply(backbone, apply(backbone, x)))));
  });

  it("write a shared layer's weights once, on inputs of different sizes too", async () => {
    const shared = L.conv2d({ filters: 2, kernelSize: 3, padding: "same", name: "s" });
    const bytes = await expectSameFile(
      onImages([5, 7, 2], (x) => {
        const y = apply(shared, apply(shared, x));
        const z = apply(shared, apply(L.maxPooling2d({ poolSize: 2 }), y));
        return apply(L.concatenate(), apply(L.flatten(), y), apply(L.flatten(), z));
      }),
    );
    const { initializer } = readModel(bytes, "test").graph!;
    expect(initializer.filter(({ name }) => name!.startsWith("s/")).length).toBe(2);
  });

  it("pass Dense over images, sequences and what a Reshape leaves open", async () => {
    await expectSameFile(
      onImages([5, 7, 4], (x) => {
        const rows = apply(L.reshape({ targetShape: [-1, 14] }), apply(L.dense({ units: 6 }), conv(x, 3)));
        return apply(L.dense({ units: 3, activation: "relu" }), apply(L.batchNormalization(), rows));
      }),
    );
  });

  it("are their own input, or the same value twice", async () => {
    await expectSameFile(onImages([5, 7, 2], (x) => apply(L.dropout({ rate: 0.5 }), x)));
    await expectSameFile(
      onImages([5, 7, 2], (x) => {
        const y = conv(x, 3);
        return [y, apply(L.permute({ dims: [3, 1, 2] }), y), apply(L.dropout({ rate: 0.1 }), y)];
      }),
      undefined,
      { outputNames: ["a", "b", "c"] },
    );
  });

  it("need no transposition between layers on images, and one where an order ends", () => {
    const model = onImages([6, 8, 4], (x) => {
      const y = apply(L.reLU(), apply(L.batchNormalization(), conv(x, 4)));
      const z = apply(
        L.add(),
        apply(L.maxPooling2d({ poolSize: 2 }), y),
        apply(L.averagePooling2d({ poolSize: 2 }), y),
      );
      return apply(L.dense({ units: 3 }), apply(L.flatten(), apply(L.zeroPadding2d({ padding: 1 }), z)));
    });
    expect(opTypes(exportOnnx(model)).filter((type) => type === "Transpose").length).toBe(1);
    const turned = onImages([6, 8, 4], (x) =>
      apply(
        L.permute({ dims: [3, 2, 1] }),
        apply(L.permute({ dims: [3, 2, 1] }), apply(L.permute({ dims: [2, 3, 1] }), x)),
      ),
    );
    expect(opTypes(exportOnnx(turned)).filter((type) => type === "Transpose").length).toBe(1);
  });

  it("translate channels-first layers in the midst of images that come channels last", async () => {
    const dataFormat = "channelsFirst" as const;
    await expectSameFile(
      onImages([5, 6, 7], (x) => {
        const y = apply(L.permute({ dims: [3, 1, 2] }), conv(x, 4)); // as TensorFlow.js has it: channels, rows, columns
        const z = apply(L.conv2d({ filters: 3, kernelSize: 2, dataFormat, activation: "softmax" }), y);
        const normal = apply(L.batchNormalization({ axis: 1 }), z);
        const padded = apply(
          L.zeroPadding2d({
            padding: [
              [1, 0],
              [0, 2],
            ],
            dataFormat,
          }),
          normal,
        );
        const pooled = apply(L.maxPooling2d({ poolSize: 2, dataFormat }), padded);
        return apply(L.flatten({ dataFormat }), pooled);
      }),
    );
  });

  it("pad before a pooling or a convolution, whatever a runtime merges", async () => {
    for (const layer of [L.maxPooling2d, L.averagePooling2d])
      for (const padding of ["same", "valid"] as const)
        for (const around of [
          1,
          [
            [2, 0],
            [0, 1],
          ] as [[number, number], [number, number]],
        ])
          await expectSameFile(
            onImages([5, 7, 2], (x) => {
              const below = apply(L.rescaling({ scale: 1, offset: -5 }), x); // zeros are the largest
              const padded = apply(L.zeroPadding2d({ padding: around }), below);
              const turned = apply(L.permute({ dims: [2, 1, 3] }), padded);
              return [
                apply(layer({ poolSize: 2, strides: 1, padding }), padded),
                apply(layer({ poolSize: 2, padding }), turned),
                apply(
                  L.conv2d({ filters: 2, kernelSize: 2, padding }),
                  apply(L.zeroPadding2d({ padding: around }), below),
                ),
              ];
            }),
            undefined,
            { outputNames: ["a", "b", "c"] },
          );
  });

  it("reveal values inside by their ids", async () => {
    const model = onImages([5, 7, 2], (x) => apply(L.flatten(), apply(L.reLU(), conv(conv(x, 3), 4))));
    const graph = new NetworkGraph(model);
    const inputs = randomInputs(model);
    const got = await runOnnx(exportOnnx(model, { reveal: "all" }), model, inputs);
    expect(Object.keys(got).sort()).toEqual(["output", ...graph.nodes.map((node) => node.outputs[0])].sort());
    for (const node of graph.nodes) {
      const part = tf.model({ inputs: model.inputs, outputs: node.layer.output as Symbolic });
      expectSame(got[node.outputs[0]], part.predict(inputs[0]) as tf.Tensor, node.key);
    }
    const [, second] = graph.nodes;
    const one = await runOnnx(exportOnnx(model, { reveal: [second.outputs[0]] }), model, inputs);
    expect(Object.keys(one).length).toBe(2);
    expect(() => exportOnnx(model, { reveal: ["?"] })).toThrow(
      /reveal must name values of the network by their ids \(got "\?"\)/,
    );
  });
});
