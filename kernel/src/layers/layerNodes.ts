import type * as tf from "@tensorflow/tfjs-node";
import type { ConvWindow } from "../compute/imageWindows";
import { valuesOf } from "../compute/valuesOf";
import { LutnnError } from "../errors";
import { FloatValue, LUTNN_DOMAIN } from "../onnx/builder";
import type { GraphBuilder, GraphValue } from "../onnx/graphBuilder";
import { LookupLayer } from "./lookupLayer";
import { convWindow, LutConv2D } from "./lutConv2d";

/** Adds the nodes of one layer; returns the name of its output. */
type Emit = (graph: GraphBuilder, layer: tf.layers.Layer, inputs: GraphValue[]) => string;

const floats = (weight: tf.Tensor): Float32Array => weight.dataSync() as Float32Array;

/** ONNX's attributes of a window. */
const convAttributes = (window: ConvWindow) => ({
  kernel_shape: [window.filterHeight, window.filterWidth],
  strides: [window.strideHeight, window.strideWidth],
  pads: [window.padTop, window.padLeft, window.padBottom, window.padRight],
  dilations: [window.dilationHeight, window.dilationWidth],
});

const activationOps: Record<string, string> = {
  relu: "Relu",
  sigmoid: "Sigmoid",
  tanh: "Tanh",
  elu: "Elu",
  selu: "Selu",
  softplus: "Softplus",
};

/** The nodes of an activation by tf.js name. */
function activate(graph: GraphBuilder, name: unknown, input: string, layer: string): string {
  if (name === undefined || name === null || name === "linear" || !graph.withActivations) return input;
  if (name === "softmax") return graph.add("Softmax", [input], `${layer}/softmax`, { axis: -1 });
  if (name === "relu6") {
    const bounds = [0, 6].map((value) => graph.constant(`${layer}/bound`, Float32Array.of(value), []));
    return graph.add("Clip", [input, ...bounds], `${layer}/relu6`);
  }
  const op = activationOps[String(name)];
  if (!op)
    throw new LutnnError(
      `ONNX export: the activation of ${layer} must be one of ${["linear", "softmax", "relu6", ...Object.keys(activationOps)].join(", ")} (got ${String(name)})`,
    );
  return graph.add(op, [input], `${layer}/${String(name)}`);
}

/** Inputs of a lookup node after x: centroids, table, scale, bias. */
function lookupConstants(graph: GraphBuilder, layer: LookupLayer): string[] {
  const lookup = layer.exportLookup();
  const { numCodebooks, numCentroids, subvectorLength, outputs } = lookup;
  return [
    graph.constant(`${layer.name}/centroids`, lookup.centroids, [
      numCodebooks,
      numCentroids,
      subvectorLength,
    ]),
    graph.constant(`${layer.name}/table`, lookup.lookupTable, [numCodebooks, numCentroids, outputs]),
    graph.constant(`${layer.name}/scale`, lookup.tableScale, [outputs]),
    graph.constant(`${layer.name}/bias`, lookup.bias, [outputs]),
  ];
}

const conv2d: Emit = (graph, layer, [x]) => {
  const [weight, bias] = layer.getWeights();
  const [height, width, channels, outputs] = weight.shape;
  const values = valuesOf(() => weight.transpose([3, 2, 0, 1])); // (M, channels, height, width)
  const filters = graph.constant(`${layer.name}/weight`, values, [outputs, channels, height, width]);
  const rest = bias ? [graph.constant(`${layer.name}/bias`, floats(bias), bias.shape)] : [];
  const attributes = convAttributes(convWindow(layer.getConfig(), x.shape));
  const y = graph.add("Conv", [x.name, filters, ...rest], layer.name, attributes);
  return activate(graph, layer.getConfig().activation, y, layer.name);
};

const lutConv2d: Emit = (graph, layer, [x]) => {
  if (!(layer instanceof LutConv2D)) throw new TypeError(`${layer.name} is not a LutConv2D`);
  graph.lookups.add("LutConv");
  const attributes = { ...convAttributes(layer.window), group: layer.quantizerShape.numCodebooks };
  const y = graph.add(
    "LutConv",
    [x.name, ...lookupConstants(graph, layer)],
    layer.name,
    attributes,
    LUTNN_DOMAIN,
  );
  return activate(graph, layer.getConfig().activation, y, layer.name);
};

function checkMatrix(layer: tf.layers.Layer, x: GraphValue): void {
  if (x.shape.length === 3)
    throw new LutnnError(
      `ONNX export: ${layer.name} is a dense layer on images (${x.shape.join("×")}); flatten or pool them before it`,
    );
}

const dense: Emit = (graph, layer, [x]) => {
  checkMatrix(layer, x);
  const [weight, bias] = layer.getWeights();
  const matrix = graph.constant(`${layer.name}/weight`, floats(weight), weight.shape);
  let y = graph.add("MatMul", [x.name, matrix], bias ? `${layer.name}/product` : layer.name);
  if (bias)
    y = graph.add("Add", [y, graph.constant(`${layer.name}/bias`, floats(bias), bias.shape)], layer.name);
  return activate(graph, layer.getConfig().activation, y, layer.name);
};

const lutDense: Emit = (graph, layer, [x]) => {
  if (!(layer instanceof LookupLayer)) throw new TypeError(`${layer.name} is not a LutDense`);
  checkMatrix(layer, x);
  graph.lookups.add("LutMatMul");
  const y = graph.add("LutMatMul", [x.name, ...lookupConstants(graph, layer)], layer.name, {}, LUTNN_DOMAIN);
  return activate(graph, layer.getConfig().activation, y, layer.name);
};

const batchNormalization: Emit = (graph, layer, [x]) => {
  const config = layer.getConfig();
  const channels = x.shape[x.shape.length - 1];
  const weights = layer.getWeights().map(floats);
  const gamma = config.scale === false ? new Float32Array(channels).fill(1) : weights.shift()!;
  const beta = config.center === false ? new Float32Array(channels) : weights.shift()!;
  const [mean, variance] = weights;
  const constants = Object.entries({ gamma, beta, mean, variance }).map(([name, values]) =>
    graph.constant(`${layer.name}/${name}`, values, [channels]),
  );
  const epsilon = new FloatValue(config.epsilon as number);
  return graph.add("BatchNormalization", [x.name, ...constants], layer.name, { epsilon });
};

const pool =
  (op: "MaxPool" | "AveragePool"): Emit =>
  (graph, layer, [x]) => {
    const config = layer.getConfig();
    const window = convWindow(
      { kernelSize: config.poolSize, strides: config.strides, padding: config.padding },
      x.shape,
    );
    const { kernel_shape, strides, pads } = convAttributes(window);
    return graph.add(op, [x.name], layer.name, { kernel_shape, strides, pads });
  };

const globalAveragePooling2d: Emit = (graph, layer, [x]) =>
  graph.add("Flatten", [graph.add("GlobalAveragePool", [x.name], `${layer.name}/planes`)], layer.name, {
    axis: 1,
  });

/** tf.js flattens channels last, so images are transposed back first. */
const flatten: Emit = (graph, layer, [x]) => {
  const rows =
    x.shape.length === 3
      ? graph.add("Transpose", [x.name], `${layer.name}/channelsLast`, { perm: [0, 2, 3, 1] })
      : x.name;
  return graph.add("Flatten", [rows], layer.name, { axis: 1 });
};

const concatenate: Emit = (graph, layer, inputs) => {
  const axis = layer.getConfig().axis as number;
  const rank = inputs[0].shape.length + 1;
  if (axis !== -1 && axis !== rank - 1)
    throw new LutnnError(`ONNX export: ${layer.name} must concatenate the last axis (got axis ${axis})`);
  return graph.add(
    "Concat",
    inputs.map((input) => input.name),
    layer.name,
    { axis: rank === 4 ? 1 : -1 },
  );
};

const merge =
  (op: "Add" | "Mul"): Emit =>
  (graph, layer, [first, ...others]) =>
    others.reduce(
      (sum, other, i) =>
        graph.add(op, [sum, other.name], i === others.length - 1 ? layer.name : `${layer.name}/part`),
      first.name,
    );

const zeroPadding2d: Emit = (graph, layer, [x]) => {
  const [[top, bottom], [left, right]] = layer.getConfig().padding as number[][];
  const pads = [0, 0, top, left, 0, 0, bottom, right].map(BigInt);
  return graph.add(
    "Pad",
    [x.name, graph.constant(`${layer.name}/pads`, BigInt64Array.from(pads), [8])],
    layer.name,
  );
};

const reLU: Emit = (graph, layer, [x]) => {
  const maximum = layer.getConfig().maxValue as number | null | undefined;
  if (maximum === null || maximum === undefined) return graph.add("Relu", [x.name], layer.name);
  const bounds = [0, maximum].map((value) =>
    graph.constant(`${layer.name}/bound`, Float32Array.of(value), []),
  );
  return graph.add("Clip", [x.name, ...bounds], layer.name);
};

/** By tf.js class name. */
const emitters: Record<string, Emit> = {
  Activation: (graph, layer, [x]) => activate(graph, layer.getConfig().activation, x.name, layer.name),
  Add: merge("Add"),
  AveragePooling2D: pool("AveragePool"),
  BatchNormalization: batchNormalization,
  Concatenate: concatenate,
  Conv2D: conv2d,
  Dense: dense,
  Dropout: (_graph, _layer, [x]) => x.name,
  Flatten: flatten,
  GlobalAveragePooling2D: globalAveragePooling2d,
  LutConv2D: lutConv2d,
  LutDense: lutDense,
  MaxPooling2D: pool("MaxPool"),
  Multiply: merge("Mul"),
  ReLU: reLU,
  Softmax: (graph, layer, [x]) => activate(graph, "softmax", x.name, layer.name),
  ZeroPadding2D: zeroPadding2d,
};

/** Adds a layer to the graph. Throws LutnnError for a kind of layer that has no ONNX form here. */
export function emitLayer(graph: GraphBuilder, layer: tf.layers.Layer, inputs: GraphValue[]): string {
  const emit = emitters[layer.getClassName()];
  if (!emit)
    throw new LutnnError(
      `ONNX export: ${layer.name} is a ${layer.getClassName()} layer, which cannot be exported; these can: ${Object.keys(emitters).join(", ")}`,
    );
  return emit(graph, layer, inputs);
}
