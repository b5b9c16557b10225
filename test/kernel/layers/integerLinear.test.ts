import { tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { imageWindows } from "../../../kernel/lib/compute/imageWindows";
import { type GraphNode, NetworkGraph } from "../../../kernel/lib/layers/graph";
import { disposeIntegers, integerTwin, integerWeights } from "../../../kernel/lib/layers/integerLinear";
import { convWindow } from "../../../kernel/lib/layers/window";
import { integerProductReference, scaleSumsReference } from "../../../kernel/lib/pq/reference";
import { randomFloats } from "../random";

const L = tf.layers;

function callOf(layer: tf.layers.Layer, shape: number[]): GraphNode {
  const input = tf.input({ shape });
  const model = tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor });
  const [node] = new NetworkGraph(model).nodes;
  layer.setWeights(
    layer.getWeights().map((weight, i) => tf.tensor(randomFloats(weight.size, 7 + i), weight.shape)),
  );
  return node;
}

const input = { scale: Math.fround(0.013), zeroPoint: 91 };

/** (…, channels, M) → (channels · filter, M), channel-major as windows are. */
const matrixOf = (weight: tf.Tensor): Int8Array => {
  const images = weight.rank === 3 ? weight.expandDims(0) : weight;
  return Int8Array.from(images.rank === 4 ? images.transpose([2, 0, 1, 3]).dataSync() : images.dataSync());
};

describe("a dense layer in INT8", () => {
  it.each([
    ["Dense", () => L.dense({ units: 5 }), [300]],
    ["Dense on rows, without bias", () => L.dense({ units: 7, useBias: false }), [3, 11]],
    ["Conv2D", () => L.conv2d({ filters: 6, kernelSize: [3, 2], padding: "same" }), [5, 7, 3]],
    [
      "Conv2D, strides",
      () => L.conv2d({ filters: 5, kernelSize: 3, strides: 2, padding: "same" }),
      [6, 8, 67],
    ],
    ["Conv2D, dilated", () => L.conv2d({ filters: 5, kernelSize: 2, dilationRate: 2 }), [6, 5, 2]],
    ["Conv1D", () => L.conv1d({ filters: 4, kernelSize: 3, padding: "same" }), [9, 5]],
  ] as [string, () => tf.layers.Layer, number[]][])("gives the bits of the loops: %s", (_, make, shape) => {
    const layer = make();
    const node = callOf(layer, shape);
    const integers = integerWeights(node);
    const twin = integerTwin(node, integers, input);
    const x = tf.tensor(
      randomFloats(2 * shape.reduce((a, b) => a * b, 1), 3).map((value) => 2 * value),
      [2, ...shape],
    );
    const images = layer.getClassName() === "Conv1D" ? x.expandDims<tf.Tensor4D>(1) : (x as tf.Tensor4D);
    const rows =
      layer.getClassName() === "Dense"
        ? x.reshape([-1, shape[shape.length - 1]])
        : imageWindows(images, convWindow(layer.getConfig(), shape)).rows;
    const outputs = integers.scale.length;
    const weights = matrixOf(integers.linear.getWeights()[0]);
    const sums = integerProductReference(
      rows.dataSync() as Float32Array,
      rows.shape[0],
      { input, weights },
      outputs,
    );
    expect(Math.max(...sums.map(Math.abs))).toBeGreaterThan(1000);
    const scale = integers.scale.map((value) => value * input.scale);
    const wanted = scaleSumsReference(sums, scale, integers.bias);
    const y = twin.apply(x) as tf.Tensor;
    expect([...y.dataSync()]).toEqual([...wanted]);
    expect(y.shape).toEqual((layer.apply(x) as tf.Tensor).shape);
    disposeIntegers(integers);
  });

  it("computes channels first and its activation as the layer does, up to its steps", () => {
    const layer = L.conv2d({ filters: 4, kernelSize: 3, dataFormat: "channelsFirst", activation: "relu" });
    const node = callOf(layer, [3, 6, 7]);
    const integers = integerWeights(node);
    const x = tf.tensor(randomFloats(2 * 126, 5), [2, 3, 6, 7]);
    const y = integerTwin(node, integers, input).apply(x) as tf.Tensor;
    const wanted = layer.apply(x) as tf.Tensor;
    expect(y.shape).toEqual(wanted.shape);
    const [least, off] = [tf.min(y), tf.max(tf.abs(tf.sub(y, wanted)))].map((one) => one.dataSync()[0]);
    expect(least).toBe(0);
    // 27 products of numbers below 1, each off by half a step of both.
    expect(off).toBeLessThan(27 * (input.scale / 2 + 1 / 127));
    expect(off).toBeGreaterThan(0);
    disposeIntegers(integers);
  });

  it("leaves no tensor behind", () => {
    const node = callOf(L.dense({ units: 5 }), [20]);
    const x = tf.ones([2, 20]);
    const before = tf.memory().numTensors;
    const integers = integerWeights(node);
    const y = integerTwin(node, integers, input).apply(x) as tf.Tensor;
    y.dispose();
    disposeIntegers(integers);
    expect(tf.memory().numTensors).toBe(before);
  });
});
