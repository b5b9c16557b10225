import type { GraphNode, NetworkGraph } from "./graph";
import { isReplaceable } from "./linearOperator";

/** Numbers of one example in a shape with the batch axis first; open lengths count once. */
const size = (shape: readonly (number | null)[]): number =>
  shape.slice(1).reduce<number>((product, length) => product * (length ?? 1), 1);

/** Whether a value has a single position, its channels last, as in all that can be replaced. */
const isVector = (shape: readonly (number | null)[]): boolean =>
  size(shape) === (shape[shape.length - 1] ?? 1);

/** Whether a call gives one number for each channel of a sequence or an image. */
function isGlobalPooling({ layer, inputShapes, outputShapes }: GraphNode): boolean {
  const kind = layer.getClassName();
  if (/^Global(Average|Max)Pooling[12]D$/.test(kind)) return true;
  return /^(Average|Max)Pooling[12]D$/.test(kind) && isVector(outputShapes[0]) && !isVector(inputShapes[0]);
}

/** The two linear layers behind a global pooling that make a value, activations and the like between them; else none. */
function excitationOf(graph: NetworkGraph, id: string): GraphNode[] {
  const linear: GraphNode[] = [];
  for (let node = graph.makerOf(id); node; node = graph.makerOf(node.inputs[0])) {
    if (isGlobalPooling(node)) return linear.length === 2 ? linear : [];
    if (isReplaceable(node.layer)) linear.push(node);
    if (!isVector(node.outputShapes[0]) || node.inputs.length !== 1) return [];
  }
  return [];
}

/**
 * The calls that squeeze-and-excitation (Hu et al., 2018) is made of: two dense layers, or convolutions of a single
 * position, one behind the other behind a global pooling, whose result scales the channels of something larger. Found by
 * edges, whatever their sizes and names.
 */
export function excitationCalls(graph: NetworkGraph): Set<GraphNode> {
  const shapes = new Map<string, readonly (number | null)[]>(
    graph.inputs.map(({ id, shape }) => [id, shape]),
  );
  for (const { outputs, outputShapes } of graph.nodes)
    outputs.forEach((id, i) => {
      shapes.set(id, outputShapes[i]);
    });
  const found = new Set<GraphNode>();
  for (const node of graph.nodes.filter(({ layer }) => layer.getClassName() === "Multiply")) {
    const sizes = node.inputs.map((id) => size(shapes.get(id)!));
    node.inputs.forEach((id, i) => {
      if (sizes[i] < Math.max(...sizes)) for (const call of excitationOf(graph, id)) found.add(call);
    });
  }
  return found;
}
