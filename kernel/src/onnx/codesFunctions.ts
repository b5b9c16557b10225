import { create } from "@bufbuild/protobuf";
import { LUTNN_DOMAIN, node, ONNX_OPSET } from "./builder";
import { codebookNodes, constant, rowScoreNodes, rowSumNodes, uint8 } from "./functions";
import { integerRowScoreNodes, quantizing } from "./integerFunctions";
import { type FunctionProto, FunctionProtoSchema, type NodeProto } from "./onnx_pb";

// A matrix product by lookup in two steps, for several layers that read the same rows with the same codebooks: `…ToCodes` makes the
// codes, uint8 (…, C), and every layer looks them up in a table of its own by LutMatMulOfCodes. Codes and integer sums are those of
// LutMatMul, LutMatMulInteger and LutMatMulIntegerOfBytes, whose inputs before the table `…ToCodes` takes.

/** The operators that make codes, by those that encode and look up. */
export const codesOperators: ReadonlyMap<string, string> = new Map(
  ["LutMatMul", "LutMatMulInteger", "LutMatMulIntegerOfBytes"].map((name) => [name, `${name}ToCodes`]),
);

const opsetImport = [{ domain: "", version: BigInt(ONNX_OPSET) }];

/** From scores (C, N, K) to codes uint8 (…, C), with x's leading axes. */
const codeNodes = (): NodeProto[] => [
  node("ArgMax", ["scores"], ["winners"], { axis: 2, keepdims: 0, select_last_index: 0 }), // (C, N)
  node("Transpose", ["winners"], ["winnersByRow"], { perm: [1, 0] }),
  node("Cast", ["winnersByRow"], ["codeRows"], { to: uint8 }), // (N, C)
  node("Shape", ["x"], ["leading"], { start: 0, end: -1 }),
  node("Concat", ["leading", "C"], ["codesShape"], { axis: 0 }),
  node("Reshape", ["codeRows", "codesShape"], ["codes"]),
];

/** Lengths C and −1, which scores and codes need. */
const lengthNodes = (): NodeProto[] => [
  node("Shape", ["centroids"], ["C"], { start: 0, end: 1 }),
  constant("minusOne", [-1]),
];

const toCodes = (
  name: string,
  input: readonly string[],
  docString: string,
  nodes: NodeProto[],
): FunctionProto =>
  create(FunctionProtoSchema, {
    name,
    domain: LUTNN_DOMAIN,
    input: [...input],
    output: ["codes"],
    opsetImport,
    docString,
    node: nodes,
  });

/** LutMatMulToCodes: x float32 (…, C·V), centroids float32 (C, K, V) → codes uint8 (…, C). */
const floatsToCodes = (): FunctionProto =>
  toCodes("LutMatMulToCodes", ["x", "centroids"], "The nearest centroid of each sub-vector.", [
    ...lengthNodes(),
    ...rowScoreNodes(),
    ...codeNodes(),
  ]);

/** LutMatMulIntegerOfBytesToCodes: x uint8 (…, C·V), inputZeroPoint uint8 (), centroids int8 (C, K, V), halfNorms int32 (C, K). */
const bytesToCodes = (): FunctionProto =>
  toCodes(
    "LutMatMulIntegerOfBytesToCodes",
    ["x", "inputZeroPoint", "centroids", "halfNorms"],
    "The centroid with the best exact score of each sub-vector of bytes.",
    [...lengthNodes(), ...integerRowScoreNodes(), ...codeNodes()],
  );

/** Those functions that make codes which nodes of these operators need. */
export function codesFunctions(operators: ReadonlySet<string>): FunctionProto[] {
  const quantizes = operators.has("LutMatMulIntegerToCodes");
  return [
    ...(operators.has("LutMatMulToCodes") ? [floatsToCodes()] : []),
    ...(quantizes || operators.has("LutMatMulIntegerOfBytesToCodes") ? [bytesToCodes()] : []),
    ...(quantizes ? [quantizing(bytesToCodes(), "LutMatMulIntegerToCodes")] : []),
  ];
}

/** LutMatMulOfCodes: codes uint8 (…, C), table int8 (C, K, M), scale and bias float32 (M) → (…, M). No attributes. */
export function lutMatMulOfCodesFunction(): FunctionProto {
  return create(FunctionProtoSchema, {
    name: "LutMatMulOfCodes",
    domain: LUTNN_DOMAIN,
    input: ["codes", "table", "scale", "bias"],
    output: ["y"],
    opsetImport,
    docString: "A sum of int8 table rows, the one that its code names of each codebook.",
    node: [
      ...codebookNodes("table"),
      node("Cast", ["codes"], ["wide"], { to: int64 }),
      node("Unsqueeze", ["wide", "minusOne"], ["each"]), // (…, C, 1)
      node("Equal", ["each", "indices"], ["chosen"]),
      node("Cast", ["chosen"], ["oneHotByRow"], { to: uint8 }), // (…, C, K)
      ...rowSumNodes("codes"),
    ],
  });
}

/** int64 of ONNX's element types. */
const int64 = 7;
