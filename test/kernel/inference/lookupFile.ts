import { LUTNN_DOMAIN } from "../../../kernel/lib/onnx/builder";
import { GraphBuilder, type GraphValue } from "../../../kernel/lib/onnx/graphBuilder";
import { plainOrder } from "../../../kernel/lib/onnx/layout";
import { modelBytes } from "../../../kernel/lib/onnx/model";

export type Draw = (from: number, to: number) => number;

/** Whole numbers, the same for the same seed. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0 || 1;
  return (from, to) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return from + ((state >>> 0) % (to - from + 1));
  };
}

/** A lookup node and the lengths of its constants. */
export interface LookupSpec {
  operator: string;
  /** C, K, V, M */
  codebooks: number;
  centroids: number;
  length: number;
  outputs: number;
  attributes: Record<string, number | number[]>;
}

const integers = (draw: Draw, count: number, least: number, most: number): Float32Array =>
  Float32Array.from({ length: count }, () => draw(least, most));

/** None is 0: a centroid of zeros scores −0, which the microkernels put below the +0 of one that is equally near. */
const nonzero = (draw: Draw, count: number): Float32Array =>
  Float32Array.from({ length: count }, () => draw(1, 3) * (draw(0, 1) === 0 ? -1 : 1));

/**
 * Adds a lookup to a graph. Centroids, table entries and biases are small whole numbers and the scale is 1, so that scores
 * and results are whole or half numbers which float32 holds exactly: every way to compute them gives the same bits.
 * @param codesOnly output m is the code of codebook m, less 128
 */
export function addLookup(
  graph: GraphBuilder,
  spec: LookupSpec,
  x: string,
  name: string,
  draw: Draw,
  { codesOnly = false, residual }: { codesOnly?: boolean; residual?: string } = {},
): string {
  const { operator, codebooks: C, centroids: K, length: V, outputs: M, attributes } = spec;
  const table = Int8Array.from({ length: C * K * M }, (_, i) => {
    if (!codesOnly) return draw(-1, 1);
    const [m, k, c] = [i % M, Math.floor(i / M) % K, Math.floor(i / M / K)];
    return m === c ? k - 128 : 0;
  });
  const bias = codesOnly ? new Float32Array(M) : integers(draw, M, -2, 2);
  const codebooks = operator.includes("Integer")
    ? integerCodebooks(graph, spec, name, draw)
    : [graph.constant(`${name}/centroids`, nonzero(draw, C * K * V), [C, K, V])];
  const inputs = [
    x,
    ...codebooks,
    graph.constant(`${name}/table`, table, [C, K, M]),
    graph.constant(`${name}/scale`, new Float32Array(M).fill(1), [M]),
    graph.constant(`${name}/bias`, bias, [M]),
    ...(residual === undefined ? [] : [residual]),
  ];
  return graph.add(operator, inputs, name, attributes, LUTNN_DOMAIN);
}

/** How x becomes bytes, and the codebooks of codes that are defined in integers: these are exact whatever x is. */
function integerCodebooks(
  graph: GraphBuilder,
  { codebooks: C, centroids: K, length: V }: LookupSpec,
  name: string,
  draw: Draw,
): string[] {
  const centroids = Int8Array.from({ length: C * K * V }, () => draw(-127, 127));
  const halfNorms = Int32Array.from({ length: C * K }, (_, k) =>
    Math.round(centroids.subarray(k * V, (k + 1) * V).reduce((sum, p) => sum + p * p, 0) / 2),
  );
  return [
    graph.constant(`${name}/inputScale`, Float32Array.of(draw(1, 9) / 64), []),
    graph.constant(`${name}/inputZeroPoint`, Uint8Array.of(draw(0, 1) * 128), []),
    graph.constant(`${name}/centroids`, centroids, [C, K, V]),
    graph.constant(`${name}/halfNorms`, halfNorms, [C, K]),
  ];
}

/** The same lookup with codes that are defined in integers. */
export const inIntegers = <T extends { spec: LookupSpec }>(layer: T): T => ({
  ...layer,
  spec: { ...layer.spec, operator: `${layer.spec.operator}Integer` },
});

/** A value of a graph, its axes as they are. */
export const plainValue = (name: string, shape: number[]): GraphValue => ({
  name,
  shape,
  order: plainOrder(shape.length + 1),
  type: "float32",
});

/** A convolution's spec and its input's size, drawn: odd sizes, strides, dilations and uneven pads among them. */
export function drawConv(draw: Draw, channels?: number, most = 11) {
  const filter = [draw(1, 3), draw(1, 3)];
  const channelsPerCodebook = channels === undefined ? draw(1, 3) : 1;
  const codebooks = channels ?? draw(1, 6);
  const dilations = [draw(1, 2), draw(1, 2)];
  const pads = [draw(0, 2), draw(0, 2), draw(0, 2), draw(0, 2)];
  const size = [0, 1].map((axis) => draw((filter[axis] - 1) * dilations[axis] + 1, most));
  const spec: LookupSpec = {
    operator: "LutConv",
    codebooks,
    centroids: draw(0, 2) === 0 ? draw(17, 256) : draw(2, 16),
    length: channelsPerCodebook * filter[0] * filter[1],
    outputs: draw(1, 70),
    attributes: {
      kernel_shape: filter,
      strides: [draw(1, 2), draw(1, 3)],
      pads,
      dilations,
      group: codebooks,
    },
  };
  return { spec, shape: [codebooks * channelsPerCodebook, ...size] };
}

export function drawMatMul(draw: Draw) {
  const spec: LookupSpec = {
    operator: "LutMatMul",
    codebooks: draw(1, 9),
    centroids: draw(0, 2) === 0 ? draw(17, 256) : draw(2, 16),
    length: draw(1, 12),
    outputs: draw(1, 90),
    attributes: {},
  };
  const rows = draw(0, 1) === 0 ? [] : [draw(1, 5)];
  return { spec, shape: [...rows, spec.codebooks * spec.length] };
}

/** A file of one lookup, `x` → `y`; of one that adds, also with the input `residual`. */
export function lookupFile(
  { spec, shape }: { spec: LookupSpec; shape: number[] },
  draw: Draw,
  options: { codesOnly?: boolean } = {},
): Uint8Array {
  const graph = new GraphBuilder();
  for (const name of ["x", "residual", "y"]) graph.name(name);
  const residual = spec.operator.includes("Add") ? "residual" : undefined;
  const made = addLookup(graph, spec, "x", "lookup", draw, { ...options, residual });
  graph.rename(new Map([[made, "y"]]));
  return modelBytes(graph, {
    name: "lookup",
    inputs: [
      plainValue("x", shape),
      ...(residual === undefined ? [] : [plainValue(residual, outputShape(spec, shape))]),
    ],
    outputs: [plainValue("y", outputShape(spec, shape))],
    metadata: {},
  });
}

/** Lengths of a lookup's result after the batch. */
export function outputShape(spec: LookupSpec, shape: number[]): number[] {
  if (!spec.operator.startsWith("LutConv")) return [...shape.slice(0, -1), spec.outputs];
  const { kernel_shape, strides, pads, dilations } = spec.attributes as Record<string, number[]>;
  const lengths = [0, 1].map((axis) =>
    Math.floor(
      (shape[1 + axis] + pads[axis] + pads[axis + 2] - (kernel_shape[axis] - 1) * dilations[axis] - 1) /
        strides[axis] +
        1,
    ),
  );
  return [spec.outputs, ...lengths];
}
