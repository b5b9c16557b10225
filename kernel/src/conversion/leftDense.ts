import { excitationCalls } from "../layers/excitation";
import type { GraphNode, NetworkGraph } from "../layers/graph";
import { isReplaceable } from "../layers/linearOperator";
import { hasBefore, hasBehind } from "../layers/norms";
import type { CodeKind } from "../pq/integerCodes";
import { denseCost, lookupCost } from "../report/counting";
import { byReason, some } from "./outcome";
import type { Target } from "./targets";

const isTarget = (node: GraphNode): boolean => isReplaceable(node.layer);

/**
 * Why a layer that can be replaced is left dense unless it is named, by the layer's name: as published, the convolutions
 * that no other such layer comes before, the dense layers that none comes behind, and both layers of
 * squeeze-and-excitation.
 */
export function publishedExceptions(graph: NetworkGraph): Map<string, string> {
  const gates = excitationCalls(graph);
  const reasons = new Map<string, string>();
  for (const [name, layer] of graph.layers) {
    if (!isReplaceable(layer)) continue;
    const calls = graph.callsOf(name);
    const isDense = layer.getClassName() === "Dense";
    if (calls.every((call) => gates.has(call))) reasons.set(name, "squeeze-and-excitation");
    else if (isDense && !calls.some((call) => hasBehind(graph, call, isTarget)))
      reasons.set(name, "the head");
    else if (!isDense && !calls.every((call) => hasBefore(graph, call, isTarget)))
      reasons.set(name, "the first convolution");
  }
  return reasons;
}

/** What a conversion leaves dense, and why; and which of its layers are no smaller as lookups: a phrase each. */
export function remarksOnTargets(
  graph: NetworkGraph,
  targets: readonly Target[],
  codes: CodeKind = "float32",
): string[] {
  const published = publishedExceptions(graph);
  const chosen = new Set(targets.map(({ name }) => name));
  const left = byReason(
    [...graph.layers]
      .filter(([name, layer]) => !chosen.has(name) && isReplaceable(layer))
      .map(([name]) => [name, published.get(name) ?? "not chosen"] as const),
  );
  const grown = targets.filter(({ operator, positions, numCentroids, subvectorLength }) => {
    const sizes = { ...operator, positions, numCentroids, subvectorLength, codes };
    return lookupCost(sizes).bytes > denseCost(sizes).bytes;
  });
  return [
    ...(left ? [`left dense: ${left}`] : []),
    ...(grown.length > 0
      ? [
          `of more bytes as ${grown.length === 1 ? "a lookup" : "lookups"}: ${some(grown.map(({ name }) => name))}`,
        ]
      : []),
  ];
}
