import { tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { exportFaults } from "../../../kernel/lib/layers/exportFaults";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { isReplaceable, replaceFault } from "../../../kernel/lib/layers/linearOperator";

const L = tf.layers;
const sequential = (...layers: tf.layers.Layer[]) => tf.sequential({ layers });
const faultsOf = (model: tf.LayersModel) => exportFaults(new NetworkGraph(model));

/** A layer that nobody knows. */
class Mystery extends tf.layers.Layer {
  static className = "Mystery";
  override call(inputs: tf.Tensor | tf.Tensor[]) {
    return inputs;
  }
}
tf.serialization.registerClass(Mystery);

describe("what cannot be exported", () => {
  const image = { inputShape: [6, 8, 2] };
  const cases: [string, () => tf.LayersModel, RegExp][] = [
    [
      "a kind that is not known",
      () => sequential(L.dense({ units: 2, inputShape: [3] }), new Mystery({ name: "riddle" })),
      /^riddle \(Mystery\): a layer of this kind cannot be exported \(got Mystery\); these can: Activation, .*Add, .*ZeroPadding2D$/,
    ],
    [
      "an open image size",
      () =>
        sequential(
          L.conv2d({ filters: 4, kernelSize: 3, inputShape: [null, null, 2], name: "c" }),
          L.globalAveragePooling2d({}),
        ),
      /^input c_input: all sizes but the batch must be fixed \(got null, null, null, 2, of which c makes null, null, null, 4\); give inputShape numbers instead of null$/,
    ],
    [
      "a network that reads its input channels first",
      () =>
        sequential(
          L.reLU({ inputShape: [2, 8, 8] }),
          L.maxPooling2d({ poolSize: 2, dataFormat: "channelsFirst", name: "p" }),
          L.flatten(),
        ),
      /^input .*: images must come channels last, as height, width, channels \(got null, 2, 8, 8, which p, a MaxPooling2D, reads with dataFormat channelsFirst\); build the network with channelsLast$/,
    ],
    [
      "a softmax along another axis than the last",
      () => sequential(L.conv2d({ filters: 3, kernelSize: 1, ...image }), L.softmax({ axis: 1, name: "s" })),
      /^s \(Softmax\): axis must be the last one, 3 or −1, .*\(got 1\)$/,
    ],
    [
      "a separable convolution with a dilation",
      () =>
        sequential(L.separableConv2d({ filters: 3, kernelSize: 2, dilationRate: 2, name: "d", ...image })),
      /^d \(SeparableConv2D\): dilationRate must be 1, .*\(got 2, 2\)$/,
    ],
    [
      "a depthwise convolution with two strides",
      () => sequential(L.depthwiseConv2d({ kernelSize: 2, strides: [1, 2], name: "d", ...image })),
      /^d \(DepthwiseConv2D\): strides must be the same for rows and columns, .*\(got 1, 2\)$/,
    ],
    [
      "a normalisation over the batch",
      () => sequential(L.layerNormalization({ axis: [0, 1], name: "n", inputShape: [3], batchSize: 4 })),
      /^n \(LayerNormalization\): axis must be from 1 to 1 \(got 0, 1\)$/,
    ],
    [
      "a concatenation along an axis that TensorFlow.js mistakes",
      () => {
        const inputs = [1, 2].map(() => tf.input({ shape: [3, 5] }));
        const layer = L.concatenate({ axis: -2, name: "k" });
        return tf.model({ inputs, outputs: layer.apply(inputs) as tf.SymbolicTensor });
      },
      /^k \(Concatenate\): axis must be −1 or from 1 to 2, .*\(got -2\)$/,
    ],
    [
      "a softmax behind a mask",
      () =>
        sequential(
          L.embedding({ inputDim: 5, outputDim: 3, maskZero: true, inputLength: 4, name: "e" }),
          L.softmax({ axis: -1, name: "s" }),
        ),
      /^s \(Softmax\): the network must have no mask \(got that of e\); use a layer with activation softmax instead$/,
    ],
  ];
  it.each(cases)("%s is said in one sentence", (_, make, sentence) => {
    const model = make();
    const faults = faultsOf(model);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(sentence);
    expect(() => exportOnnx(model)).toThrow(faults[0]);
  });

  it("is all said at once", () => {
    const model = sequential(
      new Mystery({ inputShape: [6], name: "first" }),
      L.dense({ units: 2 }),
      new Mystery({ name: "second" }),
    );
    expect(faultsOf(model).map((fault) => fault.split(" ")[0])).toEqual(["first", "second"]);
  });

  it("is nothing of a network that can be", () => {
    expect(faultsOf(sequential(L.conv2d({ filters: 4, kernelSize: 3, ...image }), L.flatten()))).toEqual([]);
  });
});

describe("a layer to replace", () => {
  it("is a convolution or a dense layer, channels last", () => {
    const layers = [
      L.conv2d({ filters: 2, kernelSize: 3 }),
      L.conv1d({ filters: 2, kernelSize: 3 }),
      L.dense({ units: 3 }),
    ];
    expect(layers.map(isReplaceable)).toEqual([true, true, true]);
    const first = L.conv2d({ filters: 2, kernelSize: 3, dataFormat: "channelsFirst", name: "c2" });
    expect(replaceFault(first)).toBe(
      "c2 (Conv2D): dataFormat must be channelsLast for a layer that is replaced (got channelsFirst)",
    );
    expect(replaceFault(L.flatten({ name: "f" }))).toBe(
      "f (Flatten): a layer that is replaced must be of a kind with a lookup twin (got Flatten); Conv1D, Conv2D, Dense have one",
    );
  });
});
