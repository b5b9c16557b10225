import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { node as makeNode } from "../../onnx/builder";
import { fileOrder, plainOrder, sameOrder } from "../../onnx/layout";
import type { GraphProto, ModelProto, NodeProto } from "../../onnx/onnx_pb";
import { Draft } from "./draft";
import { FileGraph } from "./fileGraph";
import { type FileInput, fileInput, inputsOf } from "./fileInputs";
import { fold } from "./fold";
import { type Operation, titleOf } from "./operation";
import { builderOf, knownOperators } from "./operators/index";
import { joinPatterns } from "./patterns";
import { tooLarge, valueRule } from "./room";
import type { Traced, Value } from "./value";

export interface ImportOptions {
  /**
   * Lengths that the file leaves open: after the batch, as the network is to have them (images as height, width, channels);
   * null for one that the file says. By the inputs' names where there are several.
   */
  inputShape?: readonly (number | null)[] | Readonly<Record<string, readonly (number | null)[]>>;
  /** Names of values in the file that the network is to give instead of the file's outputs. */
  outputs?: readonly string[];
}

/** A value of the file and how the network has it. */
export interface FileEnd {
  name: string;
  /** Which axis of the network's tensor each axis of the file's value holds. */
  order: readonly number[];
  tensor: tf.SymbolicTensor;
}

export interface ImportedNetwork {
  network: tf.LayersModel;
  /** In the network's order. */
  inputs: FileInput[];
  outputs: FileEnd[];
  /** What the last sigmoid or softmax before some output is given: where those are near 0 or 1, it tells more. */
  logits: FileEnd[];
  /** The outputs that sigmoids and softmaxes make: their numbers are shares of 1. */
  shares: ReadonlySet<string>;
  /** The number of examples that the file is fixed to; null where it is free. */
  batch: number | null;
}

/** Operators of ONNX that this library reads. */
const opsets = { first: 7, last: 21 };

function opsetOf(model: ModelProto, file: string): number {
  const own = model.opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
  const version = Number(own?.version ?? 0);
  if (version < opsets.first || version > opsets.last)
    throw new LutnnError(
      `${file}: the file's version of ONNX's operators (opset) must be from ${opsets.first} to ${opsets.last} (got ${version || "none"}); export the network with opset 17`,
    );
  return version;
}

/** The nodes that some outputs follow from, in the file's order. */
function neededNodes(
  nodes: readonly NodeProto[],
  makerOf: (name: string) => NodeProto | undefined,
  outputs: readonly string[],
) {
  const needed = new Set<NodeProto>();
  const open = [...outputs];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const maker = makerOf(name);
    if (!maker || needed.has(maker)) continue;
    needed.add(maker);
    open.push(...maker.input);
  }
  return { needed, inOrder: nodes.filter((node) => needed.has(node)) };
}

/** Operators that take whole numbers as they are. */
const ofWholeNumbers = new Set([
  ...["Cast", "Equal", "Expand", "Flatten", "Gather", "Identity", "OneHot", "Reshape"],
  ...["Slice", "Squeeze", "Transpose", "Unsqueeze"],
]);

/** What a node makes of values, or the error that says why it cannot be read. */
function build(draft: Draft, operation: Operation): Value[] {
  const { opType, node } = operation;
  const folded = fold(operation);
  if (folded) return folded;
  const isOwn = node.domain === "" || node.domain === "ai.onnx";
  const builder = isOwn ? builderOf(opType) : undefined;
  if (!builder) return refuseOperator(operation);
  const whole = operation.inputs.find(
    (value): value is Traced => value?.kind === "traced" && value.type !== "float32",
  );
  const takesIt = whole?.oneHot
    ? ["Cast", "MatMul", "Identity"].includes(opType)
    : ofWholeNumbers.has(opType);
  if (whole && !takesIt)
    operation.refuse(
      "it must compute with float32",
      whole.oneHot ? "rows of zeros and a one, which only a matrix may multiply" : "whole numbers",
      "export the network so, or cut it before it with outputs",
    );
  return [builder(draft, operation)].flat();
}

function refuseOperator(operation: Operation): never {
  const { node } = operation;
  if (node.domain === "ai.lutnn")
    return operation.refuse(
      "the network must be dense",
      "a lookup",
      "openConversion(file) opens the conversion that it was saved from, where that was stored with it, InferenceSession.create(file) runs it",
    );
  const before = node.input.filter((_, i) => operation.inputs[i]?.kind === "traced");
  const cut = before.map((name) => JSON.stringify(name)).join(", ");
  return operation.refuse(
    "operators must be of those that networks are read from",
    `${node.opType}${node.domain ? ` of ${node.domain}` : ""}`,
    `${cut ? `outputs: [${cut}] cuts the network before it; ` : ""}these can be read: ${knownOperators()
      .filter((name) => name !== "SoftmaxOfRows")
      .join(", ")}`,
  );
}

/** `inputShape` for one of the file's inputs. */
function shapeFor(
  name: string,
  names: readonly string[],
  given: ImportOptions["inputShape"],
  file: string,
): readonly (number | null)[] | undefined {
  if (given === undefined) return undefined;
  if (Array.isArray(given)) {
    if (names.length > 1)
      throw new LutnnError(
        `${file}: inputShape must name the inputs of a network of several (got one shape for ${names.join(", ")}); give { ${JSON.stringify(names[0])}: [...] }`,
      );
    return given as readonly (number | null)[];
  }
  const byName = given as Readonly<Record<string, readonly (number | null)[]>>;
  const unknown = Object.keys(byName).find((key) => !names.includes(key));
  if (unknown !== undefined)
    throw new LutnnError(
      `${file}: inputShape must name inputs of the file (got ${JSON.stringify(unknown)}); it has ${names.join(", ")}`,
    );
  return byName[name];
}

/** The batch length that the inputs agree on; null where it is free. */
function commonBatch(inputs: readonly FileInput[], file: string): number | null {
  const lengths = new Set(inputs.map(({ batch }) => batch));
  if (lengths.has(null)) return null;
  if (lengths.size > 1)
    throw new LutnnError(
      `${file}: all inputs must have as many examples (got ${inputs.map(({ name, batch }) => `${batch} of ${name}`).join(", ")}); export the network with the batch as a free axis`,
    );
  return [...lengths][0];
}

/** A value as an output of the network: images channels last, all else in the file's order. */
function outputOf(
  draft: Draft,
  value: Value | undefined,
  name: string,
  model: ModelProto,
  graph: FileGraph,
): Traced {
  const what = `${graph.file}: output ${JSON.stringify(name)}`;
  if (!value)
    throw new LutnnError(
      `${what}: it must be a value of the file (got a name that none has); Netron shows their names`,
    );
  if (value.kind === "constant")
    throw new LutnnError(
      `${what}: it must follow from the inputs (got a constant); name others with outputs`,
    );
  if (value.type !== "float32" || value.oneHot)
    throw new LutnnError(
      `${what}: its numbers must be float32 (got whole numbers); name a value before with outputs`,
    );
  const rank = value.order.length;
  const isImage = rank === 4 && (sameOrder(value.order, fileOrder(4)) || model.producerName === "lutnn");
  const operation = graph.operation(graph.makerOf(name) ?? makeNode("Identity", [name], [name]), []);
  if (value.order.indexOf(0) !== 0)
    operation.refuse(
      "the batch must be the first axis of an output",
      value.order.indexOf(0),
      "export the network so",
    );
  return draft.inOrder(operation, value, isImage ? fileOrder(4) : plainOrder(rank));
}

/** Outputs that are inputs, or come twice, go through a layer of their own. */
function apart(draft: Draft, ends: readonly FileEnd[], inputs: readonly tf.SymbolicTensor[]): FileEnd[] {
  return ends.map((end, i) => {
    const { tensor } = end;
    const isTaken = inputs.includes(tensor) || ends.findIndex((one) => one.tensor === tensor) !== i;
    if (!isTaken) return end;
    const copy = (name: string) => tf.layers.activation({ activation: "linear", name });
    return { ...end, tensor: draft.applyNamed("output", tensor, copy) };
  });
}

const makeShares = ["Sigmoid", "Softmax", "SoftmaxOfRows"];

/** What the sigmoids and softmaxes that make outputs are given, where that is no output or input itself. */
function logitsOf(
  graph: FileGraph,
  values: ReadonlyMap<string, Value>,
  outputs: readonly FileEnd[],
  inputs: readonly tf.SymbolicTensor[],
): FileEnd[] {
  const known = new Set([...inputs, ...outputs.map(({ tensor }) => tensor)]);
  return outputs.flatMap(({ name }) => {
    const maker = graph.makerOf(name);
    if (!maker || !makeShares.includes(maker.opType)) return [];
    const value = values.get(maker.input[0]);
    if (value?.kind !== "traced" || value.type !== "float32" || known.has(value.tensor)) return [];
    known.add(value.tensor);
    return [{ name: maker.input[0], order: value.order, tensor: value.tensor }];
  });
}

/** A network of a decoded file, its weights in place. Throws LutnnError with the first thing that cannot be read. */
export function importNetwork(model: ModelProto, file: string, options: ImportOptions = {}): ImportedNetwork {
  const proto = model.graph as GraphProto;
  const opset = opsetOf(model, file);
  const infos = inputsOf(proto);
  const names = infos.map(({ name }) => name);
  const all = infos.map((info) =>
    fileInput(model, info, shapeFor(info.name, names, options.inputShape, file), file),
  );
  const outputs = options.outputs ?? proto.output.map(({ name }) => name);
  const makers = new Map(proto.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const { inOrder } = neededNodes(proto.node, (name) => makers.get(name), outputs);
  const graph = new FileGraph(proto, inOrder, opset, file);
  joinPatterns(graph, inOrder);
  const { needed } = neededNodes(inOrder, (name) => graph.makerOf(name), outputs);

  const draft = new Draft(commonBatch(all, file));
  const values = new Map<string, Value>(graph.constants);
  const tensors = all.map(({ name, lengths, dtype, order }) => {
    const got = tooLarge(draft.batch, lengths as number[]);
    if (got !== null)
      throw new LutnnError(
        `${file}: input ${JSON.stringify(name)}: ${valueRule("it")} (got ${got}); say smaller lengths by inputShape, or export it for such`,
      );
    const tensor = draft.input(name, lengths as number[], dtype);
    values.set(name, { kind: "traced", tensor, order, type: dtype === "int32" ? "int64" : "float32" });
    return tensor;
  });
  for (const node of inOrder) {
    const own = graph.makerOf(node.output[0])!;
    if (!needed.has(own) || own.output.every((name) => values.has(name))) continue;
    const inputs = own.input.map((name) => (name === "" ? null : madeBefore(values, name, own, file)));
    const made = build(draft, graph.operation(own, inputs));
    own.output.forEach((name, i) => {
      if (name !== "" && made[i]) values.set(name, made[i]);
    });
  }
  const wanted = outputs.map((name): FileEnd => {
    const { order, tensor } = outputOf(draft, values.get(name), name, model, graph);
    return { name, order, tensor };
  });
  const ends = apart(draft, wanted, tensors);
  const network = tf.model({
    inputs: tensors,
    outputs: ends.map(({ tensor }) => tensor),
    name: proto.name.replace(/[^\w.-]+/g, "_") || "network",
  });
  const logits = logitsOf(graph, values, ends, tensors);
  const shares = new Set(outputs.filter((name) => makeShares.includes(graph.makerOf(name)?.opType ?? "")));
  return { network, inputs: all, outputs: ends, logits, shares, batch: draft.batch };
}

function madeBefore(
  values: ReadonlyMap<string, Value>,
  name: string,
  reader: NodeProto,
  file: string,
): Value {
  const value = values.get(name);
  if (value) return value;
  throw new LutnnError(
    `${file}: ${titleOf(reader)}: what it reads must be made before it (got ${JSON.stringify(name)}, which nothing makes); the file is damaged: export it anew`,
  );
}
