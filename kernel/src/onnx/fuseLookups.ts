import { create } from "@bufbuild/protobuf";
import { LUTNN_DOMAIN } from "./builder";
import type { GraphBuilder } from "./graphBuilder";
import { operatorName } from "./linearFunctions";
import { type NodeProto, NodeProtoSchema } from "./onnx_pb";

/** A lookup, or a dense layer in INT8. */
const isLinear = ({ domain, opType }: NodeProto): boolean =>
  domain === LUTNN_DOMAIN && operatorName(opType) !== undefined;

/** Nodes of a graph by what they make and read. */
class Nodes {
  private readonly readers = new Map<string, NodeProto[]>();

  /** @param ends values that somebody outside reads */
  constructor(
    nodes: readonly NodeProto[],
    private readonly ends: ReadonlySet<string>,
  ) {
    for (const one of nodes)
      for (const name of one.input) this.readers.set(name, [...(this.readers.get(name) ?? []), one]);
  }

  /** The node that alone reads a node's only output, once; undefined where others do. */
  onlyReader(node: NodeProto): NodeProto | undefined {
    const readers = this.onlyReaders(node, 1);
    return readers?.[0];
  }

  /** The nodes that alone read a node's only output, so many of them; undefined where it is another number. */
  onlyReaders({ output }: NodeProto, count: number): NodeProto[] | undefined {
    const readers = this.readers.get(output[0]) ?? [];
    return this.ends.has(output[0]) || readers.length !== count ? undefined : readers;
  }
}

/** Zeros around such a node's input become the convolution's own. */
function takePadding(graph: GraphBuilder): void {
  for (const node of graph.nodes) {
    if (!isLinear(node)) continue;
    const attribute = node.attribute.find(({ name }) => name === "pads");
    const padded = attribute && graph.beforePadding(node.input[0], 4);
    if (!padded) continue;
    attribute.ints = attribute.ints.map((own, i) => own + BigInt(padded.pads[i]));
    node.input[0] = padded.name;
  }
}

/** What follows a lookup and becomes part of it: the sum with a residual, the ReLU, the last of them. */
interface Epilogue {
  suffix: string;
  residual: string[];
  last: NodeProto;
  parts: NodeProto[];
}

function epilogueOf(
  graph: GraphBuilder,
  nodes: Nodes,
  lookup: NodeProto,
  taken: ReadonlySet<NodeProto>,
): Epilogue {
  const found: Epilogue = { suffix: "", residual: [], last: lookup, parts: [lookup] };
  const take = (node: NodeProto, suffix: string) => {
    found.suffix += suffix;
    found.last = node;
    found.parts.push(node);
  };
  const sum = nodes.onlyReader(lookup);
  if (sum && graph.sums.has(sum.output[0]) && !taken.has(sum)) {
    take(sum, "Add");
    found.residual = sum.input.filter((name) => name !== lookup.output[0]);
  }
  const relu = nodes.onlyReader(found.last);
  if (relu && isStandard(relu, "Relu")) take(relu, "Relu");
  const gelu = found.suffix === "" ? geluBehind(graph, nodes, lookup) : [];
  if (gelu.length > 0) {
    found.parts.push(...gelu.slice(0, -1));
    take(gelu[gelu.length - 1], "Gelu");
  }
  return found;
}

const isStandard = ({ domain, opType }: NodeProto, operator: string): boolean =>
  domain === "" && opType === operator;

/** The nodes behind a lookup that are x · (1 + erf(x / √2)) · ½ as `layers/kinds/activations.ts` writes it, the last at the end. */
function geluBehind(graph: GraphBuilder, nodes: Nodes, lookup: NodeProto): NodeProto[] {
  const readers = nodes.onlyReaders(lookup, 2) ?? [];
  const scaled = readers.find((one) => isStandard(one, "Div"));
  const chain = scaled ? [scaled] : [];
  for (const [operator, number] of [["Erf"], ["Add", 1], ["Mul"], ["Mul", 0.5]] as const) {
    const last = chain[chain.length - 1];
    const next = last && nodes.onlyReader(last);
    if (!next || !isStandard(next, operator)) return [];
    if (number !== undefined && next.input[1] !== graph.scalar(number)) return [];
    chain.push(next);
  }
  const twice = chain[3];
  const fits = scaled!.input[1] === graph.scalar(Math.SQRT2) && readers.includes(twice);
  return fits && twice.input[0] === lookup.output[0] ? chain : [];
}

/**
 * Puts what follows a lookup, or a dense layer in INT8, into its node, so that it is computed while results are at hand: `LutConvAdd`
 * and `LutMatMulAdd` add a value of the same shape, `…Relu` and `…AddRelu` make negative results 0; zeros around a lookup's
 * images become its own; `…Gelu` computes GELU. A sum of two lookups goes to the later one. The fused node stands where the last that it
 * replaces stood, and keeps the lookup's name.
 * @param ends values that are the file's outputs, which stay
 */
export function fuseLookups(graph: GraphBuilder, ends: ReadonlySet<string>): void {
  takePadding(graph);
  graph.prune(ends);
  const nodes = new Nodes(graph.nodes, ends);
  const fused = new Map<NodeProto, NodeProto | null>(); // by the node whose place it takes; null for what it replaces
  const taken = new Set<NodeProto>();
  for (const lookup of graph.nodes.filter(isLinear).reverse()) {
    const { suffix, residual, last, parts } = epilogueOf(graph, nodes, lookup, taken);
    if (suffix === "") continue;
    for (const part of parts) {
      taken.add(part);
      fused.set(part, null);
    }
    const { name, domain, attribute, input } = lookup;
    const opType = `${lookup.opType}${suffix}`;
    fused.set(
      last,
      create(NodeProtoSchema, {
        name,
        domain,
        opType,
        attribute,
        input: [...input, ...residual],
        output: last.output,
      }),
    );
  }
  graph.replace((node) => (fused.has(node) ? fused.get(node)! : node));
}
