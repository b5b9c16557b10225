import { valuesOf } from "../../compute/valuesOf";
import { LutnnError } from "../../errors";
import { LUTNN_DOMAIN } from "../../onnx/builder";
import type { GraphBuilder } from "../../onnx/graphBuilder";
import type { GraphNode } from "../graph";
import { IntegerLinear } from "../integerLinear";
import { activationFault, fusedActivation } from "./activations";
import { convolutionFault, writeAsImages } from "./convolution";
import type { LayerKind } from "./kind";
import { plainOutput } from "./kind";
import { normAffine } from "./normalization";

// What stays dense in a file in INT8. These layers stand in the place of a network's own while a file is written, nowhere else.

function integerLayerOf({ key, layer }: GraphNode): IntegerLinear {
  if (layer instanceof IntegerLinear) return layer;
  throw new LutnnError(
    `${key}: a layer of class ${layer.getClassName()} must be this library's (got another of that name); rename the other class`,
  );
}

/** Inputs of the node after x: inputScale, inputZeroPoint, weights in some order of axes with these dims, scale, bias. */
function integerConstants(
  graph: GraphBuilder,
  node: GraphNode,
  norm: GraphNode | undefined,
  order: number[],
  dims: number[],
): string[] {
  const { inputQuantization, integers, scale } = integerLayerOf(node);
  const affine = norm && normAffine(norm.layer);
  const own = norm ? `${node.key}/${norm.key}` : node.key;
  const weights = graph.sharedConstant(`${node.name}/weights`, () => ({
    data: Int8Array.from(valuesOf(() => integers.linear.getWeights()[0].transpose(order))),
    dims,
  }));
  const outputs = [scale.length];
  const { bias } = integers;
  return [
    graph.constant(`${node.key}/inputScale`, Float32Array.of(inputQuantization.scale), []),
    graph.constant(`${node.key}/inputZeroPoint`, Uint8Array.of(inputQuantization.zeroPoint), []),
    weights,
    graph.constant(
      `${own}/scale`,
      affine ? scale.map((value, m) => value * affine.factor[m]) : scale,
      outputs,
    ),
    graph.constant(
      `${own}/bias`,
      affine ? bias.map((value, m) => value * affine.factor[m] + affine.offset[m]) : bias,
      outputs,
    ),
  ];
}

/** Filters (…space, channels, M) as (M, channels, height, width). */
function filterConstants(graph: GraphBuilder, node: GraphNode, norm?: GraphNode): string[] {
  const { shape } = integerLayerOf(node).integers.linear.getWeights()[0];
  const rank = shape.length;
  const [channels, outputs] = shape.slice(-2);
  const space = shape.slice(0, -2);
  const order = [rank - 1, rank - 2, ...space.keys()];
  return integerConstants(graph, node, norm, order, [
    outputs,
    channels,
    ...(space.length === 1 ? [1] : []),
    ...space,
  ]);
}

export const integerConvolution: LayerKind = {
  classNames: ["IntegerConvolution"],
  layout: "channelsFirst",
  fault: convolutionFault,
  write: (graph, node, [x], norm) =>
    writeAsImages(graph, node, x, {
      operator: "DenseConvInteger",
      constants: filterConstants(graph, node, norm),
      group: 1,
    }),
};

export const integerDense: LayerKind = {
  classNames: ["IntegerDense"],
  layout: "plain",
  fault: activationFault,
  write: (graph, node, [x], norm) => {
    const { shape } = integerLayerOf(node).integers.linear.getWeights()[0];
    const inputs = [x.name, ...integerConstants(graph, node, norm, [0, 1], [...shape])];
    const y = graph.add("DenseMatMulInteger", inputs, node.key, {}, LUTNN_DOMAIN);
    return fusedActivation(graph, node, plainOutput(node, y));
  },
};
