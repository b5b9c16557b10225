import * as tf from "@tensorflow/tfjs-node";
import { imageWindows, windowsAt } from "../../compute/imageWindows";
import { valuesOf } from "../../compute/valuesOf";
import { LUTNN_DOMAIN } from "../../onnx/builder";
import type { GraphBuilder, GraphValue } from "../../onnx/graphBuilder";
import { imageAxes, isChannelsFirst } from "../../onnx/layout";
import type { LinearOperatorName } from "../../onnx/linearFunctions";
import type { GraphNode } from "../graph";
import type { LinearOperator } from "../linearOperator";
import { LutConv1D } from "../lutConv1d";
import { LutConv2D } from "../lutConv2d";
import { asImages } from "../lutConvolution";
import { axisWindows, convAttributes, convWindow, windowAttributes } from "../window";
import { activationFault, fusedActivation } from "./activations";
import { floats, imageOutput, type LayerKind, outputLengths, settings } from "./kind";
import { lookupConstants, lookupLayerOf, lookupOperator } from "./lookupConstants";

/** What no convolution of tf.js can do though its settings allow it. */
export function convolutionFault(node: GraphNode): string | null {
  const { padding } = settings(node);
  if (padding !== "same" && padding !== "valid")
    return `padding must be same or valid, since TensorFlow.js computes no other (got ${padding})`;
  return activationFault(node);
}

/** Weight (…filter, channels, M) → (M, channels, …filter). */
export function filtersFirst(graph: GraphBuilder, node: GraphNode, weight: tf.Tensor, name: string): string {
  const rank = weight.rank;
  const order = [rank - 1, rank - 2, ...Array.from({ length: rank - 2 }, (_, axis) => axis)];
  return graph.sharedConstant(`${node.name}/${name}`, () => ({
    data: valuesOf(() => weight.transpose(order)),
    dims: order.map((axis) => weight.shape[axis]),
  }));
}

/** The bias as the last input of a convolution, where there is one. */
export const biasInput = (graph: GraphBuilder, node: GraphNode, bias: tf.Tensor | undefined): string[] =>
  bias ? [graph.sharedConstant(`${node.name}/bias`, () => ({ data: floats(bias), dims: bias.shape }))] : [];

/** The lengths of a value's axes of space. */
export const spaceLengths = (node: GraphNode, x: GraphValue): number[] =>
  imageAxes(x.order.length, settings(node).dataFormat).space.map((axis) => x.shape[axis - 1]);

const write: LayerKind["write"] = (graph, node, [x]) => {
  const [weight, bias] = node.layer.getWeights();
  const inputs = [x.name, filtersFirst(graph, node, weight, "weight"), ...biasInput(graph, node, bias)];
  const attributes = windowAttributes(axisWindows(settings(node), spaceLengths(node, x)));
  return fusedActivation(graph, node, imageOutput(node, graph.add("Conv", inputs, node.key, attributes)));
};

/** The filter as (filter height, filter width, channels, M); a sequence's has height 1. */
const filter4d = (weight: tf.Tensor): tf.Tensor4D =>
  (weight.rank === 3 ? weight.expandDims(0) : weight) as tf.Tensor4D;

/** A convolution as rows of windows times a matrix (channels·filter area, M), channel-major. */
function linear(node: GraphNode): LinearOperator {
  const { layer } = node;
  const config = layer.getConfig();
  const weight = () => layer.getWeights()[0];
  const { shape } = weight();
  const [channels, outputs] = shape.slice(-2);
  const filterArea = shape.slice(0, -2).reduce((product, length) => product * length, 1);
  const windowOn = (x: tf.Tensor) => {
    const lengths = x.shape.slice(1);
    // A sequence may come as images of height 1.
    return convWindow(config, shape.length === 3 ? lengths.slice(-2) : lengths);
  };
  const rows = (x: tf.Tensor) => imageWindows(asImages(x), windowOn(x)).rows;
  const matrix = () =>
    tf.tidy(() =>
      filter4d(weight())
        .transpose([2, 0, 1, 3])
        .reshape([channels * filterArea, outputs]),
    ) as tf.Tensor2D;
  return {
    op: shape.length === 3 ? "conv1d" : "conv2d",
    positions: outputLengths(node)
      .slice(0, -1)
      .reduce((product, length) => product * length, 1),
    inputLength: channels * filterArea,
    outputs,
    filterArea,
    rows,
    rowsAt: (x, indices) => windowsAt(asImages(x), windowOn(x), indices),
    weight: matrix,
    bias: () => (config.useBias === false ? null : floats(layer.getWeights()[1])),
    inputGradient: (dy, x) => {
      const [strides, dilations] = [config.strides, config.dilationRate] as number[][];
      const input = asImages(x);
      // TensorFlow.js has no gradient of a dilated convolution.
      if (dilations.some((rate) => rate > 1))
        return tf.grad((one) => tf.matMul(rows(one), matrix()).reshape(dy.shape))(x, dy);
      const [steps, columns] = strides.length === 1 ? [1, strides[0]] : strides;
      const gradient = tf.conv2dTranspose(
        asImages(dy),
        filter4d(weight()),
        input.shape,
        [steps, columns],
        config.padding as "same" | "valid",
      );
      return gradient.reshape(x.shape);
    },
  };
}

/** What keeps a convolution from being looked up. */
const lookupFault = (layer: tf.layers.Layer): string | null =>
  isChannelsFirst(Reflect.get(layer, "dataFormat"))
    ? "dataFormat must be channelsLast for a layer that is replaced (got channelsFirst)"
    : null;

export const conv2d: LayerKind = {
  classNames: ["Conv2D"],
  layout: "channelsFirst",
  fault: convolutionFault,
  write,
  linear,
  lookupFault,
  lookupTwin: LutConv2D,
};

export const conv1d: LayerKind = {
  classNames: ["Conv1D"],
  layout: "channelsFirst",
  fault: (node) =>
    isChannelsFirst(Reflect.get(node.layer, "dataFormat"))
      ? "dataFormat must be channelsLast, since TensorFlow.js leaves the output of the other in the wrong order (got channelsFirst)"
      : convolutionFault(node),
  write,
  linear,
  lookupFault,
  lookupTwin: LutConv1D,
};

/** A convolution as a node of ours, which takes images: a sequence becomes one of height 1. Then its activation. */
export function writeAsImages(
  graph: GraphBuilder,
  node: GraphNode,
  x: GraphValue,
  { operator, constants, group }: { operator: LinearOperatorName; constants: string[]; group: number },
): GraphValue {
  const isSequence = x.order.length === 3;
  const [length, channels] = x.shape;
  const image = isSequence
    ? graph.add("Reshape", [x.name, graph.integers([0, channels, 1, length])], `${node.key}/image`)
    : x.name;
  const window = convWindow(settings(node), [...spaceLengths(node, x), x.shape[x.order[1] - 1]]);
  const attributes = { ...convAttributes(window), group };
  const name = isSequence ? `${node.key}/positions` : node.key;
  const y = graph.add(operator, [image, ...constants], name, attributes, LUTNN_DOMAIN);
  const [positions, outputs] = outputLengths(node);
  const output = isSequence
    ? graph.add("Reshape", [y, graph.integers([0, outputs, positions])], node.key)
    : y;
  return fusedActivation(graph, node, imageOutput(node, output));
}

/** A convolution that is looked up. */
export const lutConvolution: LayerKind = {
  classNames: ["LutConv2D", "LutConv1D"],
  layout: "channelsFirst",
  fault: convolutionFault,
  write: (graph, node, [x], norm) =>
    writeAsImages(graph, node, x, {
      operator: lookupOperator(node, "LutConv"),
      constants: lookupConstants(graph, node, norm),
      group: lookupLayerOf(node).quantizerShape.numCodebooks,
    }),
};
