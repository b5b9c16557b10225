import { LutnnError } from "../errors";
import { readTensor } from "../models/onnx/readTensor";
import { DataType, LUTNN_DOMAIN } from "../onnx/builder";
import { codesOperators } from "../onnx/codesFunctions";
import type { FunctionProto, NodeProto, TensorProto } from "../onnx/onnx_pb";
import {
  encodeIntegersReference,
  encodeReference,
  type InputQuantization,
  type IntegerCodebooks,
  integerProductReference,
  lookupReference,
  type QuantizerShape,
  scaleSumsReference,
} from "../pq/reference";
import type { TensorData } from "./tensorData";

// A lookup node of a file, or one of a dense layer in INT8, computed by the loops of pq/reference.ts. Letters as there: N rows, C codebooks, K centroids,
// V sub-vector length, M outputs.

/** How a convolution's window moves, from its node's attributes. */
interface Window {
  /** height, width */
  kernel: number[];
  strides: number[];
  dilations: number[];
  /** top, left, bottom, right */
  pads: number[];
}

/** Such a node with its constants. */
export interface ReferenceNode {
  node: NodeProto;
  /** D */
  inputLength: number;
  outputs: number;
  /** null for a matrix product */
  window: Window | null;
  /** Of a node whose x is bytes: the byte of a zero. It is given what bytes stand for, less this. */
  bytesZeroPoint: number | null;
  /** x float32 (N, D) → float32 (N, M), or codes uint8 (N, M) of a node that makes codes alone */
  compute(x: Float32Array, rows: number): Float32Array | Uint8Array;
}

/** The operators that are computed here; variants are these and standard operators. */
const operators = [
  "LutConv",
  "LutConvInteger",
  "LutConvIntegerOfBytes",
  "DenseConvInteger",
  "DenseConvIntegerOfBytes",
]
  .flatMap((name) => [name, name.replace("Conv", "MatMul")])
  .concat("LutMatMulOfCodes", ...codesOperators.values());

export const isReferenceNode = ({ domain, opType }: NodeProto): boolean =>
  domain === LUTNN_DOMAIN && operators.includes(opType);

/** The longest window, step, dilation and pad, as natively. */
const longest = 2 ** 24;
/** Of codes in integers, whose scores are exact: V, and half norms. */
const [longestInteger, mostHalfNorm] = [256, 2 ** 23];
/** D of dense layers, so that sums of products of bytes are int32. */
const mostInputs = 66_311;

/** Reads what a node was made of; every error names it. */
class NodeReader {
  constructor(
    private readonly file: string,
    private readonly node: NodeProto,
    private readonly constants: ReadonlyMap<string, TensorProto>,
  ) {}

  refuse(rule: string, got: string): never {
    const { opType, name } = this.node;
    throw new LutnnError(
      `InferenceSession: ${opType} ${JSON.stringify(name)} of ${this.file}: ${rule} (got ${got}); write the file anew`,
    );
  }

  private constant(place: number, what: string, type: DataType, rank: number) {
    const tensor = this.constants.get(this.node.input[place] ?? "");
    if (!tensor) return this.refuse(`${what} must be a constant of the file`, "none");
    if (tensor.dataType !== type)
      return this.refuse(`${what} must be ${DataType[type]}`, DataType[tensor.dataType] ?? "another type");
    const read = readTensor(tensor, `InferenceSession: ${this.file}`);
    if (read.dims.length !== rank)
      return this.refuse(`${what} must have ${rank} axes`, read.dims.join("×") || "one number");
    return read;
  }

  /** An array whose numbers are all finite. */
  floats(place: number, what: string, rank: number) {
    const read = this.array(place, what, DataType.FLOAT, rank, (data) => Float32Array.from(data));
    this.each(what, read.data, "be finite", Number.isFinite);
    return read;
  }

  /** An array of bytes with a sign within ±127, as products of them must be. */
  signedBytes(place: number, what: string, rank: number) {
    const read = this.array(place, what, DataType.INT8, rank, (data) => Int8Array.from(data));
    this.each(what, read.data, "be within ±127", (value) => value !== -128);
    return read;
  }

  /** Throws unless each number is what it must be. */
  each(what: string, data: ArrayLike<number>, rule: string, isRight: (value: number) => boolean): void {
    for (let i = 0; i < data.length; i++)
      if (!isRight(data[i])) this.refuse(`${what} must ${rule}`, `${data[i]} at index ${i}`);
  }

  number(place: number, what: string, type: DataType): number {
    return this.constant(place, what, type, 0).data[0];
  }

  /** An array with its dims, in a typed array of its own. */
  array<T>(place: number, what: string, type: DataType, rank: number, make: (data: ArrayLike<number>) => T) {
    const { data, dims } = this.constant(place, what, type, rank);
    return { dims, data: make(data) };
  }

  integers(name: string, length: number): number[] {
    const found = this.node.attribute.find((one) => one.name === name)?.ints.map(Number) ?? [];
    if (found.length !== length)
      this.refuse(`the attribute ${name} must have ${length} integers`, `${found.length}`);
    return found;
  }

  /** Throws unless the lengths are these. */
  lengths(what: string, got: readonly number[], wanted: readonly number[]): void {
    if (got.join() !== wanted.join())
      this.refuse(`${what} must have the lengths ${wanted.join("×")}`, got.join("×"));
  }
}

const isScale = (value: number): boolean => value > 0 && value < Number.POSITIVE_INFINITY;

/** Constants of operators that are functions here, by what their inputs are called: a scale, or numbers for each of a row. */
const [scales, numbers] = [
  ["scale", "inputScale", "outputScale", "valueScale"],
  ["scale", "shift", "bias"],
];

/**
 * Throws LutnnError on constants that no operator of ours takes, of a node that is none of `isReferenceNode` and runs as the function that
 * its file has for it: what follows a lookup, layer norm, attention. What is computed is not looked at.
 */
export function checkFunctionNode(
  file: string,
  node: NodeProto,
  { input }: FunctionProto,
  constants: ReadonlyMap<string, TensorProto>,
): void {
  const read = new NodeReader(file, node, constants);
  for (const [place, what] of input.entries()) {
    const constant = constants.get(node.input[place] ?? "");
    if (constant?.dataType !== DataType.FLOAT) continue;
    if (constant.dims.length === 0 && scales.includes(what)) {
      const value = read.number(place, what, DataType.FLOAT);
      if (!isScale(value)) read.refuse(`${what} must be a float32 above 0`, `${value}`);
    } else if (constant.dims.length === 1 && numbers.includes(what)) read.floats(place, what, 1);
  }
  const epsilon = node.attribute.find(({ name }) => name === "epsilon");
  if (epsilon && !(epsilon.f >= 0 && epsilon.f < Number.POSITIVE_INFINITY))
    read.refuse("epsilon must be a float32 from 0", `${epsilon.f}`);
}

/** How a node's x becomes bytes; `at` is the place of the first input behind that. */
function readInput(read: NodeReader, { opType }: NodeProto): { at: number; input: InputQuantization } {
  const isOfBytes = opType.includes("OfBytes");
  const at = isOfBytes ? 2 : 3;
  const zeroPoint = read.number(at - 1, "inputZeroPoint", DataType.UINT8);
  const scale = isOfBytes ? 1 : read.number(1, "inputScale", DataType.FLOAT);
  if (!isScale(scale)) read.refuse("inputScale must be above 0", `${scale}`);
  return { at, input: { scale, zeroPoint } };
}

/** Sums int32 (N, M) with scale and bias, one for each output; `at` is the place of the scale. */
function readScale(
  read: NodeReader,
  at: number,
  outputs: number,
  sums: (x: Float32Array, rows: number) => Int32Array,
): ReferenceNode["compute"] {
  const [scale, bias] = ["scale", "bias"].map((what, i) => {
    const { data, dims } = read.floats(at + i, what, 1);
    read.lengths(what, dims, [outputs]);
    return data;
  });
  return (x, rows) => scaleSumsReference(sums(x, rows), scale, bias);
}

/** A node, checked. Throws LutnnError on constants or attributes that do not belong together. */
export function readReferenceNode(
  file: string,
  node: NodeProto,
  constants: ReadonlyMap<string, TensorProto>,
): ReferenceNode {
  const read = new NodeReader(file, node, constants);
  if (!node.opType.startsWith("Lut")) return readDense(read, node);
  return node.opType.endsWith("OfCodes") ? readLookupOfCodes(read, node) : readLookup(read, node);
}

function readLookup(read: NodeReader, node: NodeProto): ReferenceNode {
  const isInteger = node.opType.includes("Integer");
  const { at, input } = isInteger ? readInput(read, node) : { at: 1, input: null };
  const behind = isInteger ? at + 2 : at + 1;
  const books = isInteger ? read.signedBytes(at, "centroids", 3) : read.floats(at, "centroids", 3);
  const [numCodebooks, numCentroids, subvectorLength] = books.dims;
  const shape = { numCodebooks, numCentroids, subvectorLength };
  if (numCodebooks < 1 || numCentroids < 2 || numCentroids > 256 || subvectorLength < 1)
    read.refuse("centroids must be 2 … 256 of at least one number", books.dims.join("×"));
  if (isInteger && subvectorLength > longestInteger)
    read.refuse(`centroids in integers must be of at most ${longestInteger} numbers`, books.dims.join("×"));
  const encode = input
    ? integerEncoder(read, at, input, books.data as Int8Array, shape)
    : (x: Float32Array, rows: number) => encodeReference(x, rows, books.data as Float32Array, shape);
  const common = {
    node,
    inputLength: numCodebooks * subvectorLength,
    bytesZeroPoint: input && node.opType.includes("OfBytes") ? input.zeroPoint : null,
  };
  if (node.opType.endsWith("ToCodes"))
    return { ...common, outputs: numCodebooks, window: null, compute: encode };
  const table = read.array(behind, "table", DataType.INT8, 3, (data) => Int8Array.from(data));
  const outputs = table.dims[2];
  read.lengths("table", table.dims, [numCodebooks, numCentroids, outputs]);
  const window = node.opType.startsWith("LutConv") ? readWindow(read, node, numCodebooks) : null;
  if (window && subvectorLength % areaOf(window) !== 0)
    read.refuse(`V must be a multiple of the filter's ${areaOf(window)} positions`, `${subvectorLength}`);
  const sums = (x: Float32Array, rows: number) =>
    lookupReference(encode(x, rows), rows, table.data, shape, outputs);
  return { ...common, outputs, window, compute: readScale(read, behind + 1, outputs, sums) };
}

/** Of codes that another node has made. */
function readLookupOfCodes(read: NodeReader, node: NodeProto): ReferenceNode {
  const { data, dims } = read.array(1, "table", DataType.INT8, 3, (values) => Int8Array.from(values));
  const [numCodebooks, numCentroids, outputs] = dims;
  if (data.length === 0) read.refuse("table must have at least one entry", dims.join("×"));
  const shape = { numCodebooks, numCentroids, subvectorLength: 1 };
  const sums = (codes: Float32Array, rows: number) => {
    const wrong = codes.find((code) => code >= numCentroids);
    if (wrong !== undefined) read.refuse(`codes must be below ${numCentroids}`, `${wrong}`);
    return lookupReference(Uint8Array.from(codes), rows, data, shape, outputs);
  };
  return {
    node,
    inputLength: numCodebooks,
    outputs,
    window: null,
    bytesZeroPoint: null,
    compute: readScale(read, 2, outputs, sums),
  };
}

/** Weights int8 (D, M), or filters (M, channels, filter height, filter width). */
function readDense(read: NodeReader, node: NodeProto): ReferenceNode {
  const isConv = node.opType.startsWith("DenseConv");
  const { at, input } = readInput(read, node);
  const { data, dims } = read.signedBytes(at, "weights", isConv ? 4 : 2);
  if (data.length === 0) read.refuse("weights must be at least one", dims.join("×"));
  const window = isConv ? readWindow(read, node, 1) : null;
  if (window) read.lengths("weights", dims.slice(2), window.kernel);
  const [outputs, inputLength] = isConv ? [dims[0], data.length / dims[0]] : [dims[1], dims[0]];
  if (inputLength > mostInputs)
    read.refuse(`weights must have at most ${mostInputs} rows, so that sums are int32`, `${inputLength}`);
  const weights = isConv ? transposed(data, outputs) : data;
  return {
    node,
    inputLength,
    outputs,
    window,
    bytesZeroPoint: node.opType.endsWith("OfBytes") ? input.zeroPoint : null,
    compute: readScale(read, at + 1, outputs, (x, rows) =>
      integerProductReference(x, rows, { input, weights }, outputs),
    ),
  };
}

/** (M, D) → (D, M) */
function transposed(data: Int8Array, outputs: number): Int8Array {
  const inputLength = data.length / outputs;
  return data.map((_, i) => data[(i % outputs) * inputLength + Math.floor(i / outputs)]);
}

/** @param at the place of the centroids */
function integerEncoder(
  read: NodeReader,
  at: number,
  input: InputQuantization,
  centroids: Int8Array,
  shape: QuantizerShape,
) {
  const norms = read.array(at + 1, "halfNorms", DataType.INT32, 2, (data) => Int32Array.from(data));
  read.lengths("halfNorms", norms.dims, [shape.numCodebooks, shape.numCentroids]);
  read.each("halfNorms", norms.data, `be from 0 to ${mostHalfNorm}`, (n) => n >= 0 && n <= mostHalfNorm);
  const books: IntegerCodebooks = { input, centroids, halfNorms: norms.data };
  return (x: Float32Array, rows: number) => encodeIntegersReference(x, rows, books, shape);
}

const areaOf = ({ kernel }: Window): number => kernel[0] * kernel[1];

/** @param groups what the attribute group must be */
function readWindow(read: NodeReader, node: NodeProto, groups: number): Window {
  const kernel = read.integers("kernel_shape", 2);
  const strides = read.integers("strides", 2);
  const dilations = read.integers("dilations", 2);
  const pads = read.integers("pads", 4);
  const group = Number(node.attribute.find(({ name }) => name === "group")?.i ?? 1);
  if (group !== groups) read.refuse(`the attribute group must be ${groups}`, `${group}`);
  const isOutside = (least: number) => (one: number) => one < least || one > longest;
  if ([...kernel, ...strides, ...dilations].some(isOutside(1)) || pads.some(isOutside(0)))
    read.refuse(
      `windows must have lengths, steps and dilations from 1 and pads from 0, to ${longest}`,
      [...kernel, ...strides, ...dilations, ...pads].join(", "),
    );
  return { kernel, strides, dilations, pads };
}

/** One image's windows: x float32 (channels, height, width) → rows (positions, channels · filter), outside of it zeros. */
function windowRows(
  x: Float32Array,
  [channels, height, width]: readonly number[],
  { kernel, strides, dilations, pads }: Window,
  [outHeight, outWidth]: readonly number[],
): Float32Array {
  const area = kernel[0] * kernel[1];
  const rows = new Float32Array(outHeight * outWidth * channels * area);
  let to = 0;
  for (let i = 0; i < outHeight; i++)
    for (let j = 0; j < outWidth; j++)
      for (let c = 0; c < channels; c++)
        for (let a = 0; a < kernel[0]; a++)
          for (let b = 0; b < kernel[1]; b++, to++) {
            const row = i * strides[0] - pads[0] + a * dilations[0];
            const column = j * strides[1] - pads[1] + b * dilations[1];
            const isInside = row >= 0 && row < height && column >= 0 && column < width;
            if (isInside) rows[to] = x[(c * height + row) * width + column];
          }
  return rows;
}

/**
 * Computes a node, image by image, with a pause between them.
 * Throws LutnnError on an x whose lengths the node cannot take.
 */
export async function runReferenceNode(
  one: ReferenceNode,
  given: TensorData<Float32Array | Uint8Array>,
  pause: () => Promise<void>,
): Promise<TensorData<Float32Array | Uint8Array>> {
  const { node, inputLength, outputs, window, bytesZeroPoint } = one;
  const { dims } = given;
  // Quantised by the scale 1 they are the same bytes again.
  const x = Float32Array.from(given.data, (value) => value - (bytesZeroPoint ?? 0));
  const refuse = (rule: string): never => {
    throw new LutnnError(
      `InferenceSession: x of ${node.opType} ${JSON.stringify(node.name)} must ${rule} (got ${dims.join("×")}); give inputs of the network's size`,
    );
  };
  if (!window) {
    if (dims[dims.length - 1] !== inputLength) refuse(`have ${inputLength} numbers in a row`);
    await pause();
    return { data: one.compute(x, x.length / inputLength), dims: [...dims.slice(0, -1), outputs] };
  }
  const { kernel, strides, dilations, pads } = window;
  const channels = inputLength / areaOf(window);
  if (dims.length !== 4 || dims[1] !== channels) refuse(`be images of ${channels} channels`);
  const size = [0, 1].map((axis) => {
    const span = (kernel[axis] - 1) * dilations[axis] + 1;
    return Math.floor((dims[2 + axis] + pads[axis] + pads[axis + 2] - span) / strides[axis]) + 1;
  });
  if (size.some((length) => length < 1)) refuse("be as large as the filter");
  const positions = size[0] * size[1];
  const [image, made] = [channels * dims[2] * dims[3], outputs * positions];
  const data = new Float32Array(dims[0] * made);
  for (let n = 0; n < dims[0]; n++) {
    const rows = windowRows(x.subarray(n * image, (n + 1) * image), dims.slice(1), window, size);
    const y = one.compute(rows, positions); // (positions, M)
    for (let m = 0; m < outputs; m++)
      for (let p = 0; p < positions; p++) data[n * made + m * positions + p] = y[p * outputs + m];
    await pause();
  }
  return { data, dims: [dims[0], outputs, ...size] };
}
