import { create } from "@bufbuild/protobuf";
import { LUTNN_DOMAIN, LUTNN_DOMAIN_VERSION, node, ONNX_OPSET } from "./builder";
import {
  codebookNodes,
  constant,
  convAttributes,
  convReferences,
  convResultNodes,
  filterNodes,
  matMulResultNodes,
  partNodes,
} from "./functions";
import { type FunctionProto, FunctionProtoSchema, type NodeProto } from "./onnx_pb";

// The operators whose codes are defined in integers, as functions of standard operators. `OfBytes` take: x uint8, inputZeroPoint
// uint8 (), centroids int8 (C, K, V), halfNorms int32 (C, K), table int8 (C, K, M), scale and bias float32 (M), and compute
// scale · Σ_c table[c][argmax_k(Σ (x_c − inputZeroPoint)·p_ck − halfNorm_ck)] + bias. The others take x float32 and inputScale
// float32 () before inputZeroPoint, and quantise x first. All but QuantizeLinear and the last scaling is integers, so every
// runtime gives the same codes.

const inputs = ["x", "inputZeroPoint", "centroids", "halfNorms", "table", "scale", "bias"];

const opsets = [{ domain: "", version: BigInt(ONNX_OPSET) }];
const ownOpset = { domain: LUTNN_DOMAIN, version: BigInt(LUTNN_DOMAIN_VERSION) };

/** LutConvIntegerOfBytes: x (N, channels, height, width) → (N, M, output height, output width), as LutConv; padding is zeros. */
export function lutConvIntegerOfBytesFunction(): FunctionProto {
  return create(FunctionProtoSchema, {
    name: "LutConvIntegerOfBytes",
    domain: LUTNN_DOMAIN,
    input: inputs,
    output: ["y"],
    attribute: [...convAttributes],
    opsetImport: opsets,
    docString:
      "Convolution by table lookup with codes defined in integers: exact scores of bytes, then a sum of int8 table rows.",
    node: [
      ...codebookNodes(),
      ...filterNodes(),
      node("ConvInteger", ["x", "filters", "inputZeroPoint"], ["products"], convReferences()), // (N, C·K, height, width)
      constant("halfNormShape", [1, -1, 1, 1]),
      node("Reshape", ["halfNorms", "halfNormShape"], ["halfNormPlanes"]), // (1, C·K, 1, 1)
      node("Sub", ["products", "halfNormPlanes"], ["scores"]),
      ...convResultNodes(),
    ],
  });
}

/** Scores (C, N, K) of rows of bytes. */
export const integerRowScoreNodes = (): NodeProto[] => [
  ...partNodes("x"),
  node("MatMulInteger", ["partsByCodebook", "centroidColumns", "inputZeroPoint"], ["products"]), // (C, N, K)
  constant("normAxis", [1]),
  node("Unsqueeze", ["halfNorms", "normAxis"], ["halfNormRows"]), // (C, 1, K)
  node("Sub", ["products", "halfNormRows"], ["scores"]),
];

/** LutMatMulIntegerOfBytes: x (…, C·V) → (…, M). No attributes. */
export function lutMatMulIntegerOfBytesFunction(): FunctionProto {
  return create(FunctionProtoSchema, {
    name: "LutMatMulIntegerOfBytes",
    domain: LUTNN_DOMAIN,
    input: inputs,
    output: ["y"],
    opsetImport: opsets,
    docString:
      "Matrix product by table lookup with codes defined in integers: exact scores of bytes, then a sum of int8 table rows.",
    node: [...codebookNodes(), ...integerRowScoreNodes(), ...matMulResultNodes()],
  });
}

/** The function that quantises x and is that of bytes then. */
export function quantizing(ofBytes: FunctionProto, name: string): FunctionProto {
  const attributes = ofBytes.attribute.length > 0 ? convReferences() : {};
  const [, ...rest] = ofBytes.input;
  return create(FunctionProtoSchema, {
    name,
    domain: LUTNN_DOMAIN,
    input: ["x", "inputScale", ...rest],
    output: ofBytes.output,
    attribute: ofBytes.attribute,
    opsetImport: [...opsets, ownOpset],
    docString: `${ofBytes.name} of x as bytes.`,
    node: [
      quantizeNode("x", "input", "bytes"),
      node(ofBytes.name, ["bytes", ...rest], ofBytes.output, attributes, LUTNN_DOMAIN),
    ],
  });
}

/** A value's bytes; scale and zero point are inputs of the function, called after what they belong to. */
export const quantizeNode = (value: string, owner: "input" | "output", bytes: string): NodeProto =>
  node("QuantizeLinear", [value, `${owner}Scale`, `${owner}ZeroPoint`], [bytes]);

/** LutConvInteger: x (N, channels, height, width) float32 → (N, M, output height, output width). */
export const lutConvIntegerFunction = (): FunctionProto =>
  quantizing(lutConvIntegerOfBytesFunction(), "LutConvInteger");

/** LutMatMulInteger: x (…, C·V) float32 → (…, M). */
export const lutMatMulIntegerFunction = (): FunctionProto =>
  quantizing(lutMatMulIntegerOfBytesFunction(), "LutMatMulInteger");
