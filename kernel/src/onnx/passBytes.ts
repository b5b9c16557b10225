import { create } from "@bufbuild/protobuf";
import { LUTNN_DOMAIN } from "./builder";
import type { GraphBuilder } from "./graphBuilder";
import { lookupName, lookupOperatorOf } from "./lookupFunctions";
import { type NodeProto, NodeProtoSchema } from "./onnx_pb";

/** A lookup of codes in integers that reads a value as its x, with the names of the scale and zero point that it is quantised by. */
interface Reader {
  node: NodeProto;
  scale: string;
  zeroPoint: string;
}

/** The readers of a value that quantise it in the same way. */
interface Group {
  scale: string;
  zeroPoint: string;
  readers: NodeProto[];
}

const nameOf = ({ domain, opType }: NodeProto) => (domain === LUTNN_DOMAIN ? lookupName(opType) : undefined);

/**
 * Lets lookups whose codes are defined in integers hand bytes to each other: what a lookup makes and others quantise goes out
 * quantised (`…ToBytes`; `…WithBytes` where somebody reads the result itself, too), and they read bytes (`…OfBytes…`). The
 * bytes are those that the readers would have made. Of readers that quantise a value differently the largest group gets
 * bytes. Call it when other steps have put everything into lookups that goes there.
 * @param ends values that are the file's outputs, which stay
 */
export function passBytes(graph: GraphBuilder, ends: ReadonlySet<string>): void {
  const constants = new Map(graph.constants.map((one) => [one.name, Buffer.from(one.rawData)]));
  const changed = new Map<NodeProto, NodeProto>();
  const makers = new Map(graph.nodes.filter(nameOf).map((node) => [node.output[0], node]));
  const readers = readersOf(graph);
  for (const [value, maker] of makers) {
    const name = nameOf(maker)!;
    if (!name.base.includes("Integer")) continue;
    const all = readers.get(value) ?? [];
    const group = largest(
      groupsOf(
        all.flatMap((node) => readerOf(node, value)),
        constants,
      ),
    );
    if (!group) continue;
    const alone =
      !ends.has(value) && all.every((node) => group.readers.includes(node) && readsOnce(node, value));
    const bytes = graph.name(`${value}/bytes`);
    const made = changed.get(maker) ?? maker;
    changed.set(
      maker,
      create(NodeProtoSchema, {
        ...made,
        opType: lookupOperatorOf({ ...nameOf(made)!, results: alone ? "ToBytes" : "WithBytes" }),
        input: [...made.input, group.scale, group.zeroPoint],
        output: alone ? [bytes] : [value, bytes],
      }),
    );
    for (const node of group.readers) changed.set(node, ofBytes(changed.get(node) ?? node, bytes));
  }
  graph.replace((node) => changed.get(node) ?? node);
}

/** Nodes by the values that they read; a node that reads a value twice is there once. */
function readersOf(graph: GraphBuilder): Map<string, NodeProto[]> {
  const readers = new Map<string, NodeProto[]>();
  for (const node of graph.nodes)
    for (const value of new Set(node.input)) readers.set(value, [...(readers.get(value) ?? []), node]);
  return readers;
}

const readsOnce = ({ input }: NodeProto, value: string): boolean =>
  input.filter((name) => name === value).length === 1;

function readerOf(node: NodeProto, value: string): Reader[] {
  const isInteger = nameOf(node)?.base.endsWith("Integer") ?? false;
  if (!isInteger || node.input[0] !== value) return [];
  return [{ node, scale: node.input[1], zeroPoint: node.input[2] }];
}

/** By what the scale and the zero point are, whatever they are called. */
function groupsOf(readers: readonly Reader[], constants: ReadonlyMap<string, Buffer>): Group[] {
  const groups = new Map<string, Group>();
  for (const { node, scale, zeroPoint } of readers) {
    const [a, b] = [constants.get(scale), constants.get(zeroPoint)];
    if (!a || !b) continue;
    const key = `${a.toString("hex")}/${b.toString("hex")}`;
    const known = groups.get(key);
    if (known) known.readers.push(node);
    else groups.set(key, { scale, zeroPoint, readers: [node] });
  }
  return [...groups.values()];
}

const largest = (groups: readonly Group[]): Group | undefined =>
  groups.reduce<Group | undefined>(
    (most, one) => (most && most.readers.length >= one.readers.length ? most : one),
    undefined,
  );

/** The lookup reading bytes: without the scale, which they are made with. */
function ofBytes(node: NodeProto, bytes: string): NodeProto {
  const name = nameOf(node)!;
  return create(NodeProtoSchema, {
    ...node,
    opType: lookupOperatorOf({ ...name, base: `${name.base}OfBytes` as typeof name.base }),
    input: [bytes, ...node.input.slice(2)],
  });
}
