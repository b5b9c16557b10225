import { clone, create } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  type NodeProto,
  NodeProtoSchema,
} from "./onnx_pb";

/**
 * Nodes with each call of a function replaced by the function's own nodes, functions inside functions too: for runtimes
 * that know no functions of a file. Values inside get names by `name`, which makes an unused one of what is wanted.
 */
export function inlineFunctions(
  nodes: readonly NodeProto[],
  functions: readonly FunctionProto[],
  name: (wanted: string) => string,
): NodeProto[] {
  const bodies = new Map(functions.map((one) => [`${one.domain}.${one.name}`, one]));
  const inline = (node: NodeProto): NodeProto[] => {
    const body = bodies.get(`${node.domain}.${node.opType}`);
    return body ? bodyOf(node, body, name).flatMap(inline) : [node];
  };
  return nodes.flatMap(inline);
}

function bodyOf(call: NodeProto, body: FunctionProto, name: (wanted: string) => string): NodeProto[] {
  const names = new Map<string, string>([["", ""]]); // an input that is left out
  body.input.forEach((inner, i) => {
    names.set(inner, call.input[i] ?? "");
  });
  body.output.forEach((inner, i) => {
    names.set(inner, call.output[i]);
  });
  const outside = (inner: string): string => {
    const known = names.get(inner);
    if (known !== undefined) return known;
    const made = name(`${call.name}/${inner}`);
    names.set(inner, made);
    return made;
  };
  const given = new Map([...body.attributeProto, ...call.attribute].map((one) => [one.name, one]));
  return body.node.map((node) => {
    const output = node.output.map(outside);
    return create(NodeProtoSchema, {
      opType: node.opType,
      domain: node.domain,
      name: output[0],
      input: node.input.map(outside),
      output,
      attribute: node.attribute.flatMap((attribute) => resolved(attribute, given)),
    });
  });
}

/** An attribute of a body with the value that the call gives it; none where the call leaves it out. */
function resolved(attribute: AttributeProto, given: ReadonlyMap<string, AttributeProto>): AttributeProto[] {
  if (attribute.refAttrName === "") return [attribute];
  const value = given.get(attribute.refAttrName);
  return value ? [{ ...clone(AttributeProtoSchema, value), name: attribute.name }] : [];
}
