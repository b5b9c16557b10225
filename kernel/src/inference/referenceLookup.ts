import { LutnnError } from "../errors";
import { readTensor } from "../models/onnx/readTensor";
import { DataType, LUTNN_DOMAIN } from "../onnx/builder";
import type { NodeProto, TensorProto } from "../onnx/onnx_pb";
import {
  encodeIntegersReference,
  encodeReference,
  type InputQuantization,
  type IntegerCodebooks,
  lookupReference,
  type QuantizerShape,
  scaleSumsReference,
} from "../pq/reference";
import type { TensorData } from "./tensorData";

// A lookup node of a file, computed by the loops of pq/reference.ts. Letters as there: N rows, C codebooks, K centroids,
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

/** A lookup node with its constants. */
export interface ReferenceLookup {
  node: NodeProto;
  shape: QuantizerShape;
  outputs: number;
  /** null for a matrix product */
  window: Window | null;
  /** Of a lookup whose x is bytes: the byte of a zero. It is given what bytes stand for, less this. */
  bytesZeroPoint: number | null;
  /** x float32 (N, C·V) → codes uint8 (N, C) */
  encode(x: Float32Array, rows: number): Uint8Array;
  table: Int8Array;
  scale: Float32Array;
  bias: Float32Array;
}

/** The lookups that are computed here; variants are these and standard operators. */
const operators = ["LutConv", "LutConvInteger", "LutConvIntegerOfBytes"].flatMap((name) => [
  name,
  name.replace("Conv", "MatMul"),
]);

export const isReferenceLookup = ({ domain, opType }: NodeProto): boolean =>
  domain === LUTNN_DOMAIN && operators.includes(opType);

/** The longest window, step, dilation and pad, as natively. */
const longest = 2 ** 24;

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

  floats(place: number, what: string, rank: number): Float32Array {
    return Float32Array.from(this.constant(place, what, DataType.FLOAT, rank).data);
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

/** A lookup node, checked. Throws LutnnError on constants or attributes that do not belong together. */
export function readReferenceLookup(
  file: string,
  node: NodeProto,
  constants: ReadonlyMap<string, TensorProto>,
): ReferenceLookup {
  const read = new NodeReader(file, node, constants);
  const isInteger = node.opType.includes("Integer");
  const isOfBytes = node.opType.endsWith("OfBytes");
  const isConv = node.opType.startsWith("LutConv");
  const at = isOfBytes ? 2 : isInteger ? 3 : 1;
  const behind = isInteger ? at + 2 : at + 1;
  const zeroPoint = isInteger ? read.number(at - 1, "inputZeroPoint", DataType.UINT8) : 0;
  const inputScale = isInteger && !isOfBytes ? read.number(1, "inputScale", DataType.FLOAT) : 1;
  const books = isInteger
    ? read.array(at, "centroids", DataType.INT8, 3, (data) => Int8Array.from(data))
    : read.array(at, "centroids", DataType.FLOAT, 3, (data) => Float32Array.from(data));
  const [numCodebooks, numCentroids, subvectorLength] = books.dims;
  const shape = { numCodebooks, numCentroids, subvectorLength };
  if (numCodebooks < 1 || numCentroids < 1 || numCentroids > 256 || subvectorLength < 1)
    read.refuse(
      "centroids must be at least one and at most 256 of at least one number",
      books.dims.join("×"),
    );
  const table = read.array(behind, "table", DataType.INT8, 3, (data) => Int8Array.from(data));
  const outputs = table.dims[2];
  read.lengths("table", table.dims, [numCodebooks, numCentroids, outputs]);
  const [scale, bias] = [1, 2].map((further, i) => {
    const what = i === 0 ? "scale" : "bias";
    const vector = read.floats(behind + further, what, 1);
    read.lengths(what, [vector.length], [outputs]);
    return vector;
  });
  return {
    node,
    shape,
    outputs,
    window: isConv ? readWindow(read, shape, node) : null,
    bytesZeroPoint: isOfBytes ? zeroPoint : null,
    encode: isInteger
      ? integerEncoder(read, at, { scale: inputScale, zeroPoint }, books.data as Int8Array, shape)
      : (x, rows) => encodeReference(x, rows, books.data as Float32Array, shape),
    table: table.data,
    scale,
    bias,
  };
}

/** @param at the place of the centroids */
function integerEncoder(
  read: NodeReader,
  at: number,
  { scale, zeroPoint }: InputQuantization,
  centroids: Int8Array,
  shape: QuantizerShape,
) {
  const norms = read.array(at + 1, "halfNorms", DataType.INT32, 2, (data) => Int32Array.from(data));
  read.lengths("halfNorms", norms.dims, [shape.numCodebooks, shape.numCentroids]);
  if (!(scale > 0 && scale < Number.POSITIVE_INFINITY)) read.refuse("inputScale must be above 0", `${scale}`);
  const books: IntegerCodebooks = { input: { scale, zeroPoint }, centroids, halfNorms: norms.data };
  return (x: Float32Array, rows: number) => encodeIntegersReference(x, rows, books, shape);
}

function readWindow(
  read: NodeReader,
  { numCodebooks, subvectorLength }: QuantizerShape,
  node: NodeProto,
): Window {
  const kernel = read.integers("kernel_shape", 2);
  const strides = read.integers("strides", 2);
  const dilations = read.integers("dilations", 2);
  const pads = read.integers("pads", 4);
  const group = Number(node.attribute.find(({ name }) => name === "group")?.i ?? 1);
  if (group !== numCodebooks) read.refuse(`the attribute group must be ${numCodebooks}, C`, `${group}`);
  const isOutside = (least: number) => (one: number) => one < least || one > longest;
  if ([...kernel, ...strides, ...dilations].some(isOutside(1)) || pads.some(isOutside(0)))
    read.refuse(
      `windows must have lengths, steps and dilations from 1 and pads from 0, to ${longest}`,
      [...kernel, ...strides, ...dilations, ...pads].join(", "),
    );
  if (subvectorLength % (kernel[0] * kernel[1]) !== 0)
    read.refuse(
      `V must be a multiple of the filter's ${kernel[0] * kernel[1]} positions`,
      `${subvectorLength}`,
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

/** Rows float32 (N, C·V) → (N, M). */
function lookUp(
  { encode, shape, outputs, table, scale, bias }: ReferenceLookup,
  rows: Float32Array,
): Float32Array {
  const count = rows.length / (shape.numCodebooks * shape.subvectorLength);
  return scaleSumsReference(lookupReference(encode(rows, count), count, table, shape, outputs), scale, bias);
}

/**
 * Computes a lookup node, image by image, with a pause between them.
 * Throws LutnnError on an x whose lengths the node cannot take.
 */
export async function runReferenceLookup(
  lookup: ReferenceLookup,
  given: TensorData<Float32Array | Uint8Array>,
  pause: () => Promise<void>,
): Promise<TensorData<Float32Array>> {
  const { node, shape, outputs, window, bytesZeroPoint } = lookup;
  const { dims } = given;
  // Quantised by the scale 1 they are the same bytes again.
  const x = Float32Array.from(given.data, (value) => value - (bytesZeroPoint ?? 0));
  const inputLength = shape.numCodebooks * shape.subvectorLength;
  const refuse = (rule: string): never => {
    throw new LutnnError(
      `InferenceSession: x of ${node.opType} ${JSON.stringify(node.name)} must ${rule} (got ${dims.join("×")}); give inputs of the network's size`,
    );
  };
  if (!window) {
    if (dims[dims.length - 1] !== inputLength) refuse(`have ${inputLength} numbers in a row`);
    await pause();
    return { data: lookUp(lookup, x), dims: [...dims.slice(0, -1), outputs] };
  }
  const { kernel, strides, dilations, pads } = window;
  const channels = inputLength / (kernel[0] * kernel[1]);
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
    const y = lookUp(lookup, rows); // (positions, M)
    for (let m = 0; m < outputs; m++)
      for (let p = 0; p < positions; p++) data[n * made + m * positions + p] = y[p * outputs + m];
    await pause();
  }
  return { data, dims: [dims[0], outputs, ...size] };
}
