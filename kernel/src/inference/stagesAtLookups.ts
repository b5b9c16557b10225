import { LutnnError } from "../errors";
import { LUTNN_DOMAIN } from "../onnx/builder";
import { inlineFunctions } from "../onnx/inlineFunctions";
import type { FunctionProto, GraphProto, ModelProto, NodeProto } from "../onnx/onnx_pb";
import { isReferenceNode } from "./referenceNode";

/** Nodes that can run together, and then the lookups, and dense layers in INT8, that read what they made. */
export interface Stage {
  /** In the file's order. */
  nodes: NodeProto[];
  /** Values from outside that they read, constants among them, and those that somebody reads later. */
  reads: string[];
  makes: string[];
  lookups: NodeProto[];
}

const innerGraphs = ({ attribute }: NodeProto): GraphProto[] => attribute.flatMap(({ g }) => (g ? [g] : []));

/** Names that a node reads from around it, those of its inner graphs too. */
const readsOf = (node: NodeProto): string[] => [
  ...node.input,
  ...innerGraphs(node).flatMap((graph) => graph.node.flatMap(readsOf)),
];

const keyOf = (domain: string, name: string): string => `${domain}.${name}`;

/** The functions that lookups are in, which must be opened for these to be seen; but not those that lookups are. */
function functionsAround({ functions }: ModelProto): FunctionProto[] {
  const byKey = new Map(functions.map((one) => [keyOf(one.domain, one.name), one]));
  const known = new Map<FunctionProto, boolean>();
  const holdsLookup = (body: FunctionProto): boolean => {
    const found = known.get(body);
    if (found !== undefined) return found;
    known.set(body, false); // of one that calls itself: ONNX has none
    const holds = body.node.some((node) => {
      if (isReferenceNode(node)) return true;
      const inner = byKey.get(keyOf(node.domain, node.opType));
      return inner !== undefined && holdsLookup(inner);
    });
    known.set(body, holds);
    return holds;
  };
  const isLookup = ({ domain, name }: FunctionProto) =>
    isReferenceNode({ domain, opType: name } as NodeProto);
  return functions.filter((body) => !isLookup(body) && holdsLookup(body));
}

/** Nodes of a file with every lookup in sight. Throws LutnnError on one inside of a branch or a loop. */
function openedNodes(file: string, model: ModelProto): NodeProto[] {
  const { node: nodes, initializer, input } = model.graph!;
  const taken = new Set([...initializer, ...input].map(({ name }) => name));
  for (const node of nodes) for (const name of [...node.input, ...node.output]) taken.add(name);
  const fresh = (wanted: string): string => {
    let name = wanted;
    for (let i = 2; taken.has(name); i++) name = `${wanted}_${i}`;
    taken.add(name);
    return name;
  };
  const opened = inlineFunctions(nodes, functionsAround(model), fresh);
  const isHidden = (node: NodeProto): boolean =>
    innerGraphs(node).some((graph) => graph.node.some((one) => one.domain === LUTNN_DOMAIN || isHidden(one)));
  const hidden = opened.find(isHidden);
  if (hidden)
    throw new LutnnError(
      `InferenceSession: the reference computes lookups that stand in the file's own graph (got one inside of ${hidden.opType} ${JSON.stringify(hidden.name)} of ${file}); ask for another backend`,
    );
  return opened;
}

/** A file's nodes in as few stages as lookups cut them into. */
export function stagesAtLookups(file: string, model: ModelProto): Stage[] {
  const graph = model.graph!;
  const stageOf = new Map<string, number>(); // by value: the first stage that can read it
  const stages: Stage[] = [];
  const at = (index: number): Stage => {
    while (stages.length <= index) stages.push({ nodes: [], reads: [], makes: [], lookups: [] });
    return stages[index];
  };
  for (const node of openedNodes(file, model)) {
    const index = Math.max(0, ...readsOf(node).map((name) => stageOf.get(name) ?? 0));
    const isLookup = isReferenceNode(node);
    (isLookup ? at(index).lookups : at(index).nodes).push(node);
    for (const name of node.output) stageOf.set(name, isLookup ? index + 1 : index);
  }
  const ends = graph.output.map(({ name }) => name);
  stages.forEach((stage, index) => {
    const made = stage.nodes.flatMap(({ output }) => output).filter((name) => name !== "");
    const inside = new Set(made);
    stage.reads = [...new Set(stage.nodes.flatMap(readsOf))].filter(
      (name) => name !== "" && !inside.has(name),
    );
    const readLater = new Set([
      ...ends,
      ...stage.lookups.flatMap(({ input }) => input),
      ...stages.slice(index + 1).flatMap(({ nodes, lookups }) => [...nodes, ...lookups].flatMap(readsOf)),
    ]);
    stage.makes = made.filter((name) => readLater.has(name));
  });
  return stages;
}
