import { create } from "@bufbuild/protobuf";
import { AttributeReference, AttributeType, FloatValue, LUTNN_DOMAIN, node, ONNX_OPSET } from "./builder";
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

/**
 * Attention: query (N, length, D), key (N, positions, D), value (N, positions, E), scale float32 () → (N, length, E),
 * softmax(scale · Q·Kᵀ) · V of each of numHeads heads. MaskedAttention has mask (N, positions) before the scale, float32,
 * 1 for positions that count and 0 for others.
 */
function attentionFunction(isMasked: boolean): FunctionProto {
  return create(FunctionProtoSchema, {
    name: isMasked ? "MaskedAttention" : "Attention",
    domain: LUTNN_DOMAIN,
    input: ["query", "key", "value", ...(isMasked ? ["mask"] : []), "scale"],
    output: ["y"],
    attribute: ["numHeads"],
    opsetImport: [{ domain: "", version: BigInt(ONNX_OPSET) }],
    docString: "Scaled dot-product attention in several heads.",
    node: [
      node("Constant", [], ["numHeads"], {
        value_int: new AttributeReference("numHeads", AttributeType.INT),
      }),
      constant("batchAndLength", [0, 0]),
      constant("single", [1]),
      constant("rest", [-1]),
      node("Reshape", ["numHeads", "single"], ["headLength"]),
      node("Concat", ["batchAndLength", "headLength", "rest"], ["split"], { axis: 0 }),
      ...heads("query", byRow),
      ...heads("key", byColumn),
      ...heads("value", byRow),
      node("MatMul", ["queryHeads", "keyHeads"], ["products"]), // (N, heads, length, positions)
      node("Mul", ["products", "scale"], ["scores"]),
      ...(isMasked ? penaltyNodes() : []),
      node("Softmax", [isMasked ? "allowed" : "scores"], ["shares"], { axis: -1 }),
      node("MatMul", ["shares", "valueHeads"], ["read"]), // (N, heads, length, E / heads)
      node("Transpose", ["read"], ["rows"], { perm: byRow }),
      constant("whole", outsideOfHeads),
      node("Reshape", ["rows", "whole"], ["y"]),
    ],
  });
}

/** Those functions of attention that nodes of these operators need. */
export const attentionFunctions = (operators: ReadonlySet<string>): FunctionProto[] =>
  [false, true].map(attentionFunction).filter(({ name }) => operators.has(name));
