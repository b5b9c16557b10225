import type * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../../compute/valuesOf";
import type { GraphBuilder, GraphValue } from "../../onnx/graphBuilder";
import { isChannelsFirst } from "../../onnx/layout";
import type { GraphNode } from "../graph";
import { axisWindows, windowAttributes } from "../window";
import { fusedActivation } from "./activations";
import { biasInput, convolutionFault, filtersFirst, spaceLengths } from "./convolution";
import { imageOutput, type LayerKind, outputSize, settings, weightBytes } from "./kind";

/** Weight (height, width, channels, multiplier) → (channels·multiplier, 1, height, width). */
function filtersOfChannels(graph: GraphBuilder, node: GraphNode, weight: tf.Tensor): string {
  const [height, width, channels, multiplier] = weight.shape;
  return graph.sharedConstant(`${node.name}/depthwise`, () => ({
    data: valuesOf(() => weight.transpose([2, 3, 0, 1])),
    dims: [channels * multiplier, 1, height, width],
  }));
}

/** A filter for each channel by itself. */
function depthwise(
  graph: GraphBuilder,
  node: GraphNode,
  x: GraphValue,
  config: tf.serialization.ConfigDict,
  bias: string[],
  name: string,
): string {
  const [weight] = node.layer.getWeights();
  const attributes = windowAttributes(axisWindows(config, spaceLengths(node, x)));
  const inputs = [x.name, filtersOfChannels(graph, node, weight), ...bias];
  return graph.add("Conv", inputs, name, { ...attributes, group: weight.shape[2] as number });
}

const filterArea = (node: GraphNode): number => {
  const [height, width] = node.layer.getWeights()[0].shape;
  return height * width;
};

/** TensorFlow's depthwise convolution takes one stride for both axes. */
function depthwiseFault(node: GraphNode): string | null {
  const [rows, columns] = settings(node).strides as number[];
  if (rows !== columns)
    return `strides must be the same for rows and columns, since TensorFlow computes no others here (got ${rows}, ${columns})`;
  return convolutionFault(node);
}

export const depthwiseConv2d: LayerKind = {
  classNames: ["DepthwiseConv2D"],
  layout: "channelsFirst",
  cost: (node) => ({ operations: outputSize(node) * filterArea(node), bytes: weightBytes(node) }),
  fault: depthwiseFault,
  write: (graph, node, [x]) => {
    // TensorFlow.js leaves this layer's dilation out of account.
    const config = { ...settings(node), dilationRate: 1 };
    const bias = biasInput(graph, node, node.layer.getWeights()[1]);
    return fusedActivation(graph, node, imageOutput(node, depthwise(graph, node, x, config, bias, node.key)));
  },
};

/** A filter for each channel, then a 1×1 convolution. */
export const separableConv2d: LayerKind = {
  classNames: ["SeparableConv2D"],
  lostSettings: ["depthMultiplier"],
  layout: "channelsFirst",
  cost: (node) => {
    const [{ shape }, pointwise] = node.layer.getWeights();
    const made = outputSize(node) / pointwise.shape[3]!; // positions
    const channels = shape[2]! * shape[3]!;
    return {
      operations: made * channels * filterArea(node) + outputSize(node) * channels,
      bytes: weightBytes(node),
    };
  },
  fault: (node) => {
    const { dataFormat, useBias, dilationRate } = settings(node);
    if ((dilationRate as number[]).some((rate) => rate !== 1))
      return `dilationRate must be 1, since TensorFlow computes no other here (got ${(dilationRate as number[]).join(", ")})`;
    if (isChannelsFirst(dataFormat) && useBias !== false)
      return "useBias must be false with channelsFirst, since TensorFlow.js adds the bias to rows instead of channels (got true)";
    return depthwiseFault(node);
  },
  write: (graph, node, [x]) => {
    const [, pointwise, bias] = node.layer.getWeights();
    const channels = depthwise(graph, node, x, settings(node), [], `${node.key}/depthwise`);
    const filters = filtersFirst(graph, node, pointwise, "pointwise");
    const y = graph.add("Conv", [channels, filters, ...biasInput(graph, node, bias)], node.key);
    return fusedActivation(graph, node, imageOutput(node, y));
  },
};
