import { create } from "@bufbuild/protobuf";
import {
  AttributeReference,
  AttributeType,
  DataType,
  FloatValue,
  LUTNN_DOMAIN,
  node,
  ONNX_OPSET,
  tensor,
} from "./builder";
import { constant } from "./functions";
import { type FunctionProto, FunctionProtoSchema, type NodeProto } from "./onnx_pb";

/** Subtracted from the score of a position that the mask rules out. */
export const ruledOut = 1e9;

const outsideOfHeads = [0, 0, -1];
const [byRow, byColumn] = [
  [0, 2, 1, 3],
  [0, 2, 3, 1],
];

/** (N, length, D) → (N, heads, length, d), or transposed (N, heads, d, length). */
const heads = (value: string, perm: number[]): NodeProto[] => [
  node("Reshape", [value, "split"], [`${value}Split`]),
  node("Transpose", [`${value}Split`], [`${value}Heads`], { perm }),
];

const penaltyNodes = (): NodeProto[] => [
  node("Constant", [], ["one"], { value_float: new FloatValue(1) }),
  node("Constant", [], ["ruledOut"], { value_float: new FloatValue(ruledOut) }),
  node("Sub", ["mask", "one"], ["signed"]),
  node("Mul", ["signed", "ruledOut"], ["penalty"]),
  constant("forAll", [1, 2]),
  node("Unsqueeze", ["penalty", "forAll"], ["penalties"]), // (N, 1, 1, positions)
  node("Add", ["scores", "penalties"], ["allowed"]),
];

/** `split`, the lengths of a value whose numbers are taken apart by heads. */
const splitNodes = (): NodeProto[] => [
  node("Constant", [], ["numHeads"], { value_int: new AttributeReference("numHeads", AttributeType.INT) }),
  constant("batchAndLength", [0, 0]),
  constant("single", [1]),
  constant("rest", [-1]),
  node("Reshape", ["numHeads", "single"], ["headLength"]),
  node("Concat", ["batchAndLength", "headLength", "rest"], ["split"], { axis: 0 }),
];

/** (N, heads, length, E / heads) → (N, length, E) */
const joinNodes = (read: string): NodeProto[] => [
  node("Transpose", [read], ["rows"], { perm: byRow }),
  constant("whole", outsideOfHeads),
  node("Reshape", ["rows", "whole"], ["y"]),
];

const functionOf = (name: string, input: string[], docString: string, nodes: NodeProto[]): FunctionProto =>
  create(FunctionProtoSchema, {
    name,
    domain: LUTNN_DOMAIN,
    input,
    output: ["y"],
    attribute: ["numHeads"],
    opsetImport: [{ domain: "", version: BigInt(ONNX_OPSET) }],
    docString,
    node: nodes,
  });

/** The name of an operator of attention. */
export const attentionOperator = ({ isMasked, ofBytes }: { isMasked: boolean; ofBytes: boolean }): string =>
  `${isMasked ? "MaskedAttention" : "Attention"}${ofBytes ? "OfBytes" : ""}`;

/**
 * Attention: query (N, length, D), key (N, positions, D), value (N, positions, E), scale float32 () → (N, length, E),
 * softmax(scale · Q·Kᵀ) · V of each of numHeads heads. MaskedAttention has mask (N, positions) before the scale, float32,
 * 1 for positions that count and 0 for others.
 */
function attentionFunction(isMasked: boolean): FunctionProto {
  const inputs = ["query", "key", "value", ...(isMasked ? ["mask"] : []), "scale"];
  const name = attentionOperator({ isMasked, ofBytes: false });
  return functionOf(name, inputs, "Scaled dot-product attention in several heads.", [
    ...splitNodes(),
    ...heads("query", byRow),
    ...heads("key", byColumn),
    ...heads("value", byRow),
    node("MatMul", ["queryHeads", "keyHeads"], ["products"]), // (N, heads, length, positions)
    node("Mul", ["products", "scale"], ["scores"]),
    ...(isMasked ? penaltyNodes() : []),
    node("Softmax", [isMasked ? "allowed" : "scores"], ["shares"], { axis: -1 }),
    node("MatMul", ["shares", "valueHeads"], ["read"]), // (N, heads, length, E / heads)
    ...joinNodes("read"),
  ]);
}

/** The byte of 0 in attention of bytes; the least byte of keys and values that stands for itself; and what a share's byte is of 1. */
export const attentionZero = 128;
export const leastByte = 1;
export const shareScale = Math.fround(1 / 255);

const byte = (name: string, value: number): NodeProto =>
  node("Constant", [], [name], { value: tensor("", Uint8Array.of(value), []) });

/**
 * AttentionOfBytes: query, key and value uint8, of which 128 is 0 (a key's or value's 0 is taken for 1), scale and valueScale
 * float32 (). Products are exact integers; the share of a position is e^(score − largest) as a byte of 255 steps, and y the mean
 * of values by those bytes, times valueScale. MaskedAttentionOfBytes has the mask before the scale.
 */
function attentionOfBytesFunction(isMasked: boolean): FunctionProto {
  const inputs = ["query", "key", "value", ...(isMasked ? ["mask"] : []), "scale", "valueScale"];
  const scores = isMasked ? "allowed" : "scores";
  const name = attentionOperator({ isMasked, ofBytes: true });
  return functionOf(name, inputs, "Scaled dot-product attention of bytes in several heads.", [
    ...splitNodes(),
    byte("zero", attentionZero),
    byte("least", leastByte),
    node("Clip", ["key", "least"], ["keys"]),
    node("Clip", ["value", "least"], ["values"]),
    ...heads("query", byRow),
    ...heads("keys", byColumn),
    ...heads("values", byRow),
    node("MatMulInteger", ["queryHeads", "keysHeads", "zero", "zero"], ["products"]), // (N, heads, length, positions)
    node("Cast", ["products"], ["productFloats"], { to: DataType.FLOAT }),
    node("Mul", ["productFloats", "scale"], ["scores"]),
    ...(isMasked ? penaltyNodes() : []),
    node("ReduceMax", [scores], ["largest"], { axes: [-1], keepdims: 1 }),
    node("Sub", [scores, "largest"], ["below"]),
    node("Exp", ["below"], ["exponentials"]),
    node("Constant", [], ["shareScale"], { value_float: new FloatValue(shareScale) }),
    byte("noShare", 0),
    node("QuantizeLinear", ["exponentials", "shareScale", "noShare"], ["shares"]),
    node("MatMulInteger", ["shares", "valuesHeads", "noShare", "zero"], ["sums"]), // (N, heads, length, E / heads)
    node("Cast", ["sums"], ["sumFloats"], { to: DataType.FLOAT }),
    node("Mul", ["sumFloats", "valueScale"], ["scaled"]),
    node("Cast", ["shares"], ["shareFloats"], { to: DataType.FLOAT }),
    constant("positions", [-1]),
    node("ReduceSum", ["shareFloats", "positions"], ["total"], { keepdims: 1 }),
    node("Reciprocal", ["total"], ["factor"]),
    node("Mul", ["scaled", "factor"], ["read"]),
    ...joinNodes("read"),
  ]);
}

/** Those functions of attention that nodes of these operators need. */
export const attentionFunctions = (operators: ReadonlySet<string>): FunctionProto[] =>
  [attentionFunction, attentionOfBytesFunction]
    .flatMap((make) => [false, true].map(make))
    .filter(({ name }) => operators.has(name));
