import * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../compute/valuesOf";
import { applyNode, type GraphNode, type GraphRun, type Values } from "../layers/graph";

/** Stands for whoever reads the network's output. */
const endOfNetwork: GraphNode | null = null;

/**
 * All batches of a data set on their way through a network, one node at a time, so that a layer can be fitted on what
 * the layers before it really give. Holds the activations that later nodes still read and no others.
 */
export class ActivationStream {
  private readonly values: Values[];
  private readonly lastReader = new Map<number, GraphNode | null>();

  /** @param batches owned by the stream from now on */
  constructor(
    readonly run: GraphRun,
    batches: tf.Tensor[],
  ) {
    this.values = batches.map((batch) => run.start(batch));
    for (const node of run.nodes) for (const id of node.inputs) this.lastReader.set(id, node);
    this.lastReader.set(run.outputId, endOfNetwork);
  }

  /** The first input of a node, per batch. */
  inputs(node: GraphNode): tf.Tensor[] {
    return this.values.map((values) => this.run.inputsOf(node, values)[0]);
  }

  /** The first output of a node that has just been computed and is read later, per batch. */
  outputs(node: GraphNode): tf.Tensor[] {
    return this.values.map((values) => values.get(node.outputs[0])!);
  }

  /** The network's output per batch, when the nodes from the `from`-th on are those of another network; the caller disposes. */
  finishWith(other: GraphRun, from: number): tf.Tensor[] {
    return this.values.map((values) => tf.tidy(() => this.run.finishWith(other, values, from).clone()));
  }

  /** Sends every batch through a node. */
  advance(node: GraphNode): void {
    for (const values of this.values) {
      const inputs = this.run.inputsOf(node, values);
      const outputs = tf.tidy(() =>
        applyNode(node, inputs).map((output) => (inputs.includes(output) ? output.clone() : output)),
      );
      node.outputs.forEach((id, i) => {
        if (this.lastReader.has(id)) values.set(id, outputs[i]);
        else outputs[i].dispose();
      });
      for (const id of new Set(node.inputs))
        if (this.lastReader.get(id) === node) {
          values.get(id)?.dispose();
          values.delete(id);
        }
    }
  }

  dispose(): void {
    for (const values of this.values) {
      tf.dispose([...values.values()]);
      values.clear();
    }
  }
}

/** Chosen rows of what a function makes of each batch: `indices` rising, over the rows of all batches in order. */
export function gatherRows(
  batches: tf.Tensor[],
  rows: (batch: tf.Tensor) => tf.Tensor2D,
  rowsPerInput: number,
  indices: Uint32Array,
): Float32Array {
  const parts: Float32Array[] = [];
  let first = 0;
  let at = 0;
  for (const batch of batches) {
    const count = batch.shape[0] * rowsPerInput;
    const from = at;
    while (at < indices.length && indices[at] < first + count) at++;
    if (at > from) {
      const wanted = Int32Array.from(indices.subarray(from, at), (index) => index - first);
      parts.push(valuesOf(() => tf.gather(rows(batch), tf.tensor1d(wanted, "int32"))));
    }
    first += count;
  }
  return concatenate(parts);
}

/** Arrays one after the other. */
export function concatenate(parts: Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
