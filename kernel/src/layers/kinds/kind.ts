import type * as tf from "@tensorflow/tfjs-node";
import type { GraphBuilder, GraphValue } from "../../onnx/graphBuilder";
import { imageOrder, plainOrder } from "../../onnx/layout";
import type { Cost } from "../../report/counting";
import type { GraphNode } from "../graph";
import type { LinearOperator } from "../linearOperator";
import type { LookupLayer } from "../lookupLayer";

/** What can be done with a kind of layer: one file beside this one each, found through the list in index.ts. */
export interface LayerKind {
  /** The class names of tf.js that it covers. */
  classNames: readonly string[];
  /**
   * The order of axes in which it takes its inputs: as they come (`any`), as tf.js has them (`plain`), or batch, channels,
   * then space, where `dataFormat` says which axis of tf.js holds the channels (`channelsFirst`).
   */
  layout: "any" | "plain" | "channelsFirst";
  /** Takes int32 as it comes; others get their integers converted to float32. */
  integers?: boolean;
  /**
   * What it means for the end of a network, where that is more than the layer's own setting `activation`: numbers are
   * handed on as they are, to other places or not at all (`rearranges`); outputs are means of inputs (`averages`); or it
   * is an activation function, by a name for people.
   */
  end?: "rearranges" | "averages" | { activation: string };
  /** Settings, fields of the layer, that the getConfig of TensorFlow.js leaves out. */
  lostSettings?: readonly string[];
  /** For a kind that computes something else where it is handed a mask: what to do instead. */
  readsMask?: string;
  /** Which of its arguments, from 0, says by 1 and 0 which positions are real; for kinds that have such a one. */
  maskArgument?: number;
  /** Whether a layer hands a mask on that was not there before it. */
  makesMask?(layer: tf.layers.Layer): boolean;
  /**
   * Adds the nodes of one call to the graph; returns its output.
   * @param norm for lookups and layers in INT8: the batch norm that is folded into them
   */
  write(graph: GraphBuilder, node: GraphNode, inputs: GraphValue[], norm?: GraphNode): GraphValue;
  /** What of a call's settings cannot be written: "<setting> must be … (got …)", to stand behind the layer's name; null when all can. */
  fault?(node: GraphNode): string | null;
  /**
   * What one call costs for one input by the paper's counting, for kinds that multiply but are not seen as `linear`;
   * activations, poolings, sums and batch norms are not counted.
   */
  cost?(node: GraphNode): Cost;
  /** The call seen as rows times a matrix; for layers that have a lookup twin. */
  linear?(node: GraphNode): LinearOperator;
  /** What of a layer's settings keeps it from being looked up, as `fault` says it; for layers that have a twin. */
  lookupFault?(layer: tf.layers.Layer): string | null;
  /** The layer that looks up instead, from the dense layer's config with `lookup`. */
  lookupTwin?: new (
    config: tf.serialization.ConfigDict,
  ) => LookupLayer;
}

/** The lengths of a call's output after the batch. Those of a network that can be exported are fixed. */
export const outputLengths = (node: GraphNode): number[] => node.outputShapes[0].slice(1) as number[];

/** The product of lengths. */
export const sizeOf = (lengths: readonly (number | null)[]): number =>
  lengths.reduce<number>((product, length) => product * (length ?? 1), 1);

/** The numbers that a call makes of one input. */
export const outputSize = (node: GraphNode): number => sizeOf(outputLengths(node));

/** Bytes of a call's float32 weights, biases left out. */
export const weightBytes = (node: GraphNode): number =>
  4 * node.layer.getWeights().reduce((sum, { rank, size }) => sum + (rank > 1 ? size : 0), 0);

/** The settings of a call's layer. */
export const settings = (node: GraphNode): tf.serialization.ConfigDict => node.layer.getConfig();

/** The order that a kind asks of an input of some rank, or null where any will do. */
export function wantedOrder(kind: LayerKind, node: GraphNode, rank: number): number[] | null {
  if (kind.layout === "any") return null;
  return kind.layout === "plain" ? plainOrder(rank) : imageOrder(rank, settings(node).dataFormat);
}

/** A call's output of that name with its axes as tf.js has them. */
export const plainOutput = (node: GraphNode, name: string): GraphValue => ({
  name,
  shape: outputLengths(node),
  order: plainOrder(node.outputShapes[0].length),
  type: "float32",
});

/** A call's output of that name, channels first. */
export const imageOutput = (node: GraphNode, name: string): GraphValue => ({
  ...plainOutput(node, name),
  order: imageOrder(node.outputShapes[0].length, settings(node).dataFormat),
});

/** The float32 values of a weight. */
export const floats = (weight: tf.Tensor): Float32Array => weight.dataSync() as Float32Array;
