import type { GraphNode, NetworkGraph } from "./graph";
import { IntegerLinear } from "./integerLinear";
import { kindOf } from "./kinds/index";
import { normAffine } from "./kinds/normalization";
import { LookupLayer } from "./lookupLayer";

/** Whether a layer hands on in inference what it receives. */
const isIdentity = ({ layer }: GraphNode): boolean =>
  kindOf(layer)?.classNames.includes("Dropout") === true ||
  (layer.getClassName() === "Activation" && layer.getConfig().activation === "linear");

/** Whether a layer's node ends in a scale and a bias of each output, which a batch norm can become part of. */
const endsInScale = ({ layer }: GraphNode): boolean =>
  (layer instanceof LookupLayer || layer instanceof IntegerLinear) &&
  (layer.getConfig().activation ?? "linear") === "linear";

/** Whether a batch norm scales and shifts such outputs, which are its last axis, by finite numbers. */
function fitsScale({ layer, inputShapes }: GraphNode): boolean {
  if (layer.getClassName() !== "BatchNormalization") return false;
  const rank = inputShapes[0].length;
  const axis = layer.getConfig().axis as number;
  if ((axis < 0 ? axis + rank : axis) !== rank - 1) return false;
  const { factor, offset } = normAffine(layer);
  return [factor, offset].every((values) => values.every((value) => Number.isFinite(Math.fround(value))));
}

/**
 * The batch norms that a file needs no nodes for: behind a lookup, or a layer in INT8, without activation whose result nothing
 * else reads, the norm is part of its scale and bias, exact up to rounding. By such a call → the calls behind it, the norm last; before it stand only layers that act while training alone.
 * @param kept ids of values that must stay in the file
 */
export function foldedNorms(
  graph: NetworkGraph,
  kept: ReadonlySet<string> = new Set(),
): Map<GraphNode, GraphNode[]> {
  const ends = new Set([...kept, ...graph.outputs.map(({ id }) => id)]);
  const found = new Map<GraphNode, GraphNode[]>();
  for (const node of graph.nodes) {
    if (!endsInScale(node)) continue;
    const behind: GraphNode[] = [];
    for (let last = node; ; ) {
      const [id] = last.outputs;
      const readers = graph.readersOf(id);
      if (ends.has(id) || readers.length !== 1 || readers[0].inputs.length !== 1) break;
      [last] = readers;
      behind.push(last);
      if (isIdentity(last)) continue;
      if (fitsScale(last)) found.set(node, behind);
      break;
    }
  }
  return found;
}
