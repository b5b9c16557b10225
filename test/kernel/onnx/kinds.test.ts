import { layers, tf } from "lutnn";
import { describe, it } from "vitest";
import { expectSameFile, randomInputs, randomWeights } from "./sameOutputs";

const L = tf.layers;
type Layer = tf.layers.Layer;

/** A network of one layer on an input whose sizes all differ. */
function alone(layer: Layer, shape: number[], dtype: "float32" | "int32" = "float32"): tf.LayersModel {
  const input = tf.input({ shape, dtype, name: "x" });
  return randomWeights(tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor }));
}

/** The same behind a convolution, so that the layer gets its image channels first, and before another. */
function inside(layer: Layer, shape: number[]): tf.LayersModel {
  const input = tf.input({ shape, name: "x" });
  const before = L.conv2d({ filters: shape[2], kernelSize: 1 }).apply(input);
  const y = layer.apply(before) as tf.SymbolicTensor;
  const outputs = y.shape.length === 4 ? L.conv2d({ filters: 3, kernelSize: 1 }).apply(y) : y;
  return randomWeights(tf.model({ inputs: input, outputs: outputs as tf.SymbolicTensor }));
}

const image = [5, 7, 4];
const cases: [string, () => Layer, number[]][] = [];
const add = (name: string, make: () => Layer, ...shapes: number[][]) => {
  for (const shape of shapes.length > 0 ? shapes : [image])
    cases.push([`${name} on ${shape.join("×")}`, make, shape]);
};

const activations = [
  "elu",
  "gelu",
  "gelu_new",
  "hardSigmoid",
  "linear",
  "logSoftmax",
  "mish",
  "relu",
  "relu6",
  "selu",
  "sigmoid",
  "softmax",
  "softplus",
  "softsign",
  "swish",
  "tanh",
] as const;
for (const activation of activations)
  add(
    `activation ${activation}`,
    () => L.activation({ activation: activation as "relu" }),
    [6],
    [3, 5],
    image,
  );

for (const padding of ["same", "valid"] as const) {
  const sizes = [image, [6, 8, 3]];
  add(
    `conv2d ${padding}`,
    () => L.conv2d({ filters: 6, kernelSize: [3, 2], padding, activation: "relu" }),
    ...sizes,
  );
  add(
    `conv2d ${padding}, strides 2, 3`,
    () => L.conv2d({ filters: 6, kernelSize: 3, strides: [2, 3], padding }),
    ...sizes,
  );
  add(
    `conv2d ${padding}, dilated, softmax`,
    () =>
      L.conv2d({
        filters: 6,
        kernelSize: [2, 3],
        dilationRate: 2,
        padding,
        activation: "softmax",
        useBias: false,
      }),
    ...sizes,
  );
  add(
    `conv2d ${padding}, channels first, softmax`,
    () =>
      L.conv2d({
        filters: 6,
        kernelSize: [3, 2],
        padding,
        dataFormat: "channelsFirst",
        activation: "softmax",
      }),
    ...sizes,
  );
  add(
    `conv1d ${padding}`,
    () => L.conv1d({ filters: 5, kernelSize: 3, padding, activation: "tanh" }),
    [7, 4],
    [8, 3],
  );
  add(
    `conv1d ${padding}, strides 2`,
    () => L.conv1d({ filters: 5, kernelSize: 3, strides: 2, padding, useBias: false }),
    [7, 4],
    [8, 3],
  );
  add(
    `conv1d ${padding}, dilated`,
    () => L.conv1d({ filters: 5, kernelSize: 2, dilationRate: 3, padding }),
    [7, 4],
    [8, 3],
  );
  for (const [kernelSize, strides] of [
    [3, 2],
    [2, 3],
    [
      [2, 3],
      [2, 1],
    ],
    [4, 1],
  ] as const)
    add(
      `conv2dTranspose ${padding}, filter ${kernelSize}, strides ${strides}`,
      () =>
        L.conv2dTranspose({
          filters: 6,
          kernelSize: kernelSize as number,
          strides: strides as number,
          padding,
          activation: "relu",
        }),
      ...sizes,
    );
  add(`conv2dTranspose ${padding}, channels first`, () =>
    L.conv2dTranspose({ filters: 6, kernelSize: 3, strides: 2, padding, dataFormat: "channelsFirst" }),
  );
  add(
    `depthwiseConv2d ${padding}`,
    () => L.depthwiseConv2d({ kernelSize: [3, 2], depthMultiplier: 2, padding, activation: "relu6" }),
    ...sizes,
  );
  add(
    `depthwiseConv2d ${padding}, strides 2`,
    () => L.depthwiseConv2d({ kernelSize: 3, strides: 2, padding, useBias: false }),
    ...sizes,
  );
  add(`depthwiseConv2d ${padding} with a dilation, which tf.js ignores`, () =>
    L.depthwiseConv2d({ kernelSize: 3, padding, dilationRate: 2 }),
  );
  add(`depthwiseConv2d ${padding}, channels first`, () =>
    L.depthwiseConv2d({ kernelSize: [3, 2], padding, dataFormat: "channelsFirst", depthMultiplier: 3 }),
  );
  add(
    `separableConv2d ${padding}`,
    () =>
      L.separableConv2d({
        filters: 6,
        kernelSize: [2, 3],
        depthMultiplier: 2,
        strides: 2,
        padding,
        activation: "elu",
      }),
    ...sizes,
  );
  add(`separableConv2d ${padding}, channels first`, () =>
    L.separableConv2d({
      filters: 6,
      kernelSize: [2, 3],
      padding,
      dataFormat: "channelsFirst",
      useBias: false,
    }),
  );
  for (const [name, make] of [
    ["maxPooling2d", L.maxPooling2d],
    ["averagePooling2d", L.averagePooling2d],
  ] as const) {
    add(`${name} ${padding}`, () => make({ poolSize: [2, 3], strides: [1, 2], padding }), ...sizes);
    add(`${name} ${padding}, default strides`, () => make({ poolSize: 2, padding }), ...sizes);
    add(`${name} ${padding}, channels first`, () =>
      make({ poolSize: [3, 2], padding, dataFormat: "channelsFirst" }),
    );
  }
  add(`maxPooling1d ${padding}`, () => L.maxPooling1d({ poolSize: 3, strides: 2, padding }), [8, 3], [7, 4]);
  add(
    `averagePooling1d ${padding}`,
    () => L.averagePooling1d({ poolSize: 3, strides: 2, padding }),
    [8, 3],
    [7, 4],
  );
}
add("batchNormalization", () => L.batchNormalization({ epsilon: 0.01 }), [6], [3, 5], image);
for (const axis of [1, 2, 3])
  add(`batchNormalization over axis ${axis}`, () => L.batchNormalization({ axis }));
add("batchNormalization over axis 1", () => L.batchNormalization({ axis: 1 }), [3, 5]);
add("batchNormalization without scale", () => L.batchNormalization({ scale: false }));
add("batchNormalization without center", () => L.batchNormalization({ center: false }));
add("layerNormalization", () => L.layerNormalization({ epsilon: 0.01 }), [6], [3, 5], image);
for (const axis of [1, 2, [1, 2], [2, 3], [3, 1], [1, 2, 3]])
  add(`layerNormalization over ${axis}`, () => L.layerNormalization({ axis }));
add("layerNormalization without scale", () => L.layerNormalization({ scale: false }));
add("layerNormalization without center", () => L.layerNormalization({ center: false }), [3, 5]);
add("dense", () => L.dense({ units: 6, activation: "softmax" }), [5], [3, 5], image);
add("dense without bias", () => L.dense({ units: 6, useBias: false }), [5], [3, 5], image);
add("dropout", () => L.dropout({ rate: 0.5 }), [5], image);
add("seededDropout", () => new layers.SeededDropout({ rate: 0.5 }), [5], image);
add("spatialDropout1d", () => L.spatialDropout1d({ rate: 0.5 }), [3, 5]);
add("gaussianNoise", () => L.gaussianNoise({ stddev: 1 }));
add("gaussianDropout", () => L.gaussianDropout({ rate: 0.5 }));
add("alphaDropout", () => L.alphaDropout({ rate: 0.5 }));
add("elu", () => L.elu());
add("reLU", () => L.reLU());
add("reLU up to 0.3", () => L.reLU({ maxValue: 0.3 }));
add("leakyReLU", () => L.leakyReLU({ alpha: 0.2 }), [5], image);
add("prelu", () => L.prelu(), [5], [3, 5], image);
add("prelu shared over space", () => L.prelu({ sharedAxes: [1, 2] }));
add("prelu shared over channels", () => L.prelu({ sharedAxes: 3 as never }));
add("thresholdedReLU", () => L.thresholdedReLU({ theta: 0.2 }), [5], image);
add("softmax over the last axis", () => L.softmax({ axis: -1 }), [5], [3, 5], image);
add("softmax by default", () => L.softmax(), [5]);
add("softmax over several axes", () => L.softmax({ axis: [1, 2] }), [3, 5], image);
add("flatten", () => L.flatten(), [3, 5], image);
add("flatten, channels first", () => L.flatten({ dataFormat: "channelsFirst" }), [3, 5], image);
add("reshape", () => L.reshape({ targetShape: [10, -1] }), [4, 5], image);
add("reshape to an image", () => L.reshape({ targetShape: [2, 5, 14] }));
add("reshape to a row", () => L.reshape({ targetShape: [140] }));
for (const dims of [
  [3, 1, 2],
  [2, 1, 3],
  [2, 3, 1],
  [1, 3, 2],
  [3, 2, 1],
])
  add(`permute ${dims}`, () => L.permute({ dims }));
add("permute", () => L.permute({ dims: [2, 1] }), [3, 5]);
add("repeatVector", () => L.repeatVector({ n: 3 }), [5]);
add("zeroPadding2d", () =>
  L.zeroPadding2d({
    padding: [
      [1, 2],
      [3, 0],
    ],
  }),
);
add("zeroPadding2d, channels first", () =>
  L.zeroPadding2d({
    padding: [
      [1, 2],
      [3, 0],
    ],
    dataFormat: "channelsFirst",
  }),
);
add("cropping2D", () =>
  L.cropping2D({
    cropping: [
      [1, 2],
      [3, 1],
    ],
  }),
);
add(
  "cropping2D, channels first",
  () =>
    L.cropping2D({
      cropping: [
        [2, 1],
        [1, 2],
      ],
      dataFormat: "channelsFirst",
    }),
  [5, 7, 6],
);
add("upSampling2d", () => L.upSampling2d({ size: [2, 3] }));
add("upSampling2d, bilinear", () => L.upSampling2d({ size: [2, 3], interpolation: "bilinear" }));
add("upSampling2d, channels first", () => L.upSampling2d({ size: [3, 2], dataFormat: "channelsFirst" }));
add(
  "upSampling2d, bilinear, channels first",
  () => L.upSampling2d({ size: [3, 2], interpolation: "bilinear", dataFormat: "channelsFirst" }),
  [4, 5, 3],
);
add("globalAveragePooling1d", () => L.globalAveragePooling1d({}), [3, 5]);
add("globalMaxPooling1d", () => L.globalMaxPooling1d(), [3, 5]);
for (const dataFormat of ["channelsLast", "channelsFirst"] as const) {
  add(`globalAveragePooling2d ${dataFormat}`, () => L.globalAveragePooling2d({ dataFormat }));
  add(`globalMaxPooling2d ${dataFormat}`, () => L.globalMaxPooling2d({ dataFormat }));
}
add("rescaling", () => L.rescaling({ scale: 0.25, offset: 3 }));
add("masking", () => L.masking({ maskValue: 0 }), [3, 5]);

for (const [name, make] of [
  ["lstm", L.lstm],
  ["gru", L.gru],
  ["simpleRNN", L.simpleRNN],
] as const) {
  add(`${name}, the last state`, () => make({ units: 5 } as never) as Layer, [4, 3], [1, 2]);
  add(
    `${name}, all states, without bias`,
    () => make({ units: 3, returnSequences: true, useBias: false } as never) as Layer,
    [4, 3],
  );
  add(`${name}, backwards`, () => make({ units: 2, goBackwards: true } as never) as Layer, [4, 3]);
  for (const activation of ["elu", "linear", "relu", "softsign", "softplus", "hardSigmoid"])
    add(
      `${name} of ${activation}`,
      () => make({ units: 3, activation, recurrentActivation: "sigmoid" } as never) as Layer,
      [4, 3],
    );
}

/** Whether a network reads its input channels first, which exportFaults refuses: such a layer stands inside only. */
const readsChannelsFirst = (layer: Layer) => layer.getConfig().dataFormat === "channelsFirst";

describe("every kind of layer computes in ONNX Runtime what it does in TensorFlow.js", () => {
  it.each(cases)("%s", async (_, make, shape) => {
    if (!readsChannelsFirst(make()) || shape.length < 3) await expectSameFile(alone(make(), shape));
    if (shape.length === 3) await expectSameFile(inside(make(), shape));
  });

  it.each([[[6]], [[3, 6]]])("embedding of int32 %j", async (shape) => {
    const model = alone(L.embedding({ inputDim: 5, outputDim: 4 }), shape, "int32");
    await expectSameFile(model);
    await expectSameFile(alone(L.embedding({ inputDim: 5, outputDim: 4, maskZero: true }), shape, "int32"));
  });

  it("embedding of float32 numbers, which lose their fraction", async () => {
    const model = alone(L.embedding({ inputDim: 5, outputDim: 4 }), [6]);
    const input = tf.tensor2d([0, 1.9, 2, 3.5, 4, 4.2, 1, 1, 0.5, 2, 2, 3], [2, 6]);
    await expectSameFile(model, [input]);
  });

  it("layers that take integers in their stride", async () => {
    const input = tf.input({ shape: [3, 4], dtype: "int32", name: "x" });
    const turned = L.permute({ dims: [2, 1] }).apply(L.dropout({ rate: 0.5 }).apply(input));
    const flat = L.flatten().apply(turned) as tf.SymbolicTensor;
    const outputs = L.rescaling({ scale: 0.5 }).apply(L.reshape({ targetShape: [2, 6] }).apply(flat));
    const model = tf.model({ inputs: input, outputs: [outputs as tf.SymbolicTensor, flat] });
    await expectSameFile(model, randomInputs(model));
  });
});
