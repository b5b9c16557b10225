import { layers, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { headOfFile } from "../../../kernel/lib/inference/fileHead";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { readModel } from "../../../kernel/lib/onnx/readModel";

const L = tf.layers;

/** The head of the file of a network of some layers. */
function head(shape: number[], ...made: tf.layers.Layer[]) {
  const input = tf.input({ shape });
  const output = made.reduce((x, layer) => layer.apply(x) as tf.SymbolicTensor, input);
  return headOfFile(readModel(exportOnnx(tf.model({ inputs: input, outputs: output })), "test"));
}
const dense = (units: number, activation: "softmax" | "sigmoid" | "linear" | "relu" | "tanh") =>
  L.dense({ units, activation });

describe("the head of a file", () => {
  it("has its last nonlinearity, past what hands numbers on", () => {
    expect(head([4], dense(3, "softmax"))).toMatchObject({
      nonlinearity: "softmax",
      activation: "softmax",
      units: 3,
      positions: 1,
    });
    expect(head([4], dense(6, "sigmoid"), L.reshape({ targetShape: [2, 3] }))).toMatchObject({
      nonlinearity: "sigmoid",
      units: 3,
      positions: 2,
    });
    expect(head([4], dense(3, "linear"))).toMatchObject({
      nonlinearity: "none",
      activation: "linear",
      units: 3,
    });
    expect(head([4], dense(3, "relu"))).toMatchObject({ nonlinearity: "other", activation: "relu" });
    expect(head([4], dense(3, "tanh"), L.reshape({ targetShape: [3] }))).toMatchObject({
      nonlinearity: "other",
      activation: "tanh",
    });
  });

  it("is no task's where it ends in a nonlinearity of another kind", () => {
    const activations = [
      "relu",
      "relu6",
      "tanh",
      "elu",
      "selu",
      "softplus",
      "softsign",
      "hardSigmoid",
    ] as const;
    const ends = [
      ...activations.map((activation) => L.activation({ activation })),
      ...[
        L.leakyReLU(),
        L.prelu(),
        L.elu(),
        L.thresholdedReLU(),
        L.reLU({ maxValue: 1 }),
        layers.hardSwish(),
      ],
    ];
    for (const end of ends)
      expect(head([4], dense(3, "linear"), end).nonlinearity, end.getClassName()).toBe("other");
  });

  it("counts outputs and positions: channels come first in images, last in sequences", () => {
    expect(head([7, 4], dense(3, "softmax"))).toMatchObject({ units: 3, positions: 7 });
    const conv = L.conv2d({ filters: 5, kernelSize: 2 });
    expect(head([4, 7, 2], conv)).toMatchObject({ nonlinearity: "none", units: 5, positions: 3 * 6 });
  });
});
