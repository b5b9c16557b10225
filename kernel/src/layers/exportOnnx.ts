import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import type { GraphBuilder, GraphValue } from "../onnx/graphBuilder";
import { fileOrder } from "../onnx/layout";
import type { FunctionForm } from "../onnx/model";
import { exportFaults, nodeFaults } from "./exportFaults";
import { foldedNorms } from "./foldedNorms";
import { type GraphNode, NetworkGraph } from "./graph";
import { GraphEnds } from "./graphEnds";
import { kindOf } from "./kinds/index";
import { wantedOrder } from "./kinds/kind";

export interface ExportOptions {
  /** Values of the network, by their id in its NetworkGraph, that become outputs too, named by that id. */
  reveal?: readonly string[] | "all";
  /** What the file calls the network's outputs, in their order; default `output`, or of several the network's own names. */
  outputNames?: readonly string[];
  /** What the file says of itself, as its `metadata_props`. */
  metadata?: Readonly<Record<string, string>>;
  /** How replaced layers stand in the file. Default "local". */
  functions?: FunctionForm;
}

/** [height, width, channels] → [channels, height, width]; other shapes stay. */
export const channelsFirst = (shape: readonly number[]): number[] =>
  fileOrder(shape.length + 1)
    .slice(1)
    .map((axis) => shape[axis - 1]);

const lengths = (shape: tf.Shape): number[] => shape.slice(1) as number[];

function refuse(what: string, faults: string[]): void {
  if (faults.length > 0) throw new LutnnError(`${what}: ${faults.join("; ")}`);
}

/** Writes one call, its inputs in the order that its kind asks for. */
function writeNode(graph: GraphBuilder, node: GraphNode, given: GraphValue[], norm?: GraphNode): GraphValue {
  const kind = kindOf(node.layer)!;
  const inputs = given.map((value) => {
    const typed = kind.integers ? value : graph.float(value);
    const order = wantedOrder(kind, node, value.order.length);
    return order ? graph.inOrder(typed, order) : typed;
  });
  return kind.write(graph, node, inputs, norm);
}

/**
 * A network as the bytes of an ONNX file. Its inputs are float32 or int32 with a free batch length: one alone is called
 * `input`, several by the network's names for them; one output alone is called `output`. Images are written channels
 * first, see {@link fileOrder}. Replaced layers become `ai.lutnn` nodes with their function bodies, and batch norms
 * directly behind them part of their scale and bias ({@link foldedNorms}); what is revealed by its id is not folded. Throws
 * LutnnError with what {@link exportFaults} says.
 * @param model or its graph, with other layers in the place of some
 */
export function exportOnnx(
  model: tf.LayersModel | NetworkGraph,
  { reveal = [], outputNames, metadata, functions }: ExportOptions = {},
): Uint8Array {
  const network = model instanceof tf.LayersModel ? new NetworkGraph(model) : model;
  const what = `ONNX export of ${model.name}`;
  refuse(what, exportFaults(network));
  const inputNames = network.inputs.map(({ name }, _, all) => (all.length === 1 ? "input" : name));
  const ownNames = network.outputs.map(({ name }, _, all) => (all.length === 1 ? "output" : name));
  const resultNames = unlike(inputNames, outputNames ?? ownNames);
  if (resultNames.length !== network.outputs.length)
    throw new LutnnError(
      `${what}: outputNames must name every output of the network (got ${resultNames.length} names for ${network.outputs.length}); its outputs are ${ownNames.join(", ")}`,
    );
  const folded = foldedNorms(network, new Set(reveal === "all" ? [] : reveal));
  const gone = new Set(
    [...folded].flatMap(([node, behind]) => [node, ...behind.slice(0, -1)]).flatMap((node) => node.outputs),
  );
  const revealed = new Set(
    reveal === "all" ? network.nodes.flatMap((node) => node.outputs).filter((id) => !gone.has(id)) : reveal,
  );
  const ends = new GraphEnds([...inputNames, ...resultNames, ...revealed]);
  const values = new Map<string, GraphValue>();
  network.inputs.forEach(({ id, shape, dtype }, i) => {
    values.set(id, ends.input(inputNames[i], lengths(shape), dtype === "int32" ? "int32" : "float32"));
  });
  const written = new Set<GraphNode>();
  for (const node of network.nodes) {
    if (written.has(node)) continue;
    const inputs = node.inputs.map((id) => values.get(id)!);
    const behind = folded.get(node) ?? [];
    const norm = behind[behind.length - 1];
    values.set((norm ?? node).outputs[0], writeNode(ends.graph, node, inputs, norm));
    for (const one of behind) written.add(one);
  }
  network.outputs.forEach(({ id }, i) => {
    ends.output(values.get(id)!, resultNames[i]);
  });
  for (const id of revealed) {
    const value = values.get(id);
    if (!value)
      throw new LutnnError(
        `${what}: reveal must name values of the network by their ids (got ${JSON.stringify(id)}); a NetworkGraph's nodes have them in outputs`,
      );
    ends.output(value, id);
  }
  return ends.bytes(model.name, metadata, functions);
}

/** Names of outputs, with a number behind each that is an input's name or an earlier output's. */
function unlike(taken: readonly string[], names: readonly string[]): string[] {
  const known = new Set(taken);
  return names.map((wanted) => {
    let name = wanted;
    for (let i = 2; known.has(name); i++) name = `${wanted}_${i}`;
    known.add(name);
    return name;
  });
}

/**
 * One call of a layer alone, without the activation that is part of it, as the bytes of an ONNX file: inputs `input`,
 * `input_2` and so on, output `output`.
 * @param layer in the place of the call's own
 */
export function exportLayer(call: GraphNode, layer = call.layer): Uint8Array {
  const node = { ...call, layer };
  refuse(`ONNX export of ${call.key}`, nodeFaults(node));
  const names = node.inputs.map((_, i) => (i === 0 ? "input" : `input_${i + 1}`));
  const ends = new GraphEnds([...names, "output"], false);
  const inputs = node.inputShapes.map((shape, i) => ends.input(names[i], lengths(shape)));
  ends.output(writeNode(ends.graph, node, inputs), "output");
  return ends.bytes(call.key);
}

/** The file whose output is its input: what remains is the cost of a call. */
export function exportIdentity(shape: readonly number[]): Uint8Array {
  const ends = new GraphEnds(["input", "output"]);
  ends.output(ends.input("input", shape), "output");
  return ends.bytes("identity");
}
