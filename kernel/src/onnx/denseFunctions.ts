import { create } from "@bufbuild/protobuf";
import { LUTNN_DOMAIN, node, ONNX_OPSET } from "./builder";
import { convAttributes, convReferences, planeScaledNodes, scaledNodes } from "./functions";
import { quantizing } from "./integerFunctions";
import { type FunctionProto, FunctionProtoSchema } from "./onnx_pb";

// What a conversion leaves dense, in INT8, as functions of standard operators. `OfBytes` take: x uint8, inputZeroPoint uint8 (),
// weights int8, scale and bias float32 (M), and compute scale · Σ (x − inputZeroPoint)·w + bias; the sums are exact integers.
// The others take x float32 and inputScale float32 () before inputZeroPoint, and quantise x first.

const inputs = ["x", "inputZeroPoint", "weights", "scale", "bias"];
const opsetImport = [{ domain: "", version: BigInt(ONNX_OPSET) }];

/**
 * DenseConvIntegerOfBytes: x (N, channels, height, width), weights (M, channels / group, filter height, filter width) →
 * (N, M, output height, output width). Attributes of ONNX's Conv; padding is zeros, which are the byte inputZeroPoint.
 */
export function denseConvIntegerOfBytesFunction(): FunctionProto {
  return create(FunctionProtoSchema, {
    name: "DenseConvIntegerOfBytes",
    domain: LUTNN_DOMAIN,
    input: inputs,
    output: ["y"],
    attribute: [...convAttributes],
    opsetImport,
    docString: "Convolution of bytes with int8 filters: exact sums, then a scale for each output.",
    node: [
      node("ConvInteger", ["x", "weights", "inputZeroPoint"], ["sums"], convReferences()), // (N, M, height, width)
      ...planeScaledNodes("sums", "y"),
    ],
  });
}

/** DenseMatMulIntegerOfBytes: x (…, D), weights (D, M) → (…, M). No attributes. */
export function denseMatMulIntegerOfBytesFunction(): FunctionProto {
  return create(FunctionProtoSchema, {
    name: "DenseMatMulIntegerOfBytes",
    domain: LUTNN_DOMAIN,
    input: inputs,
    output: ["y"],
    opsetImport,
    docString: "Matrix product of bytes with int8 weights: exact sums, then a scale for each output.",
    node: [
      node("MatMulInteger", ["x", "weights", "inputZeroPoint"], ["sums"]), // (…, M)
      ...scaledNodes("sums", "scale", "bias", "y"),
    ],
  });
}

/** DenseConvInteger: x (N, channels, height, width) float32 → (N, M, output height, output width). */
export const denseConvIntegerFunction = (): FunctionProto =>
  quantizing(denseConvIntegerOfBytesFunction(), "DenseConvInteger");

/** DenseMatMulInteger: x (…, D) float32 → (…, M). */
export const denseMatMulIntegerFunction = (): FunctionProto =>
  quantizing(denseMatMulIntegerOfBytesFunction(), "DenseMatMulInteger");
