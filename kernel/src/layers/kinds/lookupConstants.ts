import { LutnnError } from "../../errors";
import type { GraphBuilder } from "../../onnx/graphBuilder";
import type { GraphNode } from "../graph";
import { type ExportedLookup, LookupLayer } from "../lookupLayer";

/** The layer of a call as the lookup layer that its class name says it is. */
export function lookupLayerOf({ key, layer }: GraphNode): LookupLayer {
  if (layer instanceof LookupLayer) return layer;
  throw new LutnnError(
    `${key}: a layer of class ${layer.getClassName()} must be this library's (got another of that name); rename the other class`,
  );
}

/** Inputs of a lookup node after x: centroids, table, scale, bias. */
export function lookupConstants(graph: GraphBuilder, node: GraphNode): string[] {
  const layer = lookupLayerOf(node);
  const { numCodebooks, numCentroids, subvectorLength } = layer.quantizerShape;
  let made: ExportedLookup | undefined;
  const lookup = () => {
    made ??= layer.exportLookup();
    return made;
  };
  const constant = (name: string, data: () => Float32Array | Int8Array, dims: () => number[]) =>
    graph.sharedConstant(`${node.name}/${name}`, () => ({ data: data(), dims: dims() }));
  return [
    constant(
      "centroids",
      () => lookup().centroids,
      () => [numCodebooks, numCentroids, subvectorLength],
    ),
    constant(
      "table",
      () => lookup().lookupTable,
      () => [numCodebooks, numCentroids, lookup().outputs],
    ),
    constant(
      "scale",
      () => lookup().tableScale,
      () => [lookup().outputs],
    ),
    constant(
      "bias",
      () => lookup().bias,
      () => [lookup().outputs],
    ),
  ];
}
