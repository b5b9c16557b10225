import { convert, layers, tf } from "lutnn";
import { describe, expect, it } from "vitest";

/** Of a network with one layer of interest before a dense layer that is replaced: what that layer costs. */
function costOf(
  shapes: number[][],
  make: (inputs: tf.SymbolicTensor[]) => tf.SymbolicTensor,
  name = "counted",
) {
  const inputs = shapes.map((shape) => tf.input({ shape }));
  const flat = tf.layers.flatten().apply(make(inputs));
  const hidden = tf.layers.dense({ units: 8, name: "hidden" }).apply(flat);
  const outputs = tf.layers.dense({ units: 2, name: "head" }).apply(hidden) as tf.SymbolicTensor;
  const model = tf.model({ inputs, outputs });
  const { rest } = convert(model, { layers: ["hidden"] }).layers;
  expect(rest.find((layer) => layer.name === "head")).toMatchObject({
    rows: { positions: 1, inputLength: 8, outputs: 2 },
    cost: { operations: 16, bytes: 64 },
  });
  return rest.find((layer) => layer.name === name)?.cost;
}
const named = { name: "counted" };
const on = (layer: tf.layers.Layer) => (inputs: tf.SymbolicTensor[]) =>
  layer.apply(inputs.length === 1 ? inputs[0] : inputs) as tf.SymbolicTensor;

describe("what stays of a network counts", () => {
  it.each<[string, number[][], (inputs: tf.SymbolicTensor[]) => tf.SymbolicTensor, number, number]>([
    // 4×4 positions, 3×3 filter, 3 channels, 2 filters each
    [
      "a depthwise convolution",
      [[6, 6, 3]],
      on(tf.layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, ...named })),
      16 * 9 * 6,
      4 * 9 * 6,
    ],
    // the same, then 6 channels to 5
    [
      "a separable convolution",
      [[6, 6, 3]],
      on(tf.layers.separableConv2d({ kernelSize: 3, depthMultiplier: 2, filters: 5, ...named })),
      16 * 9 * 6 + 16 * 6 * 5,
      4 * (9 * 6 + 6 * 5),
    ],
    // each of 3×3×2 numbers times a 2×2 filter to 4 channels
    [
      "a transposed convolution",
      [[3, 3, 2]],
      on(tf.layers.conv2dTranspose({ kernelSize: 2, strides: 2, filters: 4, ...named })),
      18 * 4 * 4,
      4 * 4 * 2 * 4,
    ],
    ["a layer norm", [[5, 4]], on(tf.layers.layerNormalization(named)), 5 * 20, 0],
    // (5, 4)·(4, 7) and (5, 7)·(7, 6)
    [
      "attention",
      [
        [5, 4],
        [7, 4],
        [7, 6],
      ],
      on(new layers.Attention({ numHeads: 2, ...named })),
      5 * 4 * 7 + 5 * 7 * 6,
      0,
    ],
    // (5, 4)·(4, 3)
    [
      "a product of two values",
      [
        [5, 4],
        [4, 3],
      ],
      on(tf.layers.dot({ axes: [2, 1], ...named })),
      5 * 4 * 3,
      0,
    ],
    // 6 steps of both matrices of 4 gates
    [
      "an LSTM",
      [[6, 3]],
      on(tf.layers.lstm({ units: 5, returnSequences: true, ...named })),
      6 * (3 * 20 + 5 * 20),
      4 * (60 + 100),
    ],
  ])("%s", (_, shapes, make, operations, bytes) => {
    expect(costOf(shapes, make)).toEqual({ operations, bytes });
  });

  it("a layer that is used twice counts its work twice and its bytes once", () => {
    const shared = tf.layers.depthwiseConv2d({ kernelSize: 3, ...named });
    const cost = costOf(
      [
        [6, 6, 3],
        [6, 6, 3],
      ],
      ([a, b]) =>
        tf.layers.add().apply([shared.apply(a), shared.apply(b)] as tf.SymbolicTensor[]) as tf.SymbolicTensor,
    );
    expect(cost).toEqual({ operations: 2 * 16 * 9 * 3, bytes: 4 * 9 * 3 });
  });

  it("batch norms, activations and poolings do not", () => {
    const make = on(tf.layers.batchNormalization(named));
    expect(costOf([[4, 4, 2]], make)).toBeUndefined();
  });
});
