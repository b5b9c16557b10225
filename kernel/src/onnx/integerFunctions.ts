import { create } from "@bufbuild/protobuf";
import { LUTNN_DOMAIN, node, ONNX_OPSET } from "./builder";
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

// The operators whose codes are defined in integers, as functions of standard operators. Both take: x float32, inputScale
// float32 (), inputZeroPoint uint8 (), centroids int8 (C, K, V), halfNorms int32 (C, K), table int8 (C, K, M), scale and bias
// float32 (M), and compute scale · Σ_c table[c][argmax_k(Σ (q_c − inputZeroPoint)·p_ck − halfNorm_ck)] + bias with q the
// quantised x. All but QuantizeLinear and the last scaling is integers, so every runtime gives the same codes.

const inputs = ["x", "inputScale", "inputZeroPoint", "centroids", "halfNorms", "table", "scale", "bias"];

/** x as bytes. */
const quantizeNode = (): NodeProto =>
  node("QuantizeLinear", ["x", "inputScale", "inputZeroPoint"], ["bytes"]);

/** LutConvInteger: x (N, channels, height, width) → (N, M, output height, output width), as LutConv; padding is zeros. */
export function lutConvIntegerFunction(): FunctionProto {
  return create(FunctionProtoSchema, {
    name: "LutConvInteger",
    domain: LUTNN_DOMAIN,
    input: inputs,
    output: ["y"],
    attribute: [...convAttributes],
    opsetImport: [{ domain: "", version: BigInt(ONNX_OPSET) }],
    docString:
      "Convolution by table lookup with codes defined in integers: bytes, exact scores, then a sum of int8 table rows.",
    node: [
      ...codebookNodes(),
      quantizeNode(),
      ...filterNodes(),
      node("ConvInteger", ["bytes", "filters", "inputZeroPoint"], ["products"], convReferences()), // (N, C·K, height, width)
      constant("halfNormShape", [1, -1, 1, 1]),
      node("Reshape", ["halfNorms", "halfNormShape"], ["halfNormPlanes"]), // (1, C·K, 1, 1)
      node("Sub", ["products", "halfNormPlanes"], ["scores"]),
      ...convResultNodes(),
    ],
  });
}

/** LutMatMulInteger: x (…, C·V) → (…, M). No attributes. */
export function lutMatMulIntegerFunction(): FunctionProto {
  return create(FunctionProtoSchema, {
    name: "LutMatMulInteger",
    domain: LUTNN_DOMAIN,
    input: inputs,
    output: ["y"],
    opsetImport: [{ domain: "", version: BigInt(ONNX_OPSET) }],
    docString:
      "Matrix product by table lookup with codes defined in integers: bytes, exact scores, then a sum of int8 table rows.",
    node: [
      ...codebookNodes(),
      quantizeNode(),
      ...partNodes("bytes"),
      node("MatMulInteger", ["partsByCodebook", "centroidColumns", "inputZeroPoint"], ["products"]), // (C, N, K)
      constant("normAxis", [1]),
      node("Unsqueeze", ["halfNorms", "normAxis"], ["halfNormRows"]), // (C, 1, K)
      node("Sub", ["products", "halfNormRows"], ["scores"]),
      ...matMulResultNodes(),
    ],
  });
}
