import type { ModelProto, NodeProto, TensorProto } from "../../../kernel/lib/onnx/onnx_pb";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import type { InputQuantization, IntegerCodebooks, QuantizerShape } from "../../../kernel/lib/pq/reference";

/** How a convolution's window moves; lengths as ONNX has them. */
interface Window {
  kernel: number[];
  strides: number[];
  dilations: number[];
  pads: number[];
}

/** What a node does with rows before scale and bias. */
export type Sums =
  | {
      kind: "lookup";
      shape: QuantizerShape;
      /** float32 (C, K, V), where codes are in float32 */
      centroids: Float32Array | null;
      integers: IntegerCodebooks | null;
      table: Int8Array;
    }
  /** Of codes that another node has made; V is 1. */
  | { kind: "ofCodes"; shape: QuantizerShape; table: Int8Array }
  /** weights int8 (D, M) */
  | { kind: "dense"; input: InputQuantization; weights: Int8Array };

/** A lookup of a file, or a dense layer in INT8, read by the test itself: names of its values, and its constants. */
export interface LinearNode {
  operator: string;
  x: string;
  residual: string | null;
  y: string | null;
  hasRelu: boolean;
  /** Its result as bytes, which may be all that it gives: y is null then. */
  bytes: { name: string; output: InputQuantization } | null;
  /** D */
  inputLength: number;
  outputs: number;
  window: Window | null;
  sums: Sums;
  scale: Float32Array;
  bias: Float32Array;
}

function windowOf({ attribute }: NodeProto): Window {
  const list = (name: string) => attribute.find((one) => one.name === name)!.ints.map(Number);
  return {
    kernel: list("kernel_shape"),
    strides: list("strides"),
    dilations: list("dilations"),
    pads: list("pads"),
  };
}

/** Reads constants of a file by their names. */
class Constants {
  private readonly tensors: ReadonlyMap<string, TensorProto>;

  constructor({ graph }: ModelProto) {
    this.tensors = new Map(graph!.initializer.map((tensor) => [tensor.name, tensor]));
  }

  dims(name: string): number[] {
    return this.tensors.get(name)!.dims.map(Number);
  }

  private bytes(name: string): ArrayBuffer {
    return new Uint8Array(this.tensors.get(name)!.rawData).buffer;
  }

  floats = (name: string) => new Float32Array(this.bytes(name));
  int8s = (name: string) => new Int8Array(this.bytes(name));
  quantization = (scale: string, zeroPoint: string): InputQuantization => ({
    scale: this.floats(scale)[0],
    zeroPoint: new Uint8Array(this.bytes(zeroPoint))[0],
  });

  /** How x becomes bytes, taken from the inputs behind it; bytes less their zero point are the same bytes again by the scale 1. */
  takeInput(operator: string, inputs: string[]): InputQuantization {
    if (!operator.includes("OfBytes")) return this.quantization(inputs.shift()!, inputs.shift()!);
    return { scale: 1, zeroPoint: new Uint8Array(this.bytes(inputs.shift()!))[0] };
  }

  /** Codebooks, taken from the inputs behind x. */
  takeCodebooks(operator: string, inputs: string[]) {
    const isInteger = operator.includes("Integer");
    const input = isInteger ? this.takeInput(operator, inputs) : null;
    const name = inputs.shift()!;
    const [numCodebooks, numCentroids, subvectorLength] = this.dims(name);
    const shape = { numCodebooks, numCentroids, subvectorLength };
    if (!input) return { shape, centroids: this.floats(name), integers: null };
    const halfNorms = new Int32Array(this.bytes(inputs.shift()!));
    return { shape, centroids: null, integers: { input, centroids: this.int8s(name), halfNorms } };
  }
}

/** What a node's inputs before its scale say, taken from them. */
function takeSums(constants: Constants, { opType }: NodeProto, inputs: string[]) {
  if (opType.startsWith("Dense")) {
    const input = constants.takeInput(opType, inputs);
    const name = inputs.shift()!;
    const [dims, data] = [constants.dims(name), constants.int8s(name)];
    if (dims.length === 2)
      return {
        sums: { kind: "dense", input, weights: data } as const,
        inputLength: dims[0],
        outputs: dims[1],
      };
    const [outputs, inputLength] = [dims[0], data.length / dims[0]]; // (M, channels, filter)
    const weights = data.map((_, i) => data[(i % outputs) * inputLength + Math.floor(i / outputs)]);
    return { sums: { kind: "dense", input, weights } as const, inputLength, outputs };
  }
  if (opType.startsWith("LutMatMulOfCodes")) {
    const name = inputs.shift()!;
    const [numCodebooks, numCentroids, outputs] = constants.dims(name);
    const shape = { numCodebooks, numCentroids, subvectorLength: 1 };
    const sums = { kind: "ofCodes", shape, table: constants.int8s(name) } as const;
    return { sums, inputLength: numCodebooks, outputs };
  }
  const books = constants.takeCodebooks(opType, inputs);
  const name = inputs.shift()!;
  const sums = { kind: "lookup", ...books, table: constants.int8s(name) } as const;
  const inputLength = books.shape.numCodebooks * books.shape.subvectorLength;
  return { sums, inputLength, outputs: constants.dims(name)[2] };
}

/** A table whose output m is the code of codebook m, so that a node that makes codes is a lookup, too. */
function codesTable({ numCodebooks: C, numCentroids: K }: QuantizerShape): Int8Array {
  return Int8Array.from({ length: C * K * C }, (_, i) => {
    const [m, k, c] = [i % C, Math.floor(i / C) % K, Math.floor(i / C / K)];
    return m === c ? k : 0;
  });
}

/** A node that makes codes for several lookups: its y is the codes. */
function codesNode(constants: Constants, { opType, input, output }: NodeProto): LinearNode {
  const [x, ...inputs] = input;
  const books = constants.takeCodebooks(opType, inputs);
  const { numCodebooks, subvectorLength } = books.shape;
  return {
    operator: opType,
    x,
    residual: null,
    y: output[0],
    hasRelu: false,
    bytes: null,
    inputLength: numCodebooks * subvectorLength,
    outputs: numCodebooks,
    window: null,
    sums: { kind: "lookup", ...books, table: codesTable(books.shape) },
    scale: new Float32Array(numCodebooks).fill(1),
    bias: new Float32Array(numCodebooks),
  };
}

/** The lookups and dense layers in INT8 of a file with functions, and nodes that make codes, in its order. */
export function linearNodes(bytes: Uint8Array): LinearNode[] {
  const model = readModel(bytes, "test");
  const constants = new Constants(model);
  return model
    .graph!.node.filter(({ domain, opType }) => domain === "ai.lutnn" && /^(Lut|Dense)/.test(opType))
    .map((node): LinearNode => {
      if (node.opType.endsWith("ToCodes")) return codesNode(constants, node);
      const [x, ...inputs] = node.input;
      const made = takeSums(constants, node, inputs);
      const [scale, bias] = [inputs.shift()!, inputs.shift()!].map(constants.floats);
      const residual = node.opType.includes("Add") ? inputs.shift()! : null;
      const results = /(To|With)Bytes$/.exec(node.opType)?.[1];
      return {
        operator: node.opType,
        x,
        residual,
        y: results === "To" ? null : node.output[0],
        hasRelu: node.opType.includes("Relu"),
        bytes: results
          ? {
              name: node.output[results === "To" ? 0 : 1],
              output: constants.quantization(inputs[0], inputs[1]),
            }
          : null,
        window: /^(Lut|Dense)Conv/.test(node.opType) ? windowOf(node) : null,
        ...made,
        scale,
        bias,
      };
    });
}

/** Names of what goes into and comes out of these nodes and is no input or output of the file already. */
export function valuesAtNodes(model: ModelProto, nodes: readonly LinearNode[]): string[] {
  const ends = new Set([...model.graph!.input, ...model.graph!.output].map(({ name }) => name));
  const wanted = nodes.flatMap(({ x, residual, y, bytes }) =>
    [x, residual, y, bytes?.name ?? null].filter((name) => name !== null),
  );
  return [...new Set(wanted)].filter((name) => !ends.has(name));
}
