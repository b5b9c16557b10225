import { isChannelsFirst } from "../onnx/layout";
import { isFixed } from "./fixedShapes";
import type { GraphEnd, GraphNode, NetworkGraph } from "./graph";
import { kindOf, knownClasses, makesMask } from "./kinds/index";
import { shapeText } from "./shapeText";

/** What of a network's inputs cannot be written. */
function inputFault(graph: NetworkGraph, { id, name, shape, dtype }: GraphEnd): string[] {
  const faults: string[] = [];
  if (dtype !== "float32" && dtype !== "int32")
    faults.push(`input ${name}: the type must be float32 or int32 (got ${dtype})`);
  if (!isFixed(shape)) {
    const reader = graph.nodes.find(
      ({ inputs, outputShapes }) => inputs.includes(id) && !isFixed(outputShapes[0]),
    );
    const after = reader ? `, of which ${reader.key} makes ${shapeText(reader.outputShapes[0])}` : "";
    faults.push(
      `input ${name}: all sizes but the batch must be fixed (got ${shapeText(shape)}${after}); give inputShape numbers instead of null`,
    );
  }
  const reader = shape.length === 4 ? firstImageLayer(graph, id) : null;
  if (reader && isChannelsFirst(reader.layer.getConfig().dataFormat))
    faults.push(
      `input ${name}: images must come channels last, as height, width, channels (got ${shapeText(shape)}, which ${reader.key}, a ${reader.layer.getClassName()}, reads with dataFormat channelsFirst); build the network with channelsLast`,
    );
  return faults;
}

/** The first call that says which axis of a network's input holds the channels, past calls that do not care. */
function firstImageLayer(graph: NetworkGraph, id: string): GraphNode | null {
  for (const node of graph.readersOf(id)) {
    const { dataFormat } = node.layer.getConfig();
    if (dataFormat !== undefined && node.inputShapes[0].length === 4) return node;
    const passesOn =
      node.inputs.length === 1 &&
      kindOf(node.layer)?.layout === "any" &&
      shapeText(node.inputShapes[0]) === shapeText(node.outputShapes[0]);
    const further = passesOn ? firstImageLayer(graph, node.outputs[0]) : null;
    if (further) return further;
  }
  return null;
}

/** What of one call cannot be written. */
export function nodeFaults(node: GraphNode): string[] {
  const kind = kindOf(node.layer);
  const what = `${node.key} (${node.layer.getClassName()})`;
  if (!kind)
    return [
      `${what}: a layer of this kind cannot be exported (got ${node.layer.getClassName()}); these can: ${knownClasses().join(", ")}`,
    ];
  const fault = kind.fault?.(node) ?? null;
  return fault === null ? [] : [`${what}: ${fault}`];
}

/** TensorFlow.js hands a mask that once arose to every later layer; a file has none. */
function maskFaults(graph: NetworkGraph): string[] {
  const maker = graph.nodes.find(({ layer }) => makesMask(layer));
  if (!maker) return [];
  return graph.nodes.flatMap(({ key, layer }) => {
    const remedy = kindOf(layer)?.readsMask;
    if (!remedy) return [];
    return [
      `${key} (${layer.getClassName()}): the network must have no mask (got that of ${maker.key}); ${remedy}`,
    ];
  });
}

/**
 * Everything about a network that cannot be written to an ONNX file: one sentence each, which names the layer, its kind,
 * the value and what would do. Empty when {@link exportOnnx} can write it.
 */
export function exportFaults(graph: NetworkGraph): string[] {
  return [
    ...graph.inputs.flatMap((input) => inputFault(graph, input)),
    ...graph.nodes.flatMap(nodeFaults),
    ...maskFaults(graph),
  ];
}
