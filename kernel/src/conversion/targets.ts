import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import type { GraphNode, NetworkGraph } from "../layers/graph";
import { isReplaceable, type LinearOperator, linearOperator, replaceFault } from "../layers/linearOperator";
import { isNonNegative } from "../layers/nonNegative";
import { feedingLayers } from "../layers/norms";
import { type CodeKind, MAX_INTEGER_LENGTH } from "../pq/integerCodes";
import { checkQuantizerShape } from "../pq/productQuantizer";
import type { QuantizerShape } from "../pq/reference";
import { publishedExceptions } from "./leftDense";
import type { ConversionState, LookupSizes } from "./state";

/** One call of a layer that can be replaced. */
export interface TargetCall {
  node: GraphNode;
  operator: LinearOperator;
}

/** A layer that can be replaced, with its operator and the quantiser it would get. */
export interface Target extends QuantizerShape {
  name: string;
  layer: tf.layers.Layer;
  /** Of the first call; all calls share weights and differ at most in positions. */
  operator: LinearOperator;
  /** One, or more for a layer that the network uses again. */
  calls: TargetCall[];
  /** N: rows that one input gives, over all calls. */
  positions: number;
  /** Whether what it receives can hold no negative number. */
  nonNegative: boolean;
  /** Names of the batch norms that it feeds. */
  norms: string[];
  /**
   * The name of the first layer that reads the same value in the same rows and sub-vectors (query, key and value of an
   * attention do, and convolutions of one window): such layers learn the same centroids.
   */
  codebook: string;
}

export interface TargetOptions {
  /**
   * Names of the layers to convert. Default: every layer that can be replaced but those that are left dense as published:
   * convolutions that no other such layer comes before, dense layers that none comes behind (the head), and the two small
   * layers of squeeze-and-excitation, found by edges. Layers that need more bytes as lookups (narrow ones, 1×1
   * convolutions) are among them, as published; `conversion.layers` names them.
   */
  layers?: string[];
  /** K for all layers, or by layer name. Default 16. */
  numCentroids?: number | Record<string, number>;
  /**
   * V for all layers, or by layer name. Default: the filter's positions (9 for 3×3), 4 neighbouring channels for 1×1 convolutions, 32 for
   * dense layers, each the largest divisor of the input length up to that.
   */
  subvectorLength?: number | Record<string, number>;
}

function largestDivisor(value: number, atMost: number): number {
  for (let divisor = Math.min(value, atMost); divisor > 1; divisor--)
    if (value % divisor === 0) return divisor;
  return 1;
}

function defaultSubvectorLength({ op, filterArea, inputLength }: LinearOperator): number {
  if (op === "dense") return largestDivisor(inputLength, 32);
  return filterArea > 1 ? filterArea : largestDivisor(inputLength, 4);
}

const isTarget = (node: GraphNode): boolean => isReplaceable(node.layer);

/**
 * The layers of a network that are to be converted, in network order. Throws LutnnError on unusable choices, and where there
 * are fewer than `atLeast`.
 */
export function chooseTargets(graph: NetworkGraph, options: TargetOptions, atLeast = 1): Target[] {
  const all = [...graph.layers].filter(([, layer]) => isReplaceable(layer)).map(([name]) => name);
  const published = options.layers ? null : publishedExceptions(graph);
  const names = options.layers ?? all.filter((name) => !published!.has(name));
  const keys = [options.subvectorLength, options.numCentroids].flatMap((given) =>
    typeof given === "object" ? Object.keys(given) : [],
  );
  for (const name of [...names, ...keys]) {
    const layer = graph.layers.get(name);
    const fault = layer && replaceFault(layer);
    if (fault) throw new LutnnError(`convert: ${fault}`);
    checkName(graph.name, name, all);
  }
  if (names.length < atLeast)
    throw new LutnnError(
      `convert: ${graph.name} must have a layer to replace beyond its first convolution, its head and squeeze-and-excitation (it has ${all.join(", ") || "none that can be replaced"}); name some with { layers: [...] }`,
    );
  const feeding = feedingLayers(graph, isTarget);
  const targets = all
    .filter((name) => names.includes(name))
    .map((name) => {
      const norms = [...feeding].filter(([, layers]) => layers.has(name)).map(([norm]) => norm);
      return makeTarget(graph, name, norms, options);
    });
  return withSharedCodebooks(targets);
}

/** Whether two layers' centroids are the answer to the same question. */
function haveSameRows(a: Target, b: Target): boolean {
  if (a.name === b.name) return true;
  const isOnce = [a, b].every(({ calls }) => calls.length === 1);
  const isAlike = a.numCentroids === b.numCentroids && a.subvectorLength === b.subvectorLength;
  const isOneValue = a.calls[0].node.inputs[0] === b.calls[0].node.inputs[0];
  return isOnce && isAlike && isOneValue && haveSameWindow(a, b);
}

/** Whether two layers cut what they read into the same rows: dense layers do, convolutions of one window. */
function haveSameWindow(a: Target, b: Target): boolean {
  if (a.operator.op !== b.operator.op) return false;
  if (a.operator.op === "dense") return true;
  const [one, other] = [a, b].map(({ layer }) => {
    const { kernelSize, strides, padding, dilationRate, dataFormat } = layer.getConfig();
    return JSON.stringify({ kernelSize, strides, padding, dilationRate, dataFormat });
  });
  return one === other;
}

/**
 * Throws LutnnError unless a layer can have a lookup of this K and V; `what` opens the sentence.
 * @returns C, K and V
 */
export function checkSizes(
  what: string,
  name: string,
  operator: LinearOperator,
  { numCentroids, subvectorLength }: LookupSizes,
): QuantizerShape {
  const { inputLength, filterArea } = operator;
  const shape = { numCodebooks: Math.floor(inputLength / subvectorLength), numCentroids, subvectorLength };
  if (inputLength % subvectorLength !== 0 || subvectorLength % filterArea !== 0)
    throw new LutnnError(
      `${what}: subvectorLength (V) of ${name} must divide its input length ${inputLength} and be a multiple of its ${filterArea} filter positions (got ${subvectorLength}); ${usable(operator)} would do`,
    );
  checkQuantizerShape(`${what}: ${name}`, shape);
  return shape;
}

/** The lengths of sub-vectors that a layer can have, rising. */
export function subvectorLengths({ inputLength, filterArea }: LinearOperator, codes: CodeKind): number[] {
  const lengths: number[] = [];
  const most = codes === "int8" ? Math.min(inputLength, MAX_INTEGER_LENGTH) : inputLength;
  for (let length = filterArea; length <= most; length += filterArea)
    if (inputLength % length === 0) lengths.push(length);
  return lengths;
}

/** The layers with the sizes that they have in a state. */
export function targetsIn(state: ConversionState, chosen: readonly Target[]): Target[] {
  const targets = chosen.map((target) => {
    const sizes = state.layers[target.name]?.sizes;
    return sizes ? { ...target, ...checkSizes("resize", target.name, target.operator, sizes) } : target;
  });
  return withSharedCodebooks(targets);
}

const withSharedCodebooks = (targets: readonly Target[]): Target[] =>
  targets.map((target) => ({
    ...target,
    codebook: targets.find((other) => haveSameRows(other, target))!.name,
  }));

function makeTarget(graph: NetworkGraph, name: string, norms: string[], options: TargetOptions): Target {
  const calls = graph.callsOf(name).map((node) => ({ node, operator: linearOperator(node) }));
  const [{ operator }] = calls;
  const of = (given?: number | Record<string, number>) => (typeof given === "object" ? given[name] : given);
  const subvectorLength = of(options.subvectorLength) ?? defaultSubvectorLength(operator);
  const numCentroids = of(options.numCentroids) ?? 16;
  const shape = checkSizes("convert", name, operator, { numCentroids, subvectorLength });
  const positions = calls.reduce((sum, call) => sum + call.operator.positions, 0);
  return {
    name,
    layer: graph.layer(name),
    operator,
    calls,
    positions,
    nonNegative: calls.every(({ node }) => isNonNegative(graph, node.inputs[0])),
    norms,
    codebook: name,
    ...shape,
  };
}

/** The lengths of sub-vectors that a layer can have, as words. */
function usable(operator: LinearOperator): string {
  const lengths = subvectorLengths(operator, "float32");
  return lengths.length > 12 ? `${lengths.slice(0, 12).join(", ")} …` : lengths.join(", ");
}

/** Throws a LutnnError that lists the names there are. */
export function checkName(model: string, name: string, names: readonly string[]): void {
  if (!names.includes(name))
    throw new LutnnError(
      `${model} has no layer "${name}" that can be replaced; it has ${names.join(", ") || "none"}`,
    );
}
