import { LUTNN_DOMAIN } from "./builder";
import type { GraphBuilder } from "./graphBuilder";
import type { NodeProto, TensorProto } from "./onnx_pb";

const isLookup = ({ domain }: NodeProto): boolean => domain === LUTNN_DOMAIN;

/** The constant's int64 numbers. */
function integersOf({ rawData }: TensorProto): number[] {
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Array.from({ length: rawData.byteLength / 8 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
}

/** Nodes of a graph by what they make and read. */
class Nodes {
  private readonly makers: ReadonlyMap<string, NodeProto>;
  private readonly readers = new Map<string, NodeProto[]>();

  /** @param ends values that somebody outside reads */
  constructor(
    nodes: readonly NodeProto[],
    private readonly ends: ReadonlySet<string>,
  ) {
    this.makers = new Map(nodes.flatMap((one) => one.output.map((name) => [name, one] as const)));
    for (const one of nodes)
      for (const name of one.input) this.readers.set(name, [...(this.readers.get(name) ?? []), one]);
  }

  makerOf(name: string): NodeProto | undefined {
    return this.makers.get(name);
  }

  /** The node that alone reads a node's only output, once; undefined where others do. */
  onlyReader({ output }: NodeProto): NodeProto | undefined {
    const readers = this.readers.get(output[0]) ?? [];
    return this.ends.has(output[0]) || readers.length !== 1 ? undefined : readers[0];
  }
}

/** What the padding node adds around images, [top, left, bottom, right] of zeros; null where it is another padding. */
function imagePads(graph: GraphBuilder, { opType, domain, input }: NodeProto): number[] | null {
  if (opType !== "Pad" || domain !== "" || input.length !== 2) return null;
  const constant = graph.constants.find(({ name }) => name === input[1]);
  const pads = constant ? integersOf(constant) : [];
  const isOfImages = pads.length === 8 && [0, 1, 4, 5].every((axis) => pads[axis] === 0);
  return isOfImages ? [pads[2], pads[3], pads[6], pads[7]] : null;
}

/** Zeros around a lookup's input become the convolution's own. */
function takePadding(graph: GraphBuilder): void {
  const nodes = new Nodes(graph.nodes, new Set());
  const gone = new Set<NodeProto>();
  for (const lookup of graph.nodes) {
    if (!isLookup(lookup)) continue;
    const before = nodes.makerOf(lookup.input[0]);
    const pads = before && imagePads(graph, before);
    const attribute = lookup.attribute.find(({ name }) => name === "pads");
    if (!pads || !attribute || nodes.onlyReader(before) !== lookup) continue;
    attribute.ints = attribute.ints.map((own, i) => own + BigInt(pads[i]));
    lookup.input[0] = before.input[0];
    gone.add(before);
  }
  graph.remove(gone);
}

/**
 * Puts what follows a lookup into its node, so that it is computed while results are at hand: `LutConvAdd` and
 * `LutMatMulAdd` add a value of the same shape, `…Relu` and `…AddRelu` make negative results 0. A sum of two lookups goes
 * to the later one. The fused node stands where what it replaces stood last, and keeps the lookup's name.
 * @param ends values that are the file's outputs, which stay
 */
export function fuseLookups(graph: GraphBuilder, ends: ReadonlySet<string>): void {
  const graphNodes = new Nodes(graph.nodes, ends);
  takePadding(graph);
  const places = new Map(graph.nodes.map((one, i) => [one, i]));
  const gone = new Set<NodeProto>();
  const fused = new Map<NodeProto, NodeProto>(); // by the node whose place it takes
  const taken = new Set<NodeProto>();
  for (const lookup of graph.nodes.toReversed()) {
    if (!isLookup(lookup)) continue;
    let last = lookup;
    let suffix = "";
    let residual: string | undefined;
    const sum = graphNodes.onlyReader(last);
    if (sum && graph.sums.has(sum.output[0]) && !taken.has(sum)) {
      residual = sum.input.find((name) => name !== last.output[0]);
      if (residual !== undefined) {
        [last, suffix] = [sum, "Add"];
        taken.add(sum);
      }
    }
    const relu = graphNodes.onlyReader(last);
    if (relu?.opType === "Relu" && relu.domain === "") [last, suffix] = [relu, `${suffix}Relu`];
    if (suffix === "") continue;
    fused.set(last, {
      ...lookup,
      opType: `${lookup.opType}${suffix}`,
      input: [...lookup.input, ...(residual === undefined ? [] : [residual])],
      output: last.output,
    });
    for (const one of [lookup, ...(residual === undefined ? [] : [sum!]), last]) gone.add(one);
  }
  graph.replace(fused, gone);
  graph.nodes.sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
}
