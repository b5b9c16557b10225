import { create } from "@bufbuild/protobuf";
import { LUTNN_DOMAIN, node } from "./builder";
import { codesOperators } from "./codesFunctions";
import type { GraphBuilder } from "./graphBuilder";
import { operatorName, operatorOf } from "./linearFunctions";
import { type NodeProto, NodeProtoSchema, type TensorProto } from "./onnx_pb";

/** How many inputs after x say what codes it has, by the operator's base: what stands before the table. */
const quantizerInputs: Readonly<Record<string, number>> = {
  LutMatMul: 1, // centroids
  LutMatMulInteger: 4, // inputScale, inputZeroPoint, centroids, halfNorms
  LutMatMulIntegerOfBytes: 3, // all but inputScale
};

const quantizerOf = ({ opType, input }: NodeProto): string[] =>
  input.slice(1, 1 + quantizerInputs[operatorName(opType)!.base]);

const isSame = (a: TensorProto, b: TensorProto): boolean =>
  a === b ||
  (a.dataType === b.dataType &&
    a.dims.join() === b.dims.join() &&
    Buffer.compare(a.rawData, b.rawData) === 0);

/**
 * Lets matrix products by lookup that give the same value the same codes encode it once: one node makes the codes, the others look
 * them up (`LutMatMulOfCodes`, with whatever follows each). Codebooks, input scale and zero point count by what they hold, whatever
 * they are called. The node that makes codes stands before the first of them. Call it when `passBytes` has said who reads bytes.
 */
export function shareCodes(graph: GraphBuilder): void {
  const constants = new Map(graph.constants.map((one) => [one.name, one]));
  const isAlike = (a: NodeProto, b: NodeProto): boolean => {
    const [of, by] = [quantizerOf(a), quantizerOf(b)].map((names) =>
      names.map((name) => constants.get(name)),
    );
    return (
      a.input[0] === b.input[0] &&
      operatorName(a.opType)!.base === operatorName(b.opType)!.base &&
      of.every((one, i) => one && by[i] && isSame(one, by[i]))
    );
  };
  const groups: NodeProto[][] = [];
  for (const one of graph.nodes) {
    const base = one.domain === LUTNN_DOMAIN ? operatorName(one.opType)?.base : undefined;
    if (!base || !codesOperators.has(base)) continue;
    const group = groups.find(([first]) => isAlike(first, one));
    if (group) group.push(one);
    else groups.push([one]);
  }
  const changed = new Map<NodeProto, NodeProto[]>();
  for (const group of groups.filter(({ length }) => length > 1)) {
    const [first] = group;
    const quantizer = quantizerOf(first);
    const codes = graph.name(`${first.name}/codes`);
    const operator = codesOperators.get(operatorName(first.opType)!.base)!;
    const encode = node(operator, [first.input[0], ...quantizer], [codes], {}, LUTNN_DOMAIN);
    for (const one of group) {
      const opType = operatorOf({ ...operatorName(one.opType)!, base: "LutMatMulOfCodes" });
      const input = [codes, ...one.input.slice(1 + quantizer.length)];
      const lookUp = create(NodeProtoSchema, { ...one, opType, input });
      changed.set(one, one === first ? [encode, lookUp] : [lookUp]);
    }
  }
  graph.replace((one) => changed.get(one) ?? one);
}
