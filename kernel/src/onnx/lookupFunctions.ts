import { create } from "@bufbuild/protobuf";
import { LUTNN_DOMAIN, LUTNN_DOMAIN_VERSION, node, ONNX_OPSET } from "./builder";
import { convReferences, lutConvFunction, lutMatMulFunction } from "./functions";
import { lutConvIntegerFunction, lutMatMulIntegerFunction } from "./integerFunctions";
import { type FunctionProto, FunctionProtoSchema } from "./onnx_pb";

/** The lookups themselves. */
const bases = [lutConvFunction, lutMatMulFunction, lutConvIntegerFunction, lutMatMulIntegerFunction];

/**
 * What may stand behind a lookup, and then is part of its name: Add takes one more input, the residual, of the result's
 * shape, and adds it; Relu makes negative results 0, after that.
 */
const variants = ["Relu", "Add", "AddRelu"] as const;

/** A variant of a lookup as a function over the lookup's own. */
function variantFunction(base: FunctionProto, variant: (typeof variants)[number]): FunctionProto {
  const [add, relu] = [variant.startsWith("Add"), variant.endsWith("Relu")];
  const attributes = base.attribute.length > 0 ? convReferences() : {};
  const parts = [...(add ? ["plus a residual of the same shape"] : []), ...(relu ? ["then ReLU"] : [])];
  return create(FunctionProtoSchema, {
    name: `${base.name}${variant}`,
    domain: LUTNN_DOMAIN,
    input: [...base.input, ...(add ? ["residual"] : [])],
    output: ["y"],
    attribute: base.attribute,
    opsetImport: [
      { domain: "", version: BigInt(ONNX_OPSET) },
      { domain: LUTNN_DOMAIN, version: BigInt(LUTNN_DOMAIN_VERSION) },
    ],
    docString: `${base.name}, ${parts.join(", ")}.`,
    node: [
      node(base.name, base.input, ["found"], attributes, LUTNN_DOMAIN),
      ...(add ? [node("Add", ["found", "residual"], [relu ? "sum" : "y"])] : []),
      ...(relu ? [node("Relu", [add ? "sum" : "found"], ["y"])] : []),
    ],
  });
}

/** The functions that nodes of these operators need; a variant needs the lookup's own too. */
export function lookupFunctions(operators: ReadonlySet<string>): FunctionProto[] {
  return bases.flatMap((make) => {
    const base = make();
    const used = variants.filter((variant) => operators.has(`${base.name}${variant}`));
    if (used.length === 0 && !operators.has(base.name)) return [];
    return [base, ...used.map((variant) => variantFunction(base, variant))];
  });
}
