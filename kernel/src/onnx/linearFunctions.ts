import { create } from "@bufbuild/protobuf";
import { FloatValue, LUTNN_DOMAIN, LUTNN_DOMAIN_VERSION, node, ONNX_OPSET } from "./builder";
import { lutMatMulOfCodesFunction } from "./codesFunctions";
import {
  denseConvIntegerFunction,
  denseConvIntegerOfBytesFunction,
  denseMatMulIntegerFunction,
  denseMatMulIntegerOfBytesFunction,
} from "./denseFunctions";
import { convReferences, lutConvFunction, lutMatMulFunction } from "./functions";
import {
  lutConvIntegerFunction,
  lutConvIntegerOfBytesFunction,
  lutMatMulIntegerFunction,
  lutMatMulIntegerOfBytesFunction,
  quantizeNode,
} from "./integerFunctions";
import { type FunctionProto, FunctionProtoSchema, type NodeProto } from "./onnx_pb";

// Every lookup, and every dense layer in INT8, has named variants, LutConvRelu and so on, which are functions over it: Add takes one more input, the
// residual, of the result's shape, and adds it; Relu makes negative results 0, after that; Gelu makes them x · (1 + erf(x / √2)) · ½,
// which native operators compute within 2⁻²² · |x|. Of those in integers there are
// also OfBytes, whose x is bytes already, and at the end of a name ToBytes, whose result is bytes, and WithBytes, which
// gives the result and its bytes; both take two more inputs, outputScale float32 () and outputZeroPoint uint8 (). A lookup of codes
// that another node has made is LutMatMulOfCodes, with all of these.

const bases = {
  LutConv: lutConvFunction,
  LutMatMul: lutMatMulFunction,
  LutConvInteger: lutConvIntegerFunction,
  LutMatMulInteger: lutMatMulIntegerFunction,
  LutConvIntegerOfBytes: lutConvIntegerOfBytesFunction,
  LutMatMulIntegerOfBytes: lutMatMulIntegerOfBytesFunction,
  LutMatMulOfCodes: lutMatMulOfCodesFunction,
  DenseConvInteger: denseConvIntegerFunction,
  DenseMatMulInteger: denseMatMulIntegerFunction,
  DenseConvIntegerOfBytes: denseConvIntegerOfBytesFunction,
  DenseMatMulIntegerOfBytes: denseMatMulIntegerOfBytesFunction,
} as const;

type Base = keyof typeof bases;

/** A lookup or a dense layer without what may follow it; those in integers end in `Integer`, as ONNX has them. */
export type LinearOperatorName = Exclude<Base, `${string}OfBytes` | `${string}OfCodes`>;

/** What the name of such an operator, or of a variant, says of it. */
export interface OperatorName {
  base: Base;
  add: boolean;
  relu: boolean;
  gelu: boolean;
  /** What it gives: its result, the result's bytes, or both. */
  results: "" | "ToBytes" | "WithBytes";
}

const grammar =
  /^(Lut(?:Conv|MatMul)(?:Integer(?:OfBytes)?)?|LutMatMulOfCodes|Dense(?:Conv|MatMul)Integer(?:OfBytes)?)(Gelu|(?:Add)?(?:Relu)?)(ToBytes|WithBytes)?$/;

/** An operator's name taken apart; undefined for one that is neither a lookup's nor a dense layer's. */
export function operatorName(operator: string): OperatorName | undefined {
  const parts = grammar.exec(operator);
  if (!parts) return undefined;
  const [, base, following, results = ""] = parts;
  if (results !== "" && !/Integer|OfCodes/.test(base)) return undefined;
  return {
    base: base as Base,
    add: following.startsWith("Add"),
    relu: following.endsWith("Relu"),
    gelu: following === "Gelu",
    results: results as OperatorName["results"],
  };
}

/** The name put together again. */
export const operatorOf = ({ base, add, relu, gelu, results }: OperatorName): string =>
  `${base}${add ? "Add" : ""}${relu ? "Relu" : ""}${gelu ? "Gelu" : ""}${results}`;

/** The order in which a file defines the variants of an operator. */
const rank = ({ add, relu, gelu, results }: OperatorName): number =>
  Number(relu) + 2 * Number(add) + 4 * Number(gelu) + 8 * ["", "ToBytes", "WithBytes"].indexOf(results);

/** A variant, over the function of the operator itself. */
function variantFunction({ name, input, attribute }: FunctionProto, variant: OperatorName): FunctionProto {
  const { add, relu, gelu, results } = variant;
  const attributes = attribute.length > 0 ? convReferences() : {};
  const steps = [
    ...(add ? [{ says: "plus a residual of the same shape", nodes: one("Add", "residual") }] : []),
    ...(relu ? [{ says: "then ReLU", nodes: one("Relu") }] : []),
    ...(gelu ? [{ says: "then GELU", nodes: geluNodes }] : []),
  ];
  const last = results === "ToBytes" ? "floats" : "y"; // the result, before it may become bytes
  const made = (i: number) => (i === steps.length ? last : `step${i}`);
  return create(FunctionProtoSchema, {
    name: operatorOf(variant),
    domain: LUTNN_DOMAIN,
    input: [
      ...input,
      ...(add ? ["residual"] : []),
      ...(results !== "" ? ["outputScale", "outputZeroPoint"] : []),
    ],
    output: results === "WithBytes" ? ["y", "resultBytes"] : [results === "ToBytes" ? "resultBytes" : "y"],
    attribute,
    opsetImport: [
      { domain: "", version: BigInt(ONNX_OPSET) },
      { domain: LUTNN_DOMAIN, version: BigInt(LUTNN_DOMAIN_VERSION) },
    ],
    docString: `${[name, ...steps.map(({ says }) => says), ...{ "": [], ToBytes: ["as bytes"], WithBytes: ["and its bytes"] }[results]].join(", ")}.`,
    node: [
      node(name, input, [made(0)], attributes, LUTNN_DOMAIN),
      ...steps.flatMap(({ nodes }, i) => nodes(made(i), made(i + 1))),
      ...(results !== "" ? [quantizeNode(last, "output", "resultBytes")] : []),
    ],
  });
}

/** Nodes that make one value of another. */
type Step = (from: string, to: string) => NodeProto[];

const one =
  (operator: string, ...more: string[]): Step =>
  (from, to) => [node(operator, [from, ...more], [to])];

/** As `layers/kinds/activations.ts` writes it. */
const geluNodes: Step = (from, to) => [
  ...Object.entries({ root: Math.SQRT2, one: 1, half: 0.5 }).map(([name, value]) =>
    node("Constant", [], [name], { value_float: new FloatValue(value) }),
  ),
  node("Div", [from, "root"], ["scaled"]),
  node("Erf", ["scaled"], ["erf"]),
  node("Add", ["erf", "one"], ["share"]),
  node("Mul", [from, "share"], ["twice"]),
  node("Mul", ["twice", "half"], [to]),
];

/** The functions that nodes of these operators need; a variant needs the operator's own too, and that needs the one of bytes. */
export function linearFunctions(operators: ReadonlySet<string>): FunctionProto[] {
  const wanted = new Map<Base, Map<string, OperatorName>>();
  for (const operator of operators) {
    const name = operatorName(operator);
    if (!name) continue;
    wanted.set(name.base, (wanted.get(name.base) ?? new Map()).set(operator, name));
    const ofBytes = `${name.base}OfBytes` as Base;
    if (ofBytes in bases && !wanted.has(ofBytes)) wanted.set(ofBytes, new Map());
  }
  return (Object.keys(bases) as Base[]).flatMap((base) => {
    const used = wanted.get(base);
    if (!used) return [];
    const own = bases[base]();
    const variants = [...used].filter(([operator]) => operator !== base).map(([, name]) => name);
    return [own, ...variants.sort((a, b) => rank(a) - rank(b)).map((name) => variantFunction(own, name))];
  });
}
