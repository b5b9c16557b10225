import { create } from "@bufbuild/protobuf";
import { AttributeReference, AttributeType, LUTNN_DOMAIN, node, ONNX_OPSET } from "./builder";
import { quantizeNode } from "./integerFunctions";
import { type FunctionProto, FunctionProtoSchema } from "./onnx_pb";

/** Layer norms whose results go to others as bytes: the bytes alone, or beside the numbers. */
export const LAYER_NORM_TO_BYTES = "LayerNormToBytes";
export const LAYER_NORM_WITH_BYTES = "LayerNormWithBytes";

/**
 * x float32 (…, D), scale and shift float32 (D), outputScale float32 (), outputZeroPoint uint8 () → the bytes of
 * (x − mean) / √(variance + epsilon) · scale + shift with the moments of each row, uint8 (…, D); WithBytes gives the numbers first.
 */
function layerNormFunction(name: string): FunctionProto {
  const withFloats = name === LAYER_NORM_WITH_BYTES;
  const y = withFloats ? "y" : "floats";
  return create(FunctionProtoSchema, {
    name,
    domain: LUTNN_DOMAIN,
    input: ["x", "scale", "shift", "outputScale", "outputZeroPoint"],
    output: [...(withFloats ? [y] : []), "resultBytes"],
    attribute: ["epsilon"],
    opsetImport: [{ domain: "", version: BigInt(ONNX_OPSET) }],
    docString: withFloats ? "Layer norm of rows, and its bytes." : "Layer norm of rows, as bytes.",
    node: [
      node("LayerNormalization", ["x", "scale", "shift"], [y], {
        axis: -1,
        epsilon: new AttributeReference("epsilon", AttributeType.FLOAT),
      }),
      quantizeNode(y, "output", "resultBytes"),
    ],
  });
}

/** Those functions of layer norms that nodes of these operators need. */
export const layerNormFunctions = (operators: ReadonlySet<string>): FunctionProto[] =>
  [LAYER_NORM_TO_BYTES, LAYER_NORM_WITH_BYTES].filter((name) => operators.has(name)).map(layerNormFunction);
