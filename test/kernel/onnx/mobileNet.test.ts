import { type tf as Tf, tf } from "lutnn";
import { describe, it } from "vitest";
import { expectSameFile, randomInputs, randomWeights } from "./sameOutputs";

const L = tf.layers;
type Symbolic = Tf.SymbolicTensor;

/** Inverted residual blocks as Keras' MobileNetV2 has them, which Teachable Machine's models contain. */
function mobileNet(size: number): Tf.LayersModel {
  const norm = (x: Symbolic) =>
    L.batchNormalization({ momentum: 0.999, epsilon: 0.001 }).apply(x) as Symbolic;
  const relu6 = (x: Symbolic) => L.reLU({ maxValue: 6 }).apply(x) as Symbolic;
  const point = (x: Symbolic, filters: number) =>
    norm(L.conv2d({ filters, kernelSize: 1, padding: "same", useBias: false }).apply(x) as Symbolic);
  const halved = (x: Symbolic) =>
    L.zeroPadding2d({
      padding: [
        [0, 1],
        [0, 1],
      ],
    }).apply(x) as Symbolic;
  const block = (x: Symbolic, filters: number, strides: 1 | 2): Symbolic => {
    const expanded = relu6(point(x, 6 * x.shape[3]!));
    const seen = L.depthwiseConv2d({
      kernelSize: 3,
      strides,
      padding: strides === 1 ? "same" : "valid",
      useBias: false,
    }).apply(strides === 1 ? expanded : halved(expanded)) as Symbolic;
    const y = point(relu6(norm(seen)), filters);
    return strides === 1 && x.shape[3] === filters ? (L.add().apply([x, y]) as Symbolic) : y;
  };
  const input = tf.input({ shape: [size, size, 3], name: "input_1" });
  const first = L.conv2d({ filters: 8, kernelSize: 3, strides: 2, useBias: false }).apply(halved(input));
  let x = relu6(norm(first as Symbolic));
  for (const [filters, strides] of [
    [4, 1],
    [6, 2],
    [6, 1],
    [10, 2],
    [10, 1],
  ] as const)
    x = block(x, filters, strides);
  return tf.model({ inputs: input, outputs: relu6(point(x, 20)), name: "model1" });
}

describe("a MobileNet as Teachable Machine exports it", () => {
  it("nested sequential networks of backbone, pooling and head, is exported as it computes", async () => {
    const features = tf.sequential({ layers: [mobileNet(32), L.globalAveragePooling2d({})] });
    const head = tf.sequential({
      layers: [
        L.dense({ units: 10, activation: "relu", inputShape: [20] }),
        L.dense({ units: 3, activation: "softmax", useBias: false }),
      ],
    });
    const model = randomWeights(tf.sequential({ layers: [features, head] }));
    await expectSameFile(model, randomInputs(model, 2));
  });
});
