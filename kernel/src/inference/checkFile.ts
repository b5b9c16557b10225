import * as tf from "@tensorflow/tfjs-node";
import { roundedProducts } from "../compute/roundedProducts";
import { LutnnError } from "../errors";
import { cellSignal, yieldToEvents } from "../host/signal";
import { exportOnnx } from "../layers/exportOnnx";
import { foldedNorms } from "../layers/foldedNorms";
import { type GraphNode, GraphRun, NetworkGraph, Values } from "../layers/graph";
import { type CallCheck, checkCall } from "./checkCall";
import { checkOptimized } from "./checkOptimized";
import { runFile } from "./fileValues";

// The check at the door. Error would accumulate if a file's outputs were compared with the network's: one near tie of a
// lookup that two runtimes decide differently may change everything behind it. So a copy of the file shows the values
// between its layers, each layer of the network computes what the *file* gave its inputs, and only that one call's output
// is compared (a lookup or a layer in INT8 together with the batch norm that the file folds into it): what is left is rounding (rounding.ts) or a near tie (nearTies.ts), which is proved row by row, or a fault.
// In the end the file's outputs must be, bit for bit, the values that the copy showed, and the file must run optimised too
// (checkOptimized.ts).

export interface CheckOptions {
  /** Values between layers that may be in memory at once, bytes: more are looked at in turn. Default 256 million. */
  bytesAtOnce?: number;
  signal?: AbortSignal;
}

/** What the check at the door found. */
export interface FileCheck {
  /** Nothing differs by more than rounding and near ties explain. */
  ok: boolean;
  examples: number;
  /** Calls of layers that were compared. */
  calls: number;
  /** Largest difference in a call, relative to its largest output; explained rows are left out. */
  worst: number;
  /** Rows of lookups that differ because two centroids were nearly equally near. */
  explained: number;
  /** The first call that differs, or the output; null when none does. */
  differs: string | null;
  sentence: string;
}

/** What to do about a call that differs. */
function remedy(): string {
  const rounded = roundedProducts();
  return rounded
    ? `the network's own products may be rounded here, as ONEDNN_DEFAULT_FPMATH_MODE=${rounded} asks: do it in a process without that`
    : "leave this layer out or report it, with the network";
}

/** What a file computes at once: a call, or one with the batch norm that is folded into it. */
interface Unit {
  node: GraphNode;
  /** One behind the other, the norm last. */
  behind: readonly GraphNode[];
  /** Ids and shapes of what comes out. */
  outputs: readonly string[];
  outputShapes: readonly tf.Shape[];
}

function unitsOf(graph: NetworkGraph): Unit[] {
  const folded = foldedNorms(graph);
  const within = new Set([...folded.values()].flat());
  return graph.nodes
    .filter((node) => !within.has(node))
    .map((node) => {
      const behind = folded.get(node) ?? [];
      const { outputs, outputShapes } = behind[behind.length - 1] ?? node;
      return { node, behind, outputs, outputShapes };
    });
}

/** Units in groups whose values fit into memory. */
function* groupsOf(units: readonly Unit[], examples: number, bytesAtOnce: number): Generator<Unit[]> {
  const size = ({ outputShapes }: Unit) =>
    outputShapes
      .map((shape) =>
        shape.slice(1).reduce<number>((product, length) => product * (length ?? 1), 4 * examples),
      )
      .reduce((a, b) => a + b, 0);
  let group: Unit[] = [];
  let bytes = 0;
  for (const unit of units) {
    if (group.length > 0 && bytes + size(unit) > bytesAtOnce) {
      yield group;
      [group, bytes] = [[], 0];
    }
    group.push(unit);
    bytes += size(unit);
  }
  if (group.length > 0) yield group;
}

const sameBits = (a: tf.Tensor, b: tf.Tensor): boolean => {
  if (a.shape.join() !== b.shape.join()) return false;
  const [x, y] = [a.dataSync(), b.dataSync()];
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i] && !Object.is(x[i], y[i])) return false;
  return true;
};

/** What is known so far. */
class Findings {
  calls = 0;
  worst = 0;
  explained = 0;

  constructor(readonly examples: number) {}

  add({ worst, size, explained }: CallCheck): void {
    this.calls++;
    this.explained += explained;
    if (worst > 0) this.worst = Math.max(this.worst, size > 0 ? worst / size : worst);
  }

  end(differs: string | null, sentence: string): FileCheck {
    const { examples, calls, worst, explained } = this;
    return { ok: differs === null, examples, calls, worst, explained, differs, sentence };
  }

  fine(): FileCheck {
    const ties = this.explained === 0 ? "" : ` and ${this.explained} near ties of lookups`;
    return this.end(
      null,
      `the file equals the network on ${this.examples} examples in each of ${this.calls} calls, up to rounding (at most ${this.worst.toExponential(1)} of a call's largest output)${ties}`,
    );
  }
}

/**
 * Runs the bytes of a file that this library wrote for a network in ONNX Runtime and compares with the network in tf.js,
 * call by call. Never throws for a file that is wrong: the result says so.
 * @param network or its graph with the layers that the file stands for
 * @param inputs a few examples, one tensor (N, …) for each input in the network's order; they stay the caller's
 */
export async function checkFile(
  bytes: Uint8Array,
  network: tf.LayersModel | NetworkGraph,
  inputs: readonly tf.Tensor[],
  options: CheckOptions = {},
): Promise<FileCheck> {
  const { bytesAtOnce = 256e6 } = options;
  const signal = cellSignal(options.signal);
  const graph = network instanceof tf.LayersModel ? new NetworkGraph(network) : network;
  if (inputs.length !== graph.inputs.length)
    throw new LutnnError(
      `checkFile: a tensor is needed for each of the network's ${graph.inputs.length} inputs (got ${inputs.length}); give ${graph.inputs.map(({ name }) => name).join(", ")}`,
    );
  const findings = new Findings(inputs[0].shape[0]);
  const ends = graph.outputs.length;
  let outputs: tf.Tensor[] = [];
  const values = new GraphRun(graph).start([...inputs]);
  try {
    outputs = await runFile(bytes, inputs);
    if (outputs.length !== ends)
      return findings.end(
        "output",
        `the file must have the network's ${ends} outputs (got ${outputs.length})`,
      );
    const wrong = differingOutput(graph, outputs, values);
    if (wrong) return findings.end(wrong.name, outputSentence(wrong.name));
    for (const group of groupsOf(unitsOf(graph), findings.examples, bytesAtOnce)) {
      const fault = await checkGroup(graph, group, values, inputs, outputs, findings);
      if (fault) return fault;
      await yieldToEvents(signal);
    }
    const optimized = await checkOptimized(bytes, graph, inputs, outputs);
    return optimized ? findings.end("file", optimized) : findings.fine();
  } catch (error) {
    if (!(error instanceof LutnnError)) throw error;
    return findings.end("file", error.message);
  } finally {
    tf.dispose(outputs);
    tf.dispose([...values.masks.values()]);
  }
}

const outputSentence = (name: string): string =>
  `the file's output ${name} is not what its last layers give: outputs are exchanged, or the file was changed; write it anew`;

/** The first of the network's outputs whose value is known and not what the file gave. */
const differingOutput = (graph: NetworkGraph, outputs: readonly tf.Tensor[], { tensors }: Values) =>
  graph.outputs.find(({ id }, i) => tensors.has(id) && !sameBits(tensors.get(id)!, outputs[i]));

/** Checks a group of calls, and those of the network's outputs that they make; returns the fault, if there is one. */
async function checkGroup(
  graph: NetworkGraph,
  group: readonly Unit[],
  known: Values,
  inputs: readonly tf.Tensor[],
  outputs: readonly tf.Tensor[],
  findings: Findings,
): Promise<FileCheck | null> {
  const revealed = [...new Set(group.flatMap(({ node, outputs }) => [...node.inputs, ...outputs]))].filter(
    (id) => !known.tensors.has(id),
  );
  const copy = exportOnnx(graph, { reveal: revealed });
  const shown = await runFile(copy, inputs);
  try {
    const theirs = new Map(revealed.map((id, i) => [id, shown[graph.outputs.length + i]]));
    const run = new GraphRun(graph);
    for (const unit of group) {
      const { node } = unit;
      const check = checkOne(run, unit, known, theirs);
      findings.add(check);
      if (!check.ok)
        return findings.end(
          node.key,
          `the file differs from the network at ${node.key} (${node.layer.getClassName()}): by ${check.worst.toPrecision(3)} where its largest output is ${check.size.toPrecision(3)}, on the same inputs; ${remedy()}`,
        );
    }
    const values = new Values();
    for (const [id, tensor] of theirs) values.tensors.set(id, tensor);
    const wrong = differingOutput(graph, outputs, values);
    return wrong ? findings.end(wrong.name, outputSentence(wrong.name)) : null;
  } finally {
    tf.dispose(shown);
  }
}

/** Checks a call on the file's values; masks that it hands on are kept with the known ones. */
function checkOne(
  run: GraphRun,
  { node, behind, outputs }: Unit,
  known: Values,
  theirs: ReadonlyMap<string, tf.Tensor>,
): CallCheck {
  let check: CallCheck | undefined;
  tf.tidy(() => {
    const values = new Values(known);
    for (const id of node.inputs) if (theirs.has(id)) values.tensors.set(id, theirs.get(id)!);
    check = checkCall(
      run,
      node,
      behind,
      values,
      outputs.map((id) => theirs.get(id)!),
    );
    for (const id of outputs) {
      const mask = values.masks.get(id);
      if (mask) known.masks.set(id, tf.keep(mask.clone()));
    }
  });
  return check!;
}
