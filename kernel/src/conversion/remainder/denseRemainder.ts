import type { GraphNode, NetworkGraph } from "../../layers/graph";
import { hasIntegerForm } from "../../layers/integerLinear";
import { Attention } from "../../layers/kinds/attention";
import { kindOf } from "../../layers/kinds/index";
import { sizeOf } from "../../layers/kinds/kind";

/** Of a byte less its zero point times a weight. */
const largestProduct = 255 * 127;
/** Products in a sum that int32 holds, whatever they are. */
export const longestSum = Math.floor((2 ** 31 - 1) / largestProduct);

/** Multiply-adds for one input below which a call takes less time than a node of a file by itself: some µs. */
export const fewOperations = 2 ** 14;

/** Whether a call multiplies its inputs by each other, as attention does. */
export const isAttention = ({ layer }: GraphNode): boolean => layer instanceof Attention;

/** Whether a call multiplies by weights of its own, and not by a table's rows, or is attention. */
function hasProducts(node: GraphNode): boolean {
  if (isAttention(node)) return true;
  const kind = kindOf(node.layer);
  return kind?.linear !== undefined || (kind?.cost?.(node).bytes ?? 0) > 0;
}

/** Numbers in a sum of a call. */
function sumLength({ layer }: GraphNode): number {
  const [weight] = layer.getWeights();
  return weight.size / weight.shape[weight.rank - 1]!;
}

/** Why attention stays in float32; null where it can be in INT8. */
function attentionReason(calls: readonly GraphNode[], few: number): string | null {
  const { numHeads } = calls[0].layer as Attention;
  for (const { inputShapes } of calls) {
    const [query, key] = inputShapes;
    const length = Math.max(query[2]! / numHeads, key[1]!);
    if (length > longestSum) return `sums of ${length.toLocaleString("en")} products could pass int32`;
  }
  const operations = calls.reduce((sum, node) => sum + kindOf(node.layer)!.cost!(node).operations, 0);
  return operations < few ? "too small to gain" : null;
}

/** Why a layer that multiplies by weights stays in float32; null for one that can be in INT8. */
function reasonOf(calls: readonly GraphNode[], few: number): string | null {
  const [node] = calls;
  if (isAttention(node)) return attentionReason(calls, few);
  if (!hasIntegerForm(node.layer)) return `no INT8 form of ${node.layer.getClassName()}`;
  const length = sumLength(node);
  if (length > longestSum) return `sums of ${length.toLocaleString("en")} products could pass int32`;
  const operations = calls.reduce(
    (sum, { outputShapes }) => sum + sizeOf(outputShapes[0].slice(1)) * length,
    0,
  );
  if (operations < few) return "too small to gain";
  if (node.layer.getWeights().some((weight) => !weight.dataSync().every(Number.isFinite)))
    return "weights that are not finite";
  return null;
}

/**
 * The layers of a network that multiply by weights and are no lookups, and attention: calls of those that can be in INT8, and by name why the
 * others cannot, or would gain nothing.
 * @param few multiply-adds below which a layer is too small
 */
export function denseRemainder(
  graph: NetworkGraph,
  few = fewOperations,
): { calls: Set<GraphNode>; left: Map<string, string> } {
  const calls = new Set<GraphNode>();
  const left = new Map<string, string>();
  for (const name of graph.layers.keys()) {
    const own = graph.callsOf(name);
    if (!hasProducts(own[0])) continue;
    const reason = reasonOf(own, few);
    if (reason !== null) left.set(name, reason);
    else for (const node of own) calls.add(node);
  }
  return { calls, left };
}
