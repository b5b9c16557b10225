import { create } from "@bufbuild/protobuf";
import { LUTNN_DOMAIN, LUTNN_DOMAIN_VERSION, node, ONNX_OPSET } from "./builder";
import { convReferences, lutConvFunction, lutMatMulFunction } from "./functions";
import { lutConvIntegerFunction, lutMatMulIntegerFunction } from "./integerFunctions";
import { type FunctionProto, FunctionProtoSchema } from "./onnx_pb";

// Every lookup has named variants, LutConvRelu and so on, which are functions over it: Add takes one more input, the
// residual, of the result's shape, and adds it; Relu makes negative results 0, after that.

const bases = {
  LutConv: lutConvFunction,
  LutMatMul: lutMatMulFunction,
  LutConvInteger: lutConvIntegerFunction,
  LutMatMulInteger: lutMatMulIntegerFunction,
} as const;

/** A lookup without what may follow it; those of codes in integers end in `Integer`, as ONNX has them. */
export type LookupOperator = keyof typeof bases;

/** What stands behind the lookup in a variant, in the order of its name. */
const variants = ["Relu", "Add", "AddRelu"] as const;

/** A variant, over the function of the lookup itself. */
function variantFunction(
  { name, input, attribute }: FunctionProto,
  variant: (typeof variants)[number],
): FunctionProto {
  const [add, relu] = [variant.startsWith("Add"), variant.endsWith("Relu")];
  const found = node(name, input, ["found"], attribute.length > 0 ? convReferences() : {}, LUTNN_DOMAIN);
  return create(FunctionProtoSchema, {
    name: `${name}${variant}`,
    domain: LUTNN_DOMAIN,
    input: [...input, ...(add ? ["residual"] : [])],
    output: ["y"],
    attribute,
    opsetImport: [
      { domain: "", version: BigInt(ONNX_OPSET) },
      { domain: LUTNN_DOMAIN, version: BigInt(LUTNN_DOMAIN_VERSION) },
    ],
    docString: `${name}, ${[...(add ? ["plus a residual of the same shape"] : []), ...(relu ? ["then ReLU"] : [])].join(", ")}.`,
    node: [
      found,
      ...(add ? [node("Add", ["found", "residual"], [relu ? "sum" : "y"])] : []),
      ...(relu ? [node("Relu", [add ? "sum" : "found"], ["y"])] : []),
    ],
  });
}

/** The functions that nodes of these operators need; a variant needs the lookup's own too. */
export function lookupFunctions(operators: ReadonlySet<string>): FunctionProto[] {
  return (Object.keys(bases) as LookupOperator[]).flatMap((base) => {
    const used = variants.filter((variant) => operators.has(`${base}${variant}`));
    if (used.length === 0 && !operators.has(base)) return [];
    const own = bases[base]();
    return [own, ...used.map((variant) => variantFunction(own, variant))];
  });
}
