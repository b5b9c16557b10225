import { clone } from "@bufbuild/protobuf";
import { FloatValue, node as makeNode } from "../../onnx/builder";
import { type NodeProto, NodeProtoSchema } from "../../onnx/onnx_pb";
import type { FileGraph } from "./fileGraph";

// What exporters write as several nodes where a layer is meant: found from the last of them back, in any order of factors
// and terms, and put in its place as one node. What is not found is built node by node, and computes the same.

/** A node in the place of `last`, or null when it is something else. */
type Pattern = (graph: FileGraph, last: NodeProto) => NodeProto | null;

/** Constants of files are rounded to float32, some of them by hand. */
const near = (got: number | null, wanted: number): boolean =>
  got !== null && Math.abs(got - wanted) <= 1e-4 * Math.abs(wanted);

const isA = (node: NodeProto | undefined, opType: string): node is NodeProto =>
  node?.opType === opType && (node.domain === "" || node.domain === "ai.onnx");

/** What a product or sum consists of: numbers that are known, and names of values. */
interface Parts {
  number: number;
  names: string[];
}

/** The factors of a product, through products of products; only what nobody else reads is taken apart. */
function factorsOf(graph: FileGraph, name: string, isRoot = true): Parts {
  const number = graph.numberOf(name);
  if (number !== null) return { number, names: [] };
  const maker = graph.makerOf(name);
  const isOpen = isRoot || graph.readersOf(name) === 1;
  if (isOpen && isA(maker, "Mul")) {
    const [a, b] = maker.input.map((input) => factorsOf(graph, input, false));
    return { number: a.number * b.number, names: [...a.names, ...b.names] };
  }
  if (isOpen && isA(maker, "Div")) {
    const below = graph.numberOf(maker.input[1]);
    if (below !== null) {
      const above = factorsOf(graph, maker.input[0], false);
      return { ...above, number: above.number / below };
    }
  }
  if (isOpen && isA(maker, "Pow")) {
    const exponent = graph.numberOf(maker.input[1]);
    if (exponent === 2 || exponent === 3)
      return { number: 1, names: Array<string>(exponent).fill(maker.input[0]) };
  }
  return { number: 1, names: [name] };
}

/** A sum of a value and a number. */
function plusNumber(graph: FileGraph, name: string): { name: string; number: number } | null {
  const maker = graph.makerOf(name);
  if (!isA(maker, "Add")) return null;
  const numbers = maker.input.map((input) => graph.numberOf(input));
  const place = numbers.findIndex((number) => number !== null);
  return place < 0 ? null : { name: maker.input[1 - place], number: numbers[place]! };
}

/** The value that a node of that operator takes to make `name`. */
function inputOf(graph: FileGraph, name: string, opType: string): string | null {
  const maker = graph.makerOf(name);
  return isA(maker, opType) ? maker.input[0] : null;
}

const replacement = (
  last: NodeProto,
  opType: string,
  input: string[],
  attributes: Parameters<typeof makeNode>[3] = {},
): NodeProto => {
  const made = makeNode(opType, input, [last.output[0]], attributes);
  made.name = last.name;
  return made;
};

/** Two factors of a product, one of which is the other's source. */
function gate(
  graph: FileGraph,
  last: NodeProto,
  number: number,
  sourceOf: (name: string) => string | null,
): string | null {
  if (!isA(last, "Mul") && !isA(last, "Div")) return null;
  const parts = factorsOf(graph, last.output[0]);
  if (parts.names.length !== 2 || !near(parts.number, number)) return null;
  const [a, b] = parts.names;
  if (sourceOf(a) === b) return b;
  return sourceOf(b) === a ? a : null;
}

/** Bounds of a Clip, as attributes or inputs. */
function isClip(graph: FileGraph, node: NodeProto, minimum: number, maximum: number): boolean {
  const bounds = ["min", "max"].map((name, i) => {
    const attribute = node.attribute.find((one) => one.name === name);
    return attribute ? attribute.f : graph.numberOf(node.input[i + 1] ?? "");
  });
  return bounds[0] === minimum && bounds[1] === maximum;
}

/** x · clip(x + 3, 0, 6) / 6 */
const hardSwish: Pattern = (graph, last) => {
  const source = (name: string): string | null => {
    const clip = graph.makerOf(name);
    if (!isA(clip, "Clip") || !isClip(graph, clip, 0, 6)) return null;
    const sum = plusNumber(graph, clip.input[0]);
    return sum?.number === 3 ? sum.name : null;
  };
  const x = gate(graph, last, 1 / 6, source);
  return x === null ? null : replacement(last, "HardSwish", [x]);
};

/** x · hardSigmoid(x), with a slope of 1/6 */
const hardSwishBySigmoid: Pattern = (graph, last) => {
  const source = (name: string): string | null => {
    const sigmoid = graph.makerOf(name);
    if (!isA(sigmoid, "HardSigmoid")) return null;
    const value = (key: string) => sigmoid.attribute.find((one) => one.name === key)?.f ?? null;
    return near(value("alpha"), 1 / 6) && (value("beta") ?? 0.5) === 0.5 ? sigmoid.input[0] : null;
  };
  const x = gate(graph, last, 1, source);
  return x === null ? null : replacement(last, "HardSwish", [x]);
};

/** x · sigmoid(x) */
const swish: Pattern = (graph, last) => {
  const source = (name: string): string | null => {
    const input = inputOf(graph, name, "Sigmoid");
    if (input === null) return null;
    const { number, names } = factorsOf(graph, input); // Paddle multiplies by a beta of 1
    return number === 1 && names.length === 1 ? names[0] : input;
  };
  const x = gate(graph, last, 1, source);
  return x === null ? null : replacement(last, "Swish", [x]);
};

/** x · tanh(softplus(x)) */
const mish: Pattern = (graph, last) => {
  const source = (name: string): string | null => {
    const input = inputOf(graph, name, "Tanh");
    return input === null ? null : inputOf(graph, input, "Softplus");
  };
  const x = gate(graph, last, 1, source);
  return x === null ? null : replacement(last, "Mish", [x]);
};

/** x · ½(1 + erf(x / √2)) */
const gelu: Pattern = (graph, last) => {
  const source = (name: string): string | null => {
    const sum = plusNumber(graph, name);
    const inner = sum?.number === 1 ? inputOf(graph, sum.name, "Erf") : null;
    if (inner === null) return null;
    const { number, names } = factorsOf(graph, inner);
    return near(number, Math.SQRT1_2) && names.length === 1 ? names[0] : null;
  };
  const x = gate(graph, last, 0.5, source);
  return x === null ? null : replacement(last, "Gelu", [x]);
};

/** x · ½(1 + tanh(√(2/π)·(x + 0.044715·x³))) */
const geluByTanh: Pattern = (graph, last) => {
  const source = (name: string): string | null => {
    const sum = plusNumber(graph, name);
    const inner = sum?.number === 1 ? inputOf(graph, sum.name, "Tanh") : null;
    if (inner === null) return null;
    const { number, names } = factorsOf(graph, inner);
    const polynomial = graph.makerOf(names[0]);
    if (!near(number, Math.sqrt(2 / Math.PI)) || names.length !== 1 || !isA(polynomial, "Add")) return null;
    const [a, b] = polynomial.input;
    const isCube = (cube: string, x: string) => {
      const parts = factorsOf(graph, cube);
      return (
        parts.names.length === 3 && parts.names.every((one) => one === x) && near(parts.number, 0.044715)
      );
    };
    if (isCube(b, a)) return a;
    return isCube(a, b) ? b : null;
  };
  const x = gate(graph, last, 0.5, source);
  return x === null ? null : replacement(last, "Gelu", [x], { approximate: "tanh" });
};

/** The axes that a node reduces, as the file counts them. */
const axesOf = (graph: FileGraph, node: NodeProto): number[] =>
  node.attribute.find(({ name }) => name === "axes")?.ints.map(Number) ??
  Array.from(graph.constants.get(node.input[1] ?? "")?.data ?? []);

/** Whether a node takes means along the last axis, which stays. */
function isLastMean(graph: FileGraph, node: NodeProto | undefined): node is NodeProto {
  if (!isA(node, "ReduceMean")) return false;
  const keeps = node.attribute.find(({ name }) => name === "keepdims")?.i ?? 1n;
  return keeps === 1n && axesOf(graph, node).join() === "-1";
}

/** A constant along the last axis alone among two inputs: its place. */
function rowPlace(graph: FileGraph, { input }: NodeProto): number {
  return input.findIndex((name) => {
    const constant = graph.constants.get(name);
    if (!constant || constant.data.length < 2) return false;
    return constant.dims[constant.dims.length - 1] === constant.data.length;
  });
}

/** (x − mean) / √(variance + ε) · γ + β along the last axis */
const layerNorm: Pattern = (graph, last) => {
  if (!isA(last, "Add")) return null;
  const offset = rowPlace(graph, last);
  const scaled = graph.makerOf(last.input[1 - offset]);
  if (offset < 0 || !isA(scaled, "Mul")) return null;
  const scale = rowPlace(graph, scaled);
  const quotient = graph.makerOf(scaled.input[1 - scale]);
  if (scale < 0 || !isA(quotient, "Div")) return null;
  const [centred, root] = quotient.input;
  const difference = graph.makerOf(centred);
  const shifted = inputOf(graph, root, "Sqrt");
  const variance = shifted === null ? null : plusNumber(graph, shifted);
  if (!isA(difference, "Sub") || !variance) return null;
  const means = graph.makerOf(variance.name);
  if (!isLastMean(graph, graph.makerOf(difference.input[1])) || !isLastMean(graph, means)) return null;
  const isOfIt = graph.makerOf(difference.input[1])!.input[0] === difference.input[0];
  const squared = factorsOf(graph, means.input[0]);
  const isSquare =
    squared.number === 1 &&
    squared.names.length === 2 &&
    squared.names.every((name) => isSame(graph, name, centred));
  if (!isOfIt || !isSquare) return null;
  const inputs = [difference.input[0], scaled.input[scale], last.input[offset]];
  return replacement(last, "LayerNormalization", inputs, {
    axis: -1,
    epsilon: new FloatValue(variance.number),
  });
};

/** The node behind a value, past those that repeat or bound what they are given. */
function makerPast(graph: FileGraph, name: string, passed: readonly string[]): NodeProto | undefined {
  const maker = graph.makerOf(name);
  if (!maker || !passed.includes(maker.opType)) return maker;
  const inputs = maker.input.filter((input) => !graph.constants.has(input));
  return maker.opType === "Max" && inputs.length !== 1 ? maker : makerPast(graph, inputs[0], passed);
}

/** exp(x − max x) / Σ exp(x − max x) along the second axis of two */
const softmax: Pattern = (graph, last) => {
  if (!isA(last, "Div")) return null;
  const [powers, below] = last.input;
  const repeating = ["Reshape", "Expand", "Unsqueeze"];
  const sum = makerPast(graph, below, repeating);
  const shifted = inputOf(graph, powers, "Exp");
  const difference = shifted === null ? undefined : graph.makerOf(shifted);
  if (!isA(sum, "ReduceSum") || sum.input[0] !== powers || !isA(difference, "Sub")) return null;
  const most = makerPast(graph, difference.input[1], [...repeating, "Max"]);
  if (!isA(most, "ReduceMax") || most.input[0] !== difference.input[0]) return null;
  const isSecond = [sum, most].every((node) => {
    const axes = axesOf(graph, node);
    return axes.length === 1 && axes[0] === 1;
  });
  return isSecond ? replacement(last, "SoftmaxOfRows", [difference.input[0]]) : null;
};

/** Whether two values are the same difference: some exporters compute it twice. */
function isSame(graph: FileGraph, a: string, b: string): boolean {
  if (a === b) return true;
  const [x, y] = [graph.makerOf(a), graph.makerOf(b)];
  return isA(x, "Sub") && isA(y, "Sub") && x.input.join() === y.input.join();
}

/** A product of matrices with a row added to it; a convolution with a number added to each channel. */
const bias: Pattern = (graph, last) => {
  if (!isA(last, "Add")) return null;
  const place = last.input.findIndex((name) => graph.constants.has(name));
  const product = place < 0 ? undefined : graph.makerOf(last.input[1 - place]);
  if (product?.input.length !== 2 || graph.readersOf(product.output[0]) !== 1) return null;
  const added = graph.constants.get(last.input[place])!;
  const weight = graph.constants.get(product.input[1]);
  if (!weight || added.perExample) return null;
  const count = added.data.length;
  const isRow = isA(product, "MatMul") && weight.dims.length === 2 && weight.dims[1] === count;
  // (…, M, 1, 1): the channels, as many axes from the back as the filter has and one.
  const channels = added.dims.length - (weight.dims.length - 1);
  const isOfChannels = isA(product, "Conv") && weight.dims[0] === count && added.dims[channels] === count;
  if (!(isRow && added.dims[added.dims.length - 1] === count) && !isOfChannels) return null;
  const name = `${last.input[place]}/row`;
  graph.constants.set(name, { ...added, dims: [count] });
  const merged = clone(NodeProtoSchema, product);
  merged.input = [...product.input, name];
  merged.output = [last.output[0]];
  return merged;
};

const patterns: readonly Pattern[] = [
  hardSwish,
  hardSwishBySigmoid,
  swish,
  mish,
  gelu,
  geluByTanh,
  layerNorm,
  softmax,
  bias,
];

/** Puts one node in the place of each group of nodes that stand for one layer. */
export function joinPatterns(graph: FileGraph, nodes: readonly NodeProto[]): void {
  for (const last of nodes)
    for (const pattern of patterns) {
      const made = pattern(graph, last);
      if (!made) continue;
      graph.replace(made);
      break;
    }
}
