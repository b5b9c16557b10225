import { tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { type GraphNode, NetworkGraph } from "../../../kernel/lib/layers/graph";
import { linearOperator } from "../../../kernel/lib/layers/linearOperator";
import { randomFloats } from "../random";

/** The call of a layer on inputs of a shape. */
function call(layer: tf.layers.Layer, shape: number[]): GraphNode {
  const input = tf.input({ shape });
  return new NetworkGraph(tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor }))
    .nodes[0];
}

/** Expects rows(x)·W + bias to be what the layer makes of x. */
function expectLayer(node: GraphNode, x: tf.Tensor): void {
  const operator = linearOperator(node);
  const { positions, inputLength, outputs } = operator;
  const rows = operator.rows(x);
  expect(rows.shape).toEqual([x.shape[0] * positions, inputLength]);
  const some = Uint32Array.from({ length: Math.ceil(rows.shape[0] / 3) }, (_, i) => 3 * i);
  const chosen = tf.gather(rows, tf.tensor1d(Int32Array.from(some), "int32"));
  expect(operator.rowsAt(x, some).shape).toEqual([some.length, inputLength]);
  expect(operator.rowsAt(x, some).dataSync()).toEqual(chosen.dataSync());
  const product = tf.matMul(rows, operator.weight());
  const bias = operator.bias();
  const y = bias ? tf.add(product, tf.tensor1d(bias)) : product;
  const wanted = node.layer.apply(x) as tf.Tensor;
  expect(y.shape).toEqual([x.shape[0] * positions, outputs]);
  const worst = tf.max(tf.abs(tf.sub(y.reshape(wanted.shape), wanted))).dataSync()[0];
  expect(worst).toBeLessThan(1e-5);
}

describe("a linear operator's gradient of its input", () => {
  it.each([
    ["3×3, same", { kernelSize: 3, padding: "same" as const }],
    ["3×3, valid, strided", { kernelSize: 3, strides: 2, padding: "valid" as const }],
    ["2×3, same, strided", { kernelSize: [2, 3], strides: [2, 1], padding: "same" as const }],
    ["dilated", { kernelSize: 3, dilationRate: 2, padding: "same" as const }],
  ])("is that of the convolution: %s", (_, config) => {
    const layer = tf.layers.conv2d({ filters: 5, useBias: false, ...config });
    const node = call(layer, [7, 8, 3]);
    const [x, v] = [1, 2].map((seed) => tf.tensor4d(randomFloats(2 * 7 * 8 * 3, seed), [2, 7, 8, 3]));
    const y = layer.apply(v) as tf.Tensor;
    const dy = tf.tensor(randomFloats(y.size, 3), y.shape);
    const dx = linearOperator(node).inputGradient(dy, x);
    expect(dx.shape).toEqual(x.shape);
    // The adjoint of a linear map: ⟨dx, v⟩ = ⟨dy, A v⟩ for any v.
    const inner = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b)).dataSync()[0];
    expect(inner(dx, v)).toBeCloseTo(inner(dy, y), 3);
  });

  it("is that of the dense layer", () => {
    const layer = tf.layers.dense({ units: 4 });
    const node = call(layer, [6]);
    const x = tf.tensor2d(randomFloats(18, 3), [3, 6]);
    const dy = tf.tensor2d(randomFloats(12, 4), [3, 4]);
    const wanted = tf
      .grad((input) => layer.apply(input) as tf.Tensor)(x, dy)
      .dataSync();
    expect(linearOperator(node).inputGradient(dy, x).dataSync()).toEqual(wanted);
  });

  it.each([
    ["same, strided", { kernelSize: 3, strides: 2, padding: "same" as const }],
    ["valid", { kernelSize: 2, padding: "valid" as const }],
    ["dilated", { kernelSize: 3, dilationRate: 2, padding: "same" as const }],
  ])("is that of the convolution of a sequence, on the sequence and as an image: %s", (_, config) => {
    const layer = tf.layers.conv1d({ filters: 5, useBias: false, ...config });
    const node = call(layer, [8, 3]);
    const [x, v] = [1, 2].map((seed) => tf.tensor3d(randomFloats(2 * 8 * 3, seed), [2, 8, 3]));
    const y = layer.apply(v) as tf.Tensor;
    const dy = tf.tensor(randomFloats(y.size, 3), y.shape);
    const dx = linearOperator(node).inputGradient(dy, x);
    expect(dx.shape).toEqual(x.shape);
    expect(tf.sum(tf.mul(dx, v)).dataSync()[0]).toBeCloseTo(tf.sum(tf.mul(dy, y)).dataSync()[0], 3);
    const asImage = linearOperator(node).inputGradient(dy.expandDims(1), x.expandDims(1));
    expect(asImage.shape).toEqual([2, 1, 8, 3]);
    expect(asImage.dataSync()).toEqual(dx.dataSync());
  });
});

describe("a linear operator's rows and weight", () => {
  const layers: [string, () => tf.layers.Layer, number[]][] = [
    [
      "conv2d",
      () => tf.layers.conv2d({ filters: 5, kernelSize: [3, 2], strides: [1, 2], padding: "same" }),
      [5, 7, 4],
    ],
    [
      "conv2d without bias",
      () => tf.layers.conv2d({ filters: 5, kernelSize: 3, dilationRate: 2, useBias: false }),
      [6, 8, 3],
    ],
    ["conv1d", () => tf.layers.conv1d({ filters: 5, kernelSize: 3, strides: 2, padding: "same" }), [7, 4]],
    ["conv1d, dilated", () => tf.layers.conv1d({ filters: 5, kernelSize: 2, dilationRate: 3 }), [8, 3]],
    ["dense", () => tf.layers.dense({ units: 5 }), [4]],
    ["dense on sequences", () => tf.layers.dense({ units: 5 }), [3, 4]],
    ["dense on images", () => tf.layers.dense({ units: 5, useBias: false }), [2, 3, 4]],
  ];
  it.each(layers)("make the layer: %s", (_, make, shape) => {
    const layer = make();
    const node = call(layer, shape);
    layer.setWeights(
      layer.getWeights().map((weight, i) => tf.tensor(randomFloats(weight.size, i + 1), weight.shape)),
    );
    expectLayer(node, tf.tensor(randomFloats(2 * shape.reduce((a, b) => a * b), 7), [2, ...shape]));
  });

  it("go by the call, where a layer is used on two sizes", () => {
    const layer = tf.layers.conv2d({ filters: 2, kernelSize: 3, padding: "same" });
    const input = tf.input({ shape: [6, 8, 2] });
    const first = layer.apply(input) as tf.SymbolicTensor;
    const pooled = tf.layers.maxPooling2d({ poolSize: 2 }).apply(first);
    const model = tf.model({ inputs: input, outputs: layer.apply(pooled) as tf.SymbolicTensor });
    const calls = new NetworkGraph(model).callsOf(layer.name);
    expect(calls.map((node) => linearOperator(node).positions)).toEqual([48, 12]);
  });
});
