import { LutnnError } from "../errors";
import { LUTNN_DOMAIN } from "../onnx/builder";
import { operatorName } from "../onnx/linearFunctions";
import type { FunctionProto, ModelProto, NodeProto } from "../onnx/onnx_pb";

/** A function of a file by what its nodes call it. */
const functionKey = (domain: string, name: string): string => `${domain}/${name}`;

/** Nodes of the graphs inside a node: the branches of an If, the body of a Loop. */
const innerNodes = ({ attribute }: NodeProto): NodeProto[] => attribute.flatMap(({ g }) => g?.node ?? []);

/**
 * The lookup operators that a file's outputs depend on, each with a node's name; and those among them that are neither
 * native nor made of native ones.
 */
function lookupsOf({ graph, functions }: ModelProto, native: ReadonlySet<string>) {
  const bodies = new Map(functions.map((one) => [functionKey(one.domain, one.name), one]));
  const used = new Map<string, string>();
  const foreign = new Map<string, string>();
  const entered = new Set<FunctionProto>();
  /** Whether the node is, or has inside, a native lookup. */
  const visit = (node: NodeProto): boolean => {
    const inner = innerNodes(node).map(visit);
    if (node.domain === LUTNN_DOMAIN && native.has(node.opType)) {
      used.set(node.opType, node.name);
      return true;
    }
    const body = bodies.get(functionKey(node.domain, node.opType));
    if (!body || entered.has(body)) return inner.some(Boolean);
    entered.add(body);
    const made = body.node.map(visit).some(Boolean);
    entered.delete(body);
    if (node.domain === LUTNN_DOMAIN && !made) foreign.set(node.opType, node.name);
    return made;
  };
  const makers = new Map(graph!.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const reached = new Set<NodeProto>();
  const waiting = graph!.output.map(({ name }) => name);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const node = makers.get(name);
    if (!node || reached.has(node)) continue;
    reached.add(node);
    visit(node);
    // What its inner graphs read from outside counts as read.
    waiting.push(...node.input, ...innerNodes(node).flatMap(({ input }) => input));
  }
  return { used, foreign };
}

/** The operators without what may follow them, which would be dozens of names. */
const basesOf = (operators: readonly string[]): string =>
  `${[...new Set(operators.map((name) => operatorName(name)?.base ?? name))].join(", ")}, with what may follow them`;

/**
 * Throws LutnnError unless all lookups that a file's outputs depend on run natively: each operator is one of ours, and a
 * kernel was made for it.
 * @param operators that we have
 * @param made nodes that kernels were made for
 */
export function requireNativeLookups(
  file: string,
  model: ModelProto,
  operators: readonly string[],
  made: readonly { operator: string }[],
): void {
  const { used, foreign } = lookupsOf(model, new Set(operators));
  const kernels = new Set(made.map(({ operator }) => operator));
  const absent = [...foreign, ...[...used].filter(([operator]) => !kernels.has(operator))];
  if (absent.length > 0)
    throw new LutnnError(
      `InferenceSession: every operator of ours in ${file} must run natively (${absent.map(([operator, node]) => `${LUTNN_DOMAIN}.${operator} "${node}"`).join(", ")} would run as its function; native are ${basesOf(operators)}); write the file anew, or ask for { backend: "onnxruntime" }`,
    );
}
