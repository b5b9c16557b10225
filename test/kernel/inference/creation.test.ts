import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { InferenceSession, LutnnError } from "lutnn";
import { describe, expect, it } from "vitest";
import { AttributeType, DataType, LUTNN_DOMAIN, type TensorArray } from "../../../kernel/lib/onnx/builder";
import { GraphBuilder } from "../../../kernel/lib/onnx/graphBuilder";
import { modelBytes } from "../../../kernel/lib/onnx/model";
import { AttributeProtoSchema, ModelProtoSchema } from "../../../kernel/lib/onnx/onnx_pb";
import { plainValue } from "./lookupFile";

/** A constant of a node, or the type of what comes to it and its lengths behind the batch. */
type Input = { array: TensorArray; dims: number[] } | { type: "float32" | "uint8"; dims: number[] };

/** A node that is right, of one kind of operator of ours. */
interface Kind {
  inputs: Record<string, Input>;
  attributes: Record<string, number | number[]>;
  /** Its numbers that are no integers. */
  reals?: Record<string, number>;
  output: "float32" | "uint8";
}

const floats = (dims: number[], value = 1): Input => ({
  array: new Float32Array(dims.reduce((product, length) => product * length, 1)).fill(value),
  dims,
});
const one = (value: number): Input => ({ array: Float32Array.of(value), dims: [] });
const byte = (value: number): Input => ({ array: Uint8Array.of(value), dims: [] });
const signed = (dims: number[], value = 1): Input => ({
  array: new Int8Array(dims.reduce((product, length) => product * length, 1)).fill(value),
  dims,
});
const given = (dims: number[], type: "float32" | "uint8" = "float32"): Input => ({ type, dims });

const window = { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] };
const lookup = { table: signed([2, 16, 5]), scale: floats([5]), bias: floats([5]) };
const integers = { centroids: signed([2, 16, 3]), halfNorms: { array: new Int32Array(32), dims: [2, 16] } };
const bytes = { outputScale: one(0.5), outputZeroPoint: byte(128) };

const kinds = {
  LutMatMul: {
    inputs: { x: given([6]), centroids: floats([2, 16, 3]), ...lookup },
    attributes: {},
    output: "float32",
  },
  LutConv: {
    inputs: { x: given([2, 6, 7]), centroids: floats([2, 16, 9]), ...lookup },
    attributes: { ...window, group: 2 },
    output: "float32",
  },
  LutMatMulInteger: {
    inputs: { x: given([6]), inputScale: one(0.5), inputZeroPoint: byte(3), ...integers, ...lookup },
    attributes: {},
    output: "float32",
  },
  LutMatMulOfCodes: { inputs: { x: given([2], "uint8"), ...lookup }, attributes: {}, output: "float32" },
  LutMatMulToCodes: {
    inputs: { x: given([6]), centroids: floats([2, 16, 3]) },
    attributes: {},
    output: "uint8",
  },
  DenseMatMulInteger: {
    inputs: {
      x: given([6]),
      inputScale: one(0.5),
      inputZeroPoint: byte(3),
      weights: signed([6, 5]),
      scale: floats([5]),
      bias: floats([5]),
    },
    attributes: {},
    output: "float32",
  },
  LutMatMulOfCodesAddToBytes: {
    inputs: { x: given([2], "uint8"), ...lookup, residual: given([5]), ...bytes },
    attributes: {},
    output: "uint8",
  },
  LayerNormToBytes: {
    inputs: { x: given([6]), scale: floats([6]), shift: floats([6]), ...bytes },
    attributes: {},
    reals: { epsilon: 1e-5 },
    output: "uint8",
  },
  MaxPoolOfBytes: {
    inputs: { x: given([2, 6, 7], "uint8") },
    attributes: { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 1, 1] },
    output: "uint8",
  },
  MaskedAttention: {
    inputs: {
      query: given([3, 8]),
      key: given([4, 8]),
      value: given([4, 6]),
      mask: given([4]),
      scale: one(0.5),
    },
    attributes: { numHeads: 2 },
    output: "float32",
  },
  AttentionOfBytes: {
    inputs: {
      query: given([3, 8], "uint8"),
      key: given([4, 8], "uint8"),
      value: given([4, 6], "uint8"),
      scale: one(0.5),
      valueScale: one(0.5),
    },
    attributes: { numHeads: 2 },
    output: "float32",
  },
} satisfies Record<string, Kind>;

/** What is changed of a node: inputs and attributes by their names. */
interface Fault {
  inputs?: Record<string, Input>;
  attributes?: Record<string, number | number[]>;
  reals?: Record<string, number>;
}

/** A file of one such node. */
function fileOf(operator: keyof typeof kinds, fault: Fault = {}): Uint8Array {
  const kind: Kind = kinds[operator];
  const graph = new GraphBuilder();
  const inputs = Object.entries({ ...kind.inputs, ...fault.inputs });
  const ends = inputs.flatMap(([name, one]) => ("array" in one ? [] : [plainValue(name, one.dims)]));
  for (const { name } of ends) graph.name(name);
  const places = inputs.map(([name, one]) => {
    if ("array" in one) return graph.constant(name, one.array, one.dims);
    return one.type === "uint8"
      ? graph.add("Cast", [name], `${name} as bytes`, { to: DataType.UINT8 })
      : name;
  });
  const made = graph.add(operator, places, "node", { ...kind.attributes, ...fault.attributes }, LUTNN_DOMAIN);
  for (const [name, f] of Object.entries({ ...kind.reals, ...fault.reals }))
    graph.nodes.at(-1)!.attribute.push(create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f }));
  const y = graph.add("Cast", [made], "y", { to: DataType.FLOAT });
  const file = modelBytes(graph, { name: "one", inputs: ends, outputs: [plainValue(y, [1])], metadata: {} });
  const model = fromBinary(ModelProtoSchema, file);
  for (const value of model.graph!.output)
    if (value.type?.value.case === "tensorType") value.type.value.value.shape = undefined;
  return toBinary(ModelProtoSchema, model);
}

const made = (file: Uint8Array, backend: "native" | "reference") =>
  InferenceSession.create(file, { backend });

describe("what is wrong in a node of ours whatever comes to it", () => {
  it.each(Object.keys(kinds) as (keyof typeof kinds)[])(
    "is nothing in the %s that faults are put into",
    async (operator) => {
      await (await made(fileOf(operator), "native")).release();
    },
  );

  const none = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const noScale = [...none, 0, -1];
  const each = (
    operator: keyof typeof kinds,
    values: number[],
    faultOf: (value: number) => Fault,
    sentence: RegExp,
  ): [keyof typeof kinds, Fault, RegExp][] => values.map((value) => [operator, faultOf(value), sentence]);
  const input = (name: string, of: (value: number) => Input) => (value: number) => ({
    inputs: { [name]: of(value) },
  });
  const filled = (dims: number[]) => (value: number) => floats(dims, value);

  it.each<[keyof typeof kinds, Fault, RegExp]>([
    ...each(
      "LayerNormToBytes",
      noScale,
      input("outputScale", one),
      /outputScale must be a float32 above 0 \(got/,
    ),
    ...each(
      "LayerNormToBytes",
      [...none, -1],
      (epsilon) => ({ reals: { epsilon } }),
      /epsilon must be a float32 from 0 \(got/,
    ),
    ...each(
      "LayerNormToBytes",
      none,
      input("scale", filled([6])),
      /scale must be finite \(got -?(nan|inf) at index 0\)/,
    ),
    ...each("LayerNormToBytes", none, input("shift", filled([6])), /shift must be finite/),
    [
      "LayerNormToBytes",
      { inputs: { shift: floats([5]) } },
      /shift must have a number for each of a row of x, which is \?×6 \(got 5\)/,
    ],
    [
      "LayerNormToBytes",
      { inputs: { x: given([7]) } },
      /scale must have a number for each of a row of x, which is \?×7 \(got 6\)/,
    ],
    ["LayerNormToBytes", { inputs: { x: given([0]) } }, /x must have rows of numbers \(got \?×0\)/],
    ...each(
      "LutMatMulOfCodesAddToBytes",
      noScale,
      input("outputScale", one),
      /outputScale must be a float32 above 0/,
    ),
    [
      "LutMatMulOfCodesAddToBytes",
      { inputs: { residual: given([6]) } },
      /residual must have the shape of the result, \?×5 \(got \?×6\)/,
    ],
    [
      "LutMatMulOfCodesAddToBytes",
      { inputs: { residual: given([3, 5]) } },
      /residual must have the shape of the result/,
    ],
    ...each("LutMatMul", none, input("scale", filled([5])), /scale must be finite/),
    ...each("LutMatMul", none, input("bias", filled([5])), /bias must be finite/),
    ...each("LutMatMul", none, input("centroids", filled([2, 16, 3])), /centroids must be finite/),
    [
      "LutMatMul",
      { inputs: { x: given([7]) } },
      /x must end in an axis of 6, codebooks times sub-vector length \(got \?×7\)/,
    ],
    ...each("LutConv", none, input("centroids", filled([2, 16, 9])), /centroids must be finite/),
    ["LutConv", { inputs: { x: given([3, 6, 7]) } }, /x must be images of 2 channels, .* \(got \?×3×6×7\)/],
    [
      "LutConv",
      { attributes: { pads: [0, 0, 0, 0], dilations: [3, 1] } },
      /the filter must fit into the padded input, but its height spans 7 /,
    ],
    ...each("LutMatMulInteger", noScale, input("inputScale", one), /inputScale must be (a float32 )?above 0/),
    [
      "LutMatMulInteger",
      { inputs: { centroids: signed([2, 16, 3], -128) } },
      /centroids.* must be within ±127/,
    ],
    [
      "LutMatMulInteger",
      { inputs: { halfNorms: { array: new Int32Array(32).fill(-1), dims: [2, 16] } } },
      /halfNorms must be from 0 to 8388608/,
    ],
    ["LutMatMulToCodes", { inputs: { x: given([5]) } }, /x must end in an axis of 6/],
    ...each("LutMatMulToCodes", none, input("centroids", filled([2, 16, 3])), /centroids must be finite/),
    [
      "LutMatMulOfCodes",
      { inputs: { x: given([3], "uint8") } },
      /x must end in an axis of 2, a code for each codebook/,
    ],
    ...each("LutMatMulOfCodes", none, input("scale", filled([5])), /scale must be finite/),
    ...each(
      "DenseMatMulInteger",
      noScale,
      input("inputScale", one),
      /inputScale must be (a float32 )?above 0/,
    ),
    ...each("DenseMatMulInteger", none, input("scale", filled([5])), /scale must be finite/),
    ["DenseMatMulInteger", { inputs: { weights: signed([6, 5], -128) } }, /weights must be within ±127/],
    ["DenseMatMulInteger", { inputs: { x: given([5]) } }, /x must end in an axis of 6, the rows of weights/],
    [
      "MaxPoolOfBytes",
      { attributes: { pads: [2, 0, 0, 0] } },
      /padding of max pooling must be below the filter's height \(got 2 and 2\)/,
    ],
    ["MaxPoolOfBytes", { attributes: { strides: [0, 2] } }, /strideHeight must be an integer from 1/],
    [
      "MaxPoolOfBytes",
      { attributes: { kernel_shape: [2, 2 ** 25] } },
      /filterWidth must be an integer from 1 to 16777216/,
    ],
    ["MaxPoolOfBytes", { attributes: { kernel_shape: [9, 2] } }, /the filter must fit into the padded input/],
    [
      "MaxPoolOfBytes",
      { inputs: { x: given([2, 6], "uint8") } },
      /x must be images, batch × channels × height × width/,
    ],
    ...each("MaskedAttention", noScale, input("scale", one), /scale must be a float32 above 0/),
    ["MaskedAttention", { attributes: { numHeads: 0 } }, /numHeads must be at least 1/],
    [
      "MaskedAttention",
      { attributes: { numHeads: 3 } },
      /query must be batch × length × numbers of 3 heads \(got \?×3×8\)/,
    ],
    ["MaskedAttention", { inputs: { key: given([4, 6]) } }, /query and key of one depth/],
    ["MaskedAttention", { inputs: { value: given([5, 6]) } }, /key and value of one length/],
    ["MaskedAttention", { inputs: { mask: given([3]) } }, /mask must have a number for each position of key/],
    ...each("AttentionOfBytes", noScale, input("valueScale", one), /valueScale must be a float32 above 0/),
  ])("is refused when a session is made: %s, %#", async (operator, fault, sentence) => {
    const session = made(fileOf(operator, fault), "native");
    await expect(session).rejects.toThrow(sentence);
    await expect(session).rejects.toThrow(`ai.lutnn.${operator} "node": `);
    await expect(session).rejects.toBeInstanceOf(LutnnError);
  });

  it.each<[keyof typeof kinds, Fault, RegExp]>([
    ...each(
      "LutMatMul",
      none,
      input("scale", filled([5])),
      /scale must be finite \(got -?(NaN|Infinity) at index 0\)/,
    ),
    ...each("LutMatMul", none, input("bias", filled([5])), /bias must be finite/),
    ...each("LutMatMul", none, input("centroids", filled([2, 16, 3])), /centroids must be finite/),
    [
      "LutMatMul",
      { inputs: { centroids: floats([2, 1, 3]), table: signed([2, 1, 5]) } },
      /centroids must be 2 … 256/,
    ],
    ...each("LutMatMulInteger", noScale, input("inputScale", one), /inputScale must be above 0/),
    [
      "LutMatMulInteger",
      { inputs: { centroids: signed([2, 16, 3], -128) } },
      /centroids must be within ±127/,
    ],
    [
      "LutMatMulInteger",
      { inputs: { halfNorms: { array: new Int32Array(32).fill(-1), dims: [2, 16] } } },
      /halfNorms must be from 0 to 8388608/,
    ],
    [
      "LutMatMulInteger",
      { inputs: { halfNorms: { array: new Int32Array(32).fill(2 ** 24), dims: [2, 16] } } },
      /halfNorms must be from 0/,
    ],
    ...each("DenseMatMulInteger", none, input("scale", filled([5])), /scale must be finite/),
    ...each("LayerNormToBytes", noScale, input("outputScale", one), /outputScale must be a float32 above 0/),
    ...each(
      "LayerNormToBytes",
      [...none, -1],
      (epsilon) => ({ reals: { epsilon } }),
      /epsilon must be a float32 from 0/,
    ),
    ...each("LayerNormToBytes", none, input("scale", filled([6])), /scale must be finite/),
    ...each("LayerNormToBytes", none, input("shift", filled([6])), /shift must be finite/),
    ...each(
      "LutMatMulOfCodesAddToBytes",
      noScale,
      input("outputScale", one),
      /outputScale must be a float32 above 0/,
    ),
    ...each("MaskedAttention", noScale, input("scale", one), /scale must be a float32 above 0/),
    ...each("AttentionOfBytes", noScale, input("valueScale", one), /valueScale must be a float32 above 0/),
    ["DenseMatMulInteger", { inputs: { weights: signed([6, 5], -128) } }, /weights must be within ±127/],
    [
      "DenseMatMulInteger",
      { inputs: { x: given([66312]), weights: signed([66312, 5]) } },
      /weights must have at most 66311 rows/,
    ],
    [
      "LutConv",
      { attributes: { dilations: [2 ** 25, 1] } },
      /windows must have lengths, steps and dilations from 1/,
    ],
  ])("is refused by the reference, too: %s, %#", async (operator, fault, sentence) => {
    await expect(made(fileOf(operator, fault), "reference")).rejects.toThrow(sentence);
    await expect(made(fileOf(operator, fault), "native")).rejects.toBeInstanceOf(LutnnError);
  });
});
