import type { ModelProto, NodeProto } from "../../../kernel/lib/onnx/onnx_pb";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import type { InputQuantization, IntegerCodebooks, QuantizerShape } from "../../../kernel/lib/pq/reference";

/** How a convolution's window moves; lengths as ONNX has them. */
interface Window {
  kernel: number[];
  strides: number[];
  dilations: number[];
  pads: number[];
}

/** A lookup of a file, read by the test itself: names of its values, and its constants. */
export interface LookupNode {
  operator: string;
  x: string;
  residual: string | null;
  y: string | null;
  hasRelu: boolean;
  /** Its result as bytes, which may be all that it gives: y is null then. */
  bytes: { name: string; output: InputQuantization } | null;
  shape: QuantizerShape;
  outputs: number;
  window: Window | null;
  /** float32 (C, K, V), where codes are in float32 */
  centroids: Float32Array | null;
  integers: IntegerCodebooks | null;
  table: Int8Array;
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

/** The lookups of a file with functions, in its order. */
export function lookupNodes(bytes: Uint8Array): LookupNode[] {
  const { graph } = readModel(bytes, "test");
  const constants = new Map(graph!.initializer.map((tensor) => [tensor.name, tensor]));
  const raw = (name: string) => {
    const { rawData, dims } = constants.get(name)!;
    return { buffer: new Uint8Array(rawData).buffer, dims: dims.map(Number) };
  };
  return graph!.node
    .filter(({ domain, opType }) => domain === "ai.lutnn" && opType.startsWith("Lut"))
    .map((node): LookupNode => {
      const isInteger = node.opType.includes("Integer");
      const isOfBytes = node.opType.includes("OfBytes");
      const [x, ...rest] = node.input;
      const names = isOfBytes
        ? [undefined, ...rest]
        : isInteger
          ? rest
          : [undefined, undefined, rest[0], undefined, ...rest.slice(1)];
      const [inputScale, inputZeroPoint, centroids, halfNorms, table, scale, bias, ...more] = names;
      const residual = node.opType.includes("Add") ? more.shift() : undefined;
      const results = /(To|With)Bytes$/.exec(node.opType)?.[1];
      const quantization = (scaleName: string, zeroName: string) => ({
        scale: new Float32Array(raw(scaleName).buffer)[0],
        zeroPoint: new Uint8Array(raw(zeroName).buffer)[0],
      });
      const books = raw(centroids!);
      const [numCodebooks, numCentroids, subvectorLength] = books.dims;
      return {
        operator: node.opType,
        x,
        residual: residual ?? null,
        y: results === "To" ? null : node.output[0],
        hasRelu: node.opType.includes("Relu"),
        bytes: results
          ? { name: node.output[results === "To" ? 0 : 1], output: quantization(more[0]!, more[1]!) }
          : null,
        shape: { numCodebooks, numCentroids, subvectorLength },
        outputs: raw(table!).dims[2],
        window: node.opType.startsWith("LutConv") ? windowOf(node) : null,
        centroids: isInteger ? null : new Float32Array(books.buffer),
        integers: isInteger
          ? {
              // Bytes less their zero point are the same bytes again by the scale 1.
              input: isOfBytes
                ? { scale: 1, zeroPoint: new Uint8Array(raw(inputZeroPoint!).buffer)[0] }
                : quantization(inputScale!, inputZeroPoint!),
              centroids: new Int8Array(books.buffer),
              halfNorms: new Int32Array(raw(halfNorms!).buffer),
            }
          : null,
        table: new Int8Array(raw(table!).buffer),
        scale: new Float32Array(raw(scale!).buffer),
        bias: new Float32Array(raw(bias!).buffer),
      };
    });
}

/** Names of what goes into and comes out of lookups and is no input or output of the file already. */
export function valuesAtLookups(model: ModelProto, lookups: readonly LookupNode[]): string[] {
  const ends = new Set([...model.graph!.input, ...model.graph!.output].map(({ name }) => name));
  const wanted = lookups.flatMap(({ x, residual, y, bytes }) =>
    [x, residual, y, bytes?.name ?? null].filter((name) => name !== null),
  );
  return [...new Set(wanted)].filter((name) => !ends.has(name));
}
