import { create } from "@bufbuild/protobuf";
import { LUTNN_DOMAIN } from "./builder";
import type { GraphBuilder } from "./graphBuilder";
import { LAYER_NORM_TO_BYTES, LAYER_NORM_WITH_BYTES } from "./layerNormFunctions";
import { operatorName, operatorOf } from "./linearFunctions";
import { MAX_POOL_OF_BYTES, maxPoolAttributes } from "./maxPoolFunction";
import { type NodeProto, NodeProtoSchema } from "./onnx_pb";

/**
 * Who can read a value as bytes: a lookup of codes in integers, a dense layer in INT8, a node that does nothing but quantise it, or a
 * max pooling that only such read.
 */
interface Reader {
  node: NodeProto;
  /** Names of the scale and zero point that the value is quantised by. */
  scale: string;
  zeroPoint: string;
  /** Of a pooling: its own readers. */
  behind: Reader[];
}

/** Readers that quantise a value in the same way. */
interface Group {
  scale: string;
  zeroPoint: string;
  readers: Reader[];
}

const nameOf = ({ domain, opType }: NodeProto) =>
  domain === LUTNN_DOMAIN ? operatorName(opType) : undefined;

/**
 * Lets lookups whose codes are defined in integers, and dense layers in INT8, hand bytes to each other and to attention: what one makes
 * and others quantise goes out quantised (`…ToBytes`; `…WithBytes` where somebody reads the result itself, too), and they read bytes (`…OfBytes…`). The
 * bytes are those that the readers would have made; max pooling between them pools bytes, since the largest number has the
 * largest byte. A layer norm of rows before them gives bytes, too (`LayerNorm…`). Of readers that quantise a value differently the
 * largest group gets bytes. Call it when other steps have put everything into lookups that goes there.
 * @param ends values that are the file's outputs, which stay
 */
export function passBytes(graph: GraphBuilder, ends: ReadonlySet<string>): void {
  const changed = new Map<NodeProto, NodeProto>();
  /** By what a node that quantises would have made: the bytes that are there without it. */
  const given = new Map<string, string>();
  const readers = new Readers(graph, ends);
  for (const maker of graph.nodes) {
    const isNorm = isLayerNorm(graph, maker);
    if (!isNorm && !nameOf(maker)?.base.includes("Integer")) continue;
    const value = maker.output[0];
    const group = largest(readers.groupsOf(value));
    if (!group) continue;
    const bytes = graph.name(`${value}/bytes`);
    const made = changed.get(maker) ?? maker;
    const alone = readers.areAll(value, group);
    changed.set(
      maker,
      create(NodeProtoSchema, {
        ...made,
        ...(isNorm
          ? normWithBytes(made, alone)
          : { opType: operatorOf({ ...nameOf(made)!, results: alone ? "ToBytes" : "WithBytes" }) }),
        input: [...made.input, group.scale, group.zeroPoint],
        output: alone ? [bytes] : [value, bytes],
      }),
    );
    for (const reader of group.readers) readBytes(graph, changed, reader, bytes, given);
  }
  graph.replace((node) =>
    isQuantizing(node) && given.has(node.output[0]) ? null : (changed.get(node) ?? node),
  );
  graph.rename(given);
}

/** Who reads the values of a graph. */
class Readers {
  private readonly constants: ReadonlyMap<string, Buffer>;
  /** By the values that they read; a node that reads a value twice is there once. */
  private readonly nodes = new Map<string, NodeProto[]>();

  constructor(
    graph: GraphBuilder,
    private readonly ends: ReadonlySet<string>,
  ) {
    this.constants = new Map(graph.constants.map((one) => [one.name, Buffer.from(one.rawData)]));
    for (const node of graph.nodes)
      for (const value of new Set(node.input))
        this.nodes.set(value, [...(this.nodes.get(value) ?? []), node]);
  }

  /** Those of a value that can read it as bytes, by what the scale and the zero point are, whatever they are called. */
  groupsOf(value: string): Group[] {
    const groups = new Map<string, Group>();
    for (const node of this.nodes.get(value) ?? []) {
      const reader = this.readerOf(node, value);
      const [a, b] = reader ? [reader.scale, reader.zeroPoint].map((name) => this.constants.get(name)) : [];
      if (!reader || !a || !b) continue;
      const key = `${a.toString("hex")}/${b.toString("hex")}`;
      const known = groups.get(key);
      if (known) known.readers.push(reader);
      else groups.set(key, { scale: reader.scale, zeroPoint: reader.zeroPoint, readers: [reader] });
    }
    return [...groups.values()];
  }

  /** Whether nobody but the group's readers reads the value, each once. */
  areAll(value: string, { readers }: Group): boolean {
    const all = this.nodes.get(value) ?? [];
    const known = new Set(readers.map(({ node }) => node));
    return !this.ends.has(value) && all.every((node) => known.has(node) && readsOnce(node, value));
  }

  private readerOf(node: NodeProto, value: string): Reader | undefined {
    if (isPooling(node)) {
      const [pooled] = node.output;
      const groups = this.groupsOf(pooled);
      const [{ scale, zeroPoint, readers }] = groups.length === 1 ? groups : [noGroup];
      return readers.length > 0 && this.areAll(pooled, groups[0])
        ? { node, scale, zeroPoint, behind: readers }
        : undefined;
    }
    const quantizes = isQuantizing(node) || nameOf(node)?.base.endsWith("Integer");
    if (!quantizes || node.input[0] !== value) return undefined;
    return { node, scale: node.input[1], zeroPoint: node.input[2], behind: [] };
  }
}

const isQuantizing = ({ domain, opType, attribute }: NodeProto): boolean =>
  domain === "" && opType === "QuantizeLinear" && attribute.length === 0;

const noGroup: Group = { scale: "", zeroPoint: "", readers: [] };

const readsOnce = ({ input }: NodeProto, value: string): boolean =>
  input.filter((name) => name === value).length === 1;

/** Max pooling of images as a layer writes it, padding below the filter. */
function isPooling({ domain, opType, attribute }: NodeProto): boolean {
  if (domain !== "" || opType !== "MaxPool" || attribute.length !== maxPoolAttributes.length) return false;
  const [filter, , pads] = maxPoolAttributes.map((name) => attribute.find((one) => one.name === name)?.ints);
  return filter?.length === 2 && pads?.length === 4 && pads.every((length, i) => length < filter[i % 2]);
}

/** Layer norm of rows, the last axis alone, as a layer writes it. */
function isLayerNorm({ constants }: GraphBuilder, { domain, opType, input, output }: NodeProto): boolean {
  if (domain !== "" || opType !== "LayerNormalization" || output.length !== 1) return false;
  return constants.find(({ name }) => name === input[1])?.dims.length === 1;
}

const normWithBytes = ({ attribute }: NodeProto, alone: boolean) => ({
  domain: LUTNN_DOMAIN,
  opType: alone ? LAYER_NORM_TO_BYTES : LAYER_NORM_WITH_BYTES,
  attribute: attribute.filter(({ name }) => name === "epsilon"),
});

const largest = (groups: readonly Group[]): Group | undefined =>
  groups.reduce<Group | undefined>(
    (most, one) => (most && most.readers.length >= one.readers.length ? most : one),
    undefined,
  );

/**
 * Lets a reader read bytes: a lookup without the scale, which they are made with, a pooling for those behind it; a node that would
 * quantise them is noted with its bytes.
 */
function readBytes(
  graph: GraphBuilder,
  changed: Map<NodeProto, NodeProto>,
  { node, behind }: Reader,
  bytes: string,
  given: Map<string, string>,
): void {
  if (isQuantizing(node)) {
    given.set(node.output[0], bytes);
    return;
  }
  const known = changed.get(node) ?? node;
  const name = nameOf(known);
  if (name) {
    const opType = operatorOf({ ...name, base: `${name.base}OfBytes` as typeof name.base });
    changed.set(node, create(NodeProtoSchema, { ...known, opType, input: [bytes, ...known.input.slice(2)] }));
    return;
  }
  const pooled = graph.name(`${node.output[0]}/bytes`);
  const pooling = { ...node, domain: LUTNN_DOMAIN, opType: MAX_POOL_OF_BYTES };
  changed.set(node, create(NodeProtoSchema, { ...pooling, input: [bytes], output: [pooled] }));
  for (const reader of behind) readBytes(graph, changed, reader, pooled, given);
}
