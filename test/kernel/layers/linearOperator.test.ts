import { tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { linearOperator } from "../../../kernel/lib/layers/linearOperator";
import { randomFloats } from "../random";

function built(layer: tf.layers.Layer, shape: number[]): tf.layers.Layer {
  layer.apply(tf.input({ shape }));
  return layer;
}

describe("a linear operator's gradient of its input", () => {
  it.each([
    ["3×3, same", { kernelSize: 3, padding: "same" as const }],
    ["3×3, valid, strided", { kernelSize: 3, strides: 2, padding: "valid" as const }],
    ["2×3, same, strided", { kernelSize: [2, 3], strides: [2, 1], padding: "same" as const }],
    ["dilated", { kernelSize: 3, dilationRate: 2, padding: "same" as const }],
  ])("is that of the convolution: %s", (_, config) => {
    const layer = built(tf.layers.conv2d({ filters: 5, useBias: false, ...config }), [7, 8, 3]);
    const [x, v] = [1, 2].map((seed) => tf.tensor4d(randomFloats(2 * 7 * 8 * 3, seed), [2, 7, 8, 3]));
    const y = layer.apply(v) as tf.Tensor;
    const dy = tf.tensor(randomFloats(y.size, 3), y.shape);
    const dx = linearOperator(layer).inputGradient(dy, x);
    expect(dx.shape).toEqual(x.shape);
    // The adjoint of a linear map: ⟨dx, v⟩ = ⟨dy, A v⟩ for any v.
    const inner = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b)).dataSync()[0];
    expect(inner(dx, v)).toBeCloseTo(inner(dy, y), 3);
  });

  it("is that of the dense layer", () => {
    const layer = built(tf.layers.dense({ units: 4 }), [6]);
    const x = tf.tensor2d(randomFloats(18, 3), [3, 6]);
    const dy = tf.tensor2d(randomFloats(12, 4), [3, 4]);
    const wanted = tf
      .grad((input) => layer.apply(input) as tf.Tensor)(x, dy)
      .dataSync();
    expect(linearOperator(layer).inputGradient(dy, x).dataSync()).toEqual(wanted);
  });
});
