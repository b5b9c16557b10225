import "../geluNew";
import { FloatValue } from "../../onnx/builder";
import { axisOf, type GraphBuilder, type GraphValue } from "../../onnx/graphBuilder";
import type { GraphNode } from "../graph";
import type { LayerKind } from "./kind";
import { settings } from "./kind";

/** Adds the nodes of an activation function; `name` is what its output is called. Returns that output's name. */
type Write = (graph: GraphBuilder, x: GraphValue, name: string) => string;

/** One node without attributes. */
const operator =
  (opType: string): Write =>
  (graph, x, name) =>
    graph.add(opType, [x.name], name);

/** One node along the last axis of tf.js. */
const alongLast =
  (opType: string): Write =>
  (graph, x, name) =>
    graph.add(opType, [x.name], name, { axis: axisOf(x, -1) });

/** min(max(x, 0), maximum) */
export const clippedRelu =
  (maximum: number): Write =>
  (graph, x, name) =>
    graph.add("Clip", [x.name, graph.scalar(0), graph.scalar(maximum)], name);

/** x · (1 + erf(x / √2)) · ½, in the order in which ONNX Runtime makes one node of it; halves are exact wherever they stand. */
const gelu: Write = (graph, x, name) => {
  const scaled = graph.add("Div", [x.name, graph.scalar(Math.SQRT2)], `${name}/scaled`);
  const one = graph.add("Add", [graph.add("Erf", [scaled], `${name}/erf`), graph.scalar(1)], `${name}/sum`);
  return graph.add("Mul", [graph.add("Mul", [x.name, one], `${name}/twice`), graph.scalar(0.5)], name);
};

/** x · ½(1 + tanh(√(2/π)·(x + 0.044715·x³))) */
const geluByTanh: Write = (graph, x, name) => {
  const cube = graph.add(
    "Mul",
    [graph.add("Mul", [x.name, x.name], `${name}/square`), x.name],
    `${name}/cube`,
  );
  const small = graph.add("Mul", [cube, graph.scalar(0.044715)], `${name}/small`);
  const inner = graph.add("Add", [x.name, small], `${name}/inner`);
  const scaled = graph.add("Mul", [inner, graph.scalar(Math.sqrt(2 / Math.PI))], `${name}/scaled`);
  const one = graph.add("Add", [graph.add("Tanh", [scaled], `${name}/tanh`), graph.scalar(1)], `${name}/sum`);
  return graph.add("Mul", [x.name, graph.add("Mul", [one, graph.scalar(0.5)], `${name}/share`)], name);
};

/** By tf.js name. */
const functions: Record<string, Write> = {
  elu: operator("Elu"),
  gelu,
  gelu_new: geluByTanh,
  hardSigmoid: (graph, x, name) =>
    graph.add("HardSigmoid", [x.name], name, { alpha: new FloatValue(0.2), beta: new FloatValue(0.5) }),
  linear: (_graph, x) => x.name,
  logSoftmax: alongLast("LogSoftmax"),
  mish: (graph, x, name) => {
    const tanh = graph.add("Tanh", [graph.add("Softplus", [x.name], `${name}/softplus`)], `${name}/tanh`);
    return graph.add("Mul", [x.name, tanh], name);
  },
  relu: operator("Relu"),
  relu6: clippedRelu(6),
  selu: operator("Selu"),
  sigmoid: operator("Sigmoid"),
  softmax: alongLast("Softmax"),
  softplus: operator("Softplus"),
  softsign: operator("Softsign"),
  swish: (graph, x, name) =>
    graph.add("Mul", [x.name, graph.add("Sigmoid", [x.name], `${name}/sigmoid`)], name),
  tanh: operator("Tanh"),
};

const nameOf = (activation: unknown): string => (activation ?? "linear") as string;

function activate(graph: GraphBuilder, activation: unknown, x: GraphValue, name: string): GraphValue {
  return { ...x, name: functions[nameOf(activation)](graph, x, name) };
}

/** The activation that is part of another layer, on that layer's output; left out where the graph wants none. */
export function fusedActivation(graph: GraphBuilder, node: GraphNode, x: GraphValue): GraphValue {
  if (!graph.withActivations) return x;
  const { activation } = settings(node);
  return activate(graph, activation, x, `${node.key}/${nameOf(activation)}`);
}

/** What is wrong with a layer's `activation`, or null. */
export function activationFault(node: GraphNode): string | null {
  const name = nameOf(settings(node).activation);
  if (Object.hasOwn(functions, name)) return null;
  return `activation must be one of ${Object.keys(functions).join(", ")} (got ${JSON.stringify(name)})`;
}

/** A layer that is an activation function. */
export const activation: LayerKind = {
  classNames: ["Activation"],
  layout: "any",
  fault: activationFault,
  write: (graph, node, [x]) => activate(graph, settings(node).activation, x, node.key),
};
