import * as tf from "@tensorflow/tfjs-node";
import type { Batch, ExampleSource } from "../datasets/examples";
import { feedsOf } from "../datasets/feeds";
import { yieldToEvents } from "../host/signal";
import { type GraphNode, GraphRun, type LayerOf, type NetworkGraph, Values } from "../layers/graph";
import type { ReceivedBatch } from "./rows";

/**
 * Bytes of activations that a stream holds at once, over all its networks. TensorFlow keeps what was once allocated, with
 * gaps between, so a process grows by two to three times as much.
 */
export const ACTIVATION_BYTES = 2 ** 28;
const largestBatch = 64;
/** Batches that a stream begins with at least: what a call needs beside its input and output is as large as a batch. */
const leastBatches = 4;

/** What is kept of a batch on its way: its inputs go as soon as no call reads them any more. */
export type Passenger = Omit<Batch, "inputs">;

/** One batch on its way: the values of each network so far. */
interface Travelling {
  batch: Passenger;
  values: Values[];
}

export interface StreamOptions {
  /** Shuffles the examples; in order without. */
  seed?: number;
  /** Default {@link ACTIVATION_BYTES}. */
  maximumBytes?: number;
  signal: AbortSignal;
}

/**
 * Bytes of float32 values that one example holds while each call is computed: what it reads, what it makes, and what
 * later calls still read.
 */
function liveBytes(graph: NetworkGraph): number[] {
  const bytes = new Map<string, number>();
  const note = (id: string, shape: tf.Shape) =>
    bytes.set(
      id,
      shape.slice(1).reduce<number>((all, length) => all * (length ?? 1), 4),
    );
  for (const { id, shape } of graph.inputs) note(id, shape);
  const last = new Map<string, number>(graph.outputs.map(({ id }) => [id, graph.nodes.length]));
  graph.nodes.forEach((node, i) => {
    node.outputs.forEach((id, j) => {
      note(id, node.outputShapes[j]);
    });
    for (const id of node.inputs) last.set(id, Math.max(i, last.get(id) ?? 0));
  });
  const live = new Set(graph.inputs.map(({ id }) => id));
  return graph.nodes.map((node, i) => {
    for (const id of node.outputs) live.add(id);
    const held = [...live].reduce((sum, id) => sum + bytes.get(id)!, 0);
    for (const id of live) if ((last.get(id) ?? -1) <= i) live.delete(id);
    return held;
  });
}

/** The first examples of a tensor with the batch axis first; itself where it has no more. */
export const firstOf = <T extends tf.Tensor>(tensor: T, examples: number): T =>
  tensor.shape[0] <= examples ? tensor : tf.slice(tensor, 0, examples);

/** How often all examples may pass through a whole network for what is measured at its end, at every layer anew. */
const passesToTheEnd = 4;

/**
 * Share of the examples that go on to the network's end from each of some calls, so that together they pass through the
 * network {@link passesToTheEnd} times at most: else the time would grow with the square of the depth.
 */
export function shareToTheEnd(graph: NetworkGraph, from: readonly number[]): number {
  const calls = graph.nodes.length;
  const passes = from.reduce((sum, index) => sum + (calls - index - 1) / calls, 0);
  return Math.min(1, passesToTheEnd / passes);
}

/**
 * Examples on their way through one network or several that share a graph, one call at a time, so that a layer can be
 * fitted on, or measured by, what the layers before it really give. It holds the activations that later calls still read
 * and no others, within a bound: it begins with as many batches as fit at the widest place so far and takes more on as
 * the activations shrink (those catch up with the rest, so that every example passes every call once). Memory is a
 * constant in the number of examples and in their size.
 */
export class ActivationStream {
  private readonly runs: GraphRun[];
  private travelling: Travelling[] = [];
  private readonly lastReader = new Map<string, number>();
  private done = 0;
  private examples = 0;
  private readonly source: AsyncIterator<Batch>;
  private exhausted = false;
  private readonly batchSize: number;
  /** Examples that fit from each call on to the end. */
  private readonly capacity: number[];

  /** @param layers of each network, on the graph */
  constructor(
    readonly graph: NetworkGraph,
    layers: readonly LayerOf[],
    data: ExampleSource,
    private readonly options: StreamOptions,
  ) {
    this.runs = layers.map((layerOf) => new GraphRun(graph, layerOf));
    const { maximumBytes = ACTIVATION_BYTES } = options;
    const perExample = liveBytes(graph).map((bytes) => bytes * layers.length);
    this.capacity = perExample.map((_, i) =>
      Math.max(1, Math.floor(maximumBytes / Math.max(...perExample.slice(i)))),
    );
    this.batchSize = Math.max(1, Math.min(largestBatch, Math.floor(this.capacity[0] / leastBatches)));
    this.source = data.batches(this.batchSize, options)[Symbol.asyncIterator]();
    graph.nodes.forEach((node, i) => {
      for (const id of node.inputs) this.lastReader.set(id, i);
    });
    for (const { id } of graph.outputs) this.lastReader.set(id, graph.nodes.length);
  }

  get networks(): number {
    return this.runs.length;
  }

  /** Examples that are on their way. */
  get size(): number {
    return this.examples;
  }

  get batches(): readonly Passenger[] {
    return this.travelling.map(({ batch }) => batch);
  }

  /** What a call receives as an input, per batch, in one of the networks. */
  inputs(node: GraphNode, network = 0, input = 0): tf.Tensor[] {
    return this.travelling.map(({ values }) => values[network].get(node.inputs[input]));
  }

  /** The same with size and mask of each batch. */
  received(node: GraphNode, network = 0, input = 0): ReceivedBatch[] {
    const inputs = this.inputs(node, network, input);
    return this.travelling.map(({ batch: { size, mask } }, b) => ({ size, mask, x: inputs[b] }));
  }

  /** What a call has just given as its first output, if it is read later, per batch. */
  outputs(node: GraphNode, network = 0): tf.Tensor[] {
    return this.travelling.map(({ values }) => values[network].get(node.outputs[0]));
  }

  /** What each network gives in the end, once all calls are computed; per batch, in the order of its outputs. */
  results(network = 0): tf.Tensor[][] {
    return this.travelling.map(({ values }) => this.runs[network].outputsOf(values[network]));
  }

  /**
   * What the first examples of one batch of a network give when the calls from here on are computed by these layers; the
   * caller disposes.
   */
  finish(layerOf: LayerOf, network: number, batch: number, examples: number): tf.Tensor[] {
    const rest = this.graph.nodes.slice(this.done);
    return tf.tidy(() => {
      const { values } = this.travelling[batch];
      const some = new Values(values[network]);
      for (const kept of [some.tensors, some.masks])
        for (const [id, tensor] of kept) kept.set(id, firstOf(tensor, examples));
      return new GraphRun(this.graph, layerOf).finish(some, rest).map((tensor) => tensor.clone());
    });
  }

  /** Takes on as many more batches as fit by now; they catch up with the others. At least one is on its way afterwards. */
  async fill(): Promise<void> {
    const { signal } = this.options;
    const capacity = this.capacity[this.done] ?? 0;
    while (!this.exhausted && (this.examples === 0 || this.examples + this.batchSize <= capacity)) {
      signal.throwIfAborted();
      const { value, done } = await this.source.next();
      if (done) {
        this.exhausted = true;
        return;
      }
      const { inputs, ...batch } = value;
      const feeds = feedsOf(this.graph.inputs, value);
      const values = this.runs.map((run) => run.start(feeds.map((tensor) => tensor.clone())));
      tf.dispose(Object.values(inputs));
      const added = { batch, values };
      this.travelling.push(added);
      this.examples += batch.size;
      for (let i = 0; i < this.done; i++) {
        this.step(added, i);
        await yieldToEvents(signal);
      }
    }
  }

  /** Drops the batches that are on their way; {@link fill} then begins with the next ones. */
  restart(): void {
    for (const one of this.travelling) this.release(one);
    this.travelling = [];
    this.examples = 0;
    this.done = 0;
  }

  private release({ batch, values }: Travelling): void {
    for (const one of values) tf.dispose([[...one.tensors.values()], [...one.masks.values()]]);
    tf.dispose([batch.targets, batch.mask ?? []]);
  }

  /** Sends every batch through the next call. Once it is aborted the stream is good for {@link dispose} alone. */
  async advance(): Promise<void> {
    for (const one of this.travelling) {
      this.step(one, this.done);
      await yieldToEvents(this.options.signal);
    }
    this.done++;
  }

  private step({ values }: Travelling, index: number): void {
    const node = this.graph.nodes[index];
    for (const [network, own] of values.entries()) {
      tf.tidy(() => {
        const scratch = new Values(own);
        this.runs[network].step(node, scratch);
        for (const id of node.outputs.filter((one) => this.lastReader.has(one))) {
          own.tensors.set(id, tf.keep(scratch.get(id).clone()));
          const mask = scratch.masks.get(id);
          if (mask) own.masks.set(id, tf.keep(mask.clone()));
        }
      });
      for (const id of new Set(node.inputs))
        if (this.lastReader.get(id) === index) {
          tf.dispose([own.tensors.get(id) ?? [], own.masks.get(id) ?? []]);
          own.tensors.delete(id);
          own.masks.delete(id);
        }
    }
  }

  async dispose(): Promise<void> {
    for (const one of this.travelling) this.release(one);
    this.travelling = [];
    await this.source.return?.();
  }
}
