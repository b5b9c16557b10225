import type { GraphNode, NetworkGraph } from "./graph";

/** The calls whose results a call reads, and the calls that read its results. */
function before(graph: NetworkGraph, node: GraphNode): GraphNode[] {
  const makers = node.inputs.map((id) => graph.makerOf(id));
  return [...new Set(makers.filter((maker): maker is GraphNode => maker !== null))];
}

/** Whether some call that `node` depends on, itself left out, is what `is` asks for. */
export function hasBefore(graph: NetworkGraph, node: GraphNode, is: (node: GraphNode) => boolean): boolean {
  const seen = new Set<GraphNode>();
  const open = before(graph, node);
  for (let next = open.pop(); next; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (is(next)) return true;
    open.push(...before(graph, next));
  }
  return false;
}

/** Whether some call that depends on `node`, itself left out, is what `is` asks for. */
export function hasBehind(graph: NetworkGraph, node: GraphNode, is: (node: GraphNode) => boolean): boolean {
  const seen = new Set<GraphNode>();
  const readers = ({ outputs }: GraphNode) => outputs.flatMap((id) => graph.readersOf(id));
  const open = readers(node);
  for (let next = open.pop(); next; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (is(next)) return true;
    open.push(...readers(next));
  }
  return false;
}

const isNorm = ({ layer }: GraphNode): boolean => layer.getClassName() === "BatchNormalization";

/**
 * Which layers feed each batch norm: of the layers that `isFeeding` names, those that stand the fewest calls before it,
 * found along the edges from its input back, with no other batch norm between. Several where branches are joined at the
 * same distance. By name of the batch norm → names of the layers.
 */
export function feedingLayers(
  graph: NetworkGraph,
  isFeeding: (node: GraphNode) => boolean,
): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const norm of graph.nodes.filter(isNorm)) {
    const names = found.get(norm.name) ?? new Set<string>();
    found.set(norm.name, names);
    const seen = new Set<GraphNode>([norm]);
    let ring = before(graph, norm);
    while (ring.length > 0 && !ring.some(isFeeding)) {
      for (const node of ring) seen.add(node);
      ring = [
        ...new Set(
          ring
            .filter((node) => !isNorm(node))
            .flatMap((node) => before(graph, node))
            .filter((node) => !seen.has(node)),
        ),
      ];
    }
    for (const node of ring.filter(isFeeding)) names.add(node.name);
  }
  return found;
}
