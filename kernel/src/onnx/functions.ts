import { create } from "@bufbuild/protobuf";
import {
  AttributeReference,
  AttributeType,
  FloatValue,
  integers,
  LUTNN_DOMAIN,
  node,
  ONNX_OPSET,
} from "./builder";
import { type FunctionProto, FunctionProtoSchema, type NodeProto } from "./onnx_pb";

// The operators of domain ai.lutnn as functions of standard operators, so that every ONNX runtime can run them.
// Both take: x float32, centroids float32 (C, K, V), table int8 (C, K, M), scale float32 (M), bias float32 (M), and
// compute scale · Σ_c table[c][argmax_k(x_c·P_ck − ½‖P_ck‖²)] + bias; the sums over c are exact integers.
// Letters as elsewhere: C codebooks, K centroids, V sub-vector length, M outputs, N rows or images.

const inputs = ["x", "centroids", "table", "scale", "bias"];

/** The attributes of a convolution that are lists. */
const convIntegers = ["kernel_shape", "strides", "pads", "dilations"];

export const constant = (name: string, values: number[]): NodeProto =>
  node("Constant", [], [name], { value: integers(name, values) });

const referenced = (name: string, type: AttributeType): AttributeReference =>
  new AttributeReference(name, type);

/**
 * Lengths C, K and C·K of the codebook, the table as (C·K, M), and 0 … K−1.
 * @param of what begins with the axes C and K
 */
export function codebookNodes(of: "centroids" | "table" = "centroids"): NodeProto[] {
  return [
    node("Shape", [of], ["C"], { start: 0, end: 1 }),
    node("Shape", [of], ["K"], { start: 1, end: 2 }),
    node("Mul", ["C", "K"], ["CK"]),
    constant("minusOne", [-1]),
    node("Concat", ["CK", "minusOne"], ["tableShape"], { axis: 0 }),
    node("Reshape", ["table", "tableShape"], ["rows"]), // (C·K, M)
    node("Constant", [], ["zero"], { value_int: 0 }),
    node("Constant", [], ["one"], { value_int: 1 }),
    node("Squeeze", ["K"], ["lastK"]),
    node("Range", ["zero", "lastK", "one"], ["indices"]), // (K)
  ];
}

/** −½‖P‖² as (C, K). */
function halfNormNodes(): NodeProto[] {
  return [
    node("ReduceSumSquare", ["centroids"], ["norms"], { axes: [2], keepdims: 0 }), // (C, K)
    node("Constant", [], ["minusHalf"], { value_float: new FloatValue(-0.5) }),
    node("Mul", ["norms", "minusHalf"], ["halfNorms"]),
  ];
}

/**
 * Integer sums as numbers: each · scale, then + bias, both rounded. Scale and bias stretch over what they are no axes of. Sums have
 * the result's shape already: OpenVINO 2026.4.1 moves such a scale past a Reshape that takes its axis elsewhere, and computes
 * something else.
 */
export const scaledNodes = (sums: string, scale: string, bias: string, result: string): NodeProto[] => [
  node("Cast", [sums], ["sumsFloat"], { to: 1 }),
  node("Mul", ["sumsFloat", scale], ["scaled"]),
  node("Add", ["scaled", bias], [result]),
];

/** The same of sums (N, M, height, width), with scale and bias (M). */
export const planeScaledNodes = (sums: string, result: string): NodeProto[] => [
  constant("planes", [-1, 1, 1]),
  node("Reshape", ["scale", "planes"], ["planeScale"]), // (M, 1, 1)
  node("Reshape", ["bias", "planes"], ["planeBias"]),
  ...scaledNodes(sums, "planeScale", "planeBias", result),
];

/** A convolution's attributes, and these taken from the function's own. */
export const convAttributes: readonly string[] = [...convIntegers, "group"];
export const convReferences = (): Record<string, AttributeReference> => ({
  ...Object.fromEntries(convIntegers.map((name) => [name, referenced(name, AttributeType.INTS)])),
  group: referenced("group", AttributeType.INT),
});

/** uint8 of ONNX's element types. */
export const uint8 = 2;

/** From scores (N, C·K, height, width) to y (N, M, height, width). */
export function convResultNodes(): NodeProto[] {
  return [
    node("Shape", ["scores"], ["N"], { start: 0, end: 1 }),
    node("Shape", ["scores"], ["size"], { start: 2, end: 4 }),
    node("Concat", ["N", "C", "K", "size"], ["scoreShape"], { axis: 0 }),
    node("Reshape", ["scores", "scoreShape"], ["scoresByCodebook"]), // (N, C, K, height, width)
    node("ArgMax", ["scoresByCodebook"], ["codes"], { axis: 2, keepdims: 1, select_last_index: 0 }),
    constant("indexShape", [1, 1, -1, 1, 1]),
    node("Reshape", ["indices", "indexShape"], ["candidates"]), // (1, 1, K, 1, 1)
    node("Equal", ["codes", "candidates"], ["chosen"]),
    node("Cast", ["chosen"], ["oneHot"], { to: uint8 }),
    node("Concat", ["N", "CK", "minusOne"], ["flatShape"], { axis: 0 }),
    node("Reshape", ["oneHot", "flatShape"], ["oneHotFlat"]), // (N, C·K, positions)
    node("Transpose", ["oneHotFlat"], ["oneHotRows"], { perm: [0, 2, 1] }), // (N, positions, C·K)
    node("MatMulInteger", ["oneHotRows", "rows"], ["sumRows"]), // (N, positions, M)
    node("Transpose", ["sumRows"], ["sumPlanes"], { perm: [0, 2, 1] }),
    node("Concat", ["N", "minusOne", "size"], ["outputShape"], { axis: 0 }),
    node("Reshape", ["sumPlanes", "outputShape"], ["sums"]), // (N, M, height, width)
    ...planeScaledNodes("sums", "y"),
  ];
}

/** The centroids as a convolution's filters: (C·K, channels per codebook, height, width). */
export function filterNodes(): NodeProto[] {
  return [
    node("Constant", [], ["filter"], { value_ints: referenced("kernel_shape", AttributeType.INTS) }),
    node("Concat", ["CK", "minusOne", "filter"], ["filterShape"], { axis: 0 }),
    node("Reshape", ["centroids", "filterShape"], ["filters"]),
  ];
}

/** The sub-vectors of rows (…, C·V) as (C, N, V), and the centroids as (C, V, K). */
export function partNodes(rows: string): NodeProto[] {
  return [
    node("Shape", ["centroids"], ["V"], { start: 2, end: 3 }),
    node("Concat", ["minusOne", "C", "V"], ["partShape"], { axis: 0 }),
    node("Reshape", [rows, "partShape"], ["parts"]), // (N, C, V)
    node("Transpose", ["parts"], ["partsByCodebook"], { perm: [1, 0, 2] }),
    node("Transpose", ["centroids"], ["centroidColumns"], { perm: [0, 2, 1] }),
  ];
}

/** From scores (C, N, K) to y (…, M), with x's leading axes. */
export function matMulResultNodes(): NodeProto[] {
  return [
    node("ArgMax", ["scores"], ["codes"], { axis: 2, keepdims: 1, select_last_index: 0 }),
    node("Equal", ["codes", "indices"], ["chosen"]),
    node("Cast", ["chosen"], ["oneHot"], { to: uint8 }), // (C, N, K)
    node("Transpose", ["oneHot"], ["oneHotByRow"], { perm: [1, 0, 2] }), // (N, C, K)
    ...rowSumNodes("x"),
  ];
}

/** From `oneHotByRow` (…, C, K) to y (…, M). @param leading the value whose axes but the last lead */
export const rowSumNodes = (leading: "x" | "codes"): NodeProto[] => [
  node("Concat", ["minusOne", "CK"], ["rowShape"], { axis: 0 }),
  node("Reshape", ["oneHotByRow", "rowShape"], ["oneHotRows"]), // (N, C·K)
  node("MatMulInteger", ["oneHotRows", "rows"], ["sumRows"]), // (N, M)
  node("Shape", [leading], ["leading"], { start: 0, end: -1 }),
  node("Shape", ["scale"], ["M"]),
  node("Concat", ["leading", "M"], ["outputShape"], { axis: 0 }),
  node("Reshape", ["sumRows", "outputShape"], ["sums"]), // (…, M)
  ...scaledNodes("sums", "scale", "bias", "y"),
];

/** Scores (C, N, K) of rows of x. */
export const rowScoreNodes = (): NodeProto[] => [
  ...halfNormNodes(),
  ...partNodes("x"),
  node("MatMul", ["partsByCodebook", "centroidColumns"], ["products"]), // (C, N, K)
  constant("normAxis", [1]),
  node("Unsqueeze", ["halfNorms", "normAxis"], ["halfNormRows"]), // (C, 1, K)
  node("Add", ["products", "halfNormRows"], ["scores"]),
];

/**
 * LutConv: x (N, channels, height, width) → (N, M, output height, output width). Attributes of ONNX's Conv;
 * `group` is the number of codebooks C: every codebook looks at its own V / filter area neighbouring channels.
 */
export function lutConvFunction(): FunctionProto {
  return create(FunctionProtoSchema, {
    name: "LutConv",
    domain: LUTNN_DOMAIN,
    input: inputs,
    output: ["y"],
    attribute: [...convAttributes],
    opsetImport: [{ domain: "", version: BigInt(ONNX_OPSET) }],
    docString:
      "Convolution by table lookup: nearest centroid of each window part, then a sum of int8 table rows.",
    node: [
      ...codebookNodes(),
      ...halfNormNodes(),
      ...filterNodes(),
      node("Reshape", ["halfNorms", "minusOne"], ["filterBias"]), // (C·K)
      node("Conv", ["x", "filters", "filterBias"], ["scores"], convReferences()), // (N, C·K, height, width)
      ...convResultNodes(),
    ],
  });
}

/** LutMatMul: x (…, C·V) → (…, M). No attributes. */
export function lutMatMulFunction(): FunctionProto {
  return create(FunctionProtoSchema, {
    name: "LutMatMul",
    domain: LUTNN_DOMAIN,
    input: inputs,
    output: ["y"],
    opsetImport: [{ domain: "", version: BigInt(ONNX_OPSET) }],
    docString:
      "Matrix product by table lookup: nearest centroid of each sub-vector, then a sum of int8 table rows.",
    node: [...codebookNodes(), ...rowScoreNodes(), ...matMulResultNodes()],
  });
}
