import { LutnnError } from "../../errors";
import type { TensorArray } from "../../onnx/builder";
import type { GraphBuilder } from "../../onnx/graphBuilder";
import type { LinearOperatorName } from "../../onnx/linearFunctions";
import type { GraphNode } from "../graph";
import { type ExportedLookup, LookupLayer } from "../lookupLayer";
import { normAffine } from "./normalization";

/** The layer of a call as the lookup layer that its class name says it is. */
export function lookupLayerOf({ key, layer }: GraphNode): LookupLayer {
  if (layer instanceof LookupLayer) return layer;
  throw new LutnnError(
    `${key}: a layer of class ${layer.getClassName()} must be this library's (got another of that name); rename the other class`,
  );
}

/** The operator of a lookup layer's call: that name, or with `Integer` behind it for codes in integers. */
export const lookupOperator = (node: GraphNode, name: "LutConv" | "LutMatMul"): LinearOperatorName =>
  lookupLayerOf(node).hasIntegerCodes ? `${name}Integer` : name;

/**
 * Inputs of a lookup node after x: centroids, table, scale, bias; for codes in integers the input's scale and zero point come
 * before the centroids, and half norms behind them.
 * @param norm a batch norm that becomes part of scale and bias
 */
export function lookupConstants(graph: GraphBuilder, node: GraphNode, norm?: GraphNode): string[] {
  const layer = lookupLayerOf(node);
  const { numCodebooks, numCentroids, subvectorLength } = layer.quantizerShape;
  let made: ExportedLookup | undefined;
  const lookup = () => {
    made ??= layer.exportLookup();
    return made;
  };
  const affine = norm && normAffine(norm.layer);
  const own = norm ? `${node.key}/${norm.key}` : node.name; // calls of one layer may have norms of their own
  const constant = (name: string, data: () => TensorArray, dims: () => number[]) =>
    graph.sharedConstant(name, () => ({ data: data(), dims: dims() }));
  // Layers that share a quantiser have it once.
  const { codebookOwner } = layer;
  const quantizerName = codebookOwner === layer ? node.name : codebookOwner.name;
  const bookDims = () => [numCodebooks, numCentroids, subvectorLength];
  const quantizer = layer.hasIntegerCodes
    ? [
        constant(
          `${quantizerName}/inputScale`,
          () => Float32Array.of(lookup().integers!.input.scale),
          () => [],
        ),
        constant(
          `${quantizerName}/inputZeroPoint`,
          () => Uint8Array.of(lookup().integers!.input.zeroPoint),
          () => [],
        ),
        constant(`${quantizerName}/centroids`, () => lookup().integers!.centroids, bookDims),
        constant(
          `${quantizerName}/halfNorms`,
          () => lookup().integers!.halfNorms,
          () => [numCodebooks, numCentroids],
        ),
      ]
    : [constant(`${quantizerName}/centroids`, () => lookup().centroids, bookDims)];
  return [
    ...quantizer,
    constant(
      `${node.name}/table`,
      () => lookup().lookupTable,
      () => [numCodebooks, numCentroids, lookup().outputs],
    ),
    constant(
      `${own}/scale`,
      () => (affine ? lookup().tableScale.map((scale, m) => scale * affine.factor[m]) : lookup().tableScale),
      () => [lookup().outputs],
    ),
    constant(
      `${own}/bias`,
      () =>
        affine ? lookup().bias.map((bias, m) => bias * affine.factor[m] + affine.offset[m]) : lookup().bias,
      () => [lookup().outputs],
    ),
  ];
}
