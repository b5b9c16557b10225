import * as tf from "@tensorflow/tfjs-node";
import type { Head } from "../tasks/head";
import { type GraphNode, GraphRun, type NetworkGraph } from "./graph";
import { kindOf } from "./kinds/index";

/** How a value came about: its last nonlinearity. */
interface Origin {
  nonlinearity: Head["nonlinearity"];
  activation: string;
  layer: string;
  /**
   * For a softmax, which of its results each number is: slice · length + place in the slice, in the value's own shape
   * with a batch of 1 and 2 for open lengths.
   */
  places?: { of: tf.Tensor; length: number };
}

/**
 * How an output of a network ends, found by edges: back through layers that rearrange or average, nested networks and
 * identities, to the layer that sets the last nonlinearity. A softmax counts as such where it is over the output's last
 * axis, wherever it stood in the layer that computes it.
 */
export function findHead(graph: NetworkGraph, output = 0): Head {
  const { id, shape } = graph.outputs[output];
  const lengths = shape.slice(1);
  const units = lengths.length === 0 ? 1 : lengths[lengths.length - 1];
  const positions = lengths
    .slice(0, -1)
    .reduce<number | null>((product, length) => (product && length ? product * length : null), 1);
  let head: Head = { nonlinearity: "none", activation: "linear", layer: "input", units, positions };
  tf.tidy(() => {
    const { nonlinearity, activation, layer, places } = new Finder(graph).originOf(id);
    const isElsewhere = places !== undefined && !isOverLastAxis(places);
    head = isElsewhere
      ? { ...head, layer, nonlinearity: "other", activation: `${activation} over another axis than the last` }
      : { ...head, layer, nonlinearity, activation };
  });
  return head;
}

class Finder {
  private readonly run: GraphRun;

  constructor(private readonly graph: NetworkGraph) {
    this.run = new GraphRun(graph);
  }

  originOf(id: string): Origin {
    const node = this.graph.makerOf(id);
    if (!node) return { nonlinearity: "none", activation: "linear", layer: "input" };
    const { layer, name, inputs } = node;
    const kind = layer.getClassName();
    const end = kindOf(layer)?.end;
    const activation = activationOf(layer);
    const isIdentity = kind === "Activation" && activation === "linear";
    if (end === "rearranges" || isIdentity) {
      const origin = this.originOf(inputs[0]);
      const { places } = origin;
      if (!places || isIdentity) return origin;
      const [of] = this.run.apply({ ...node, callArgs: { training: false } }, [places.of]);
      return { ...origin, places: { ...places, of } };
    }
    const linear: Origin = { nonlinearity: "none", activation: "linear", layer: name };
    if (activation === "softmax") {
      const axis = Number(layer.getConfig().axis ?? -1);
      return { nonlinearity: "softmax", activation, layer: name, places: placesOf(node, axis) };
    }
    if (activation === "sigmoid") return { nonlinearity: "sigmoid", activation, layer: name };
    // The softmax of what a log-softmax gives is the softmax itself: its results are logits like others.
    if (activation !== "linear" && activation !== "logSoftmax")
      return { nonlinearity: "other", activation, layer: name };
    if (layer.weights.length > 0) return linear;
    const values = inputs.filter((_, i) => i !== kindOf(layer)?.maskArgument);
    const origins = values.map((input) => this.originOf(input));
    const [first] = origins;
    const ended = (origin: Origin) => origin.nonlinearity === "softmax" || origin.nonlinearity === "sigmoid";
    if (!origins.every(ended)) return linear;
    const alike = origins.every(({ nonlinearity }) => nonlinearity === first.nonlinearity);
    const isMean = end === "averages" && layer.getConfig().dataFormat !== "channelsFirst";
    if (isMean && alike && origins.every(({ places }) => !places || isOverLastAxis(places)))
      return first.places ? { ...first, places: placesOf(node, -1) } : first;
    return { nonlinearity: "other", activation: `${first.activation} through ${kind}`, layer: name };
  }
}

/** The name of a layer's activation as tf.js has it; "linear" for none. */
export function activationOf(layer: tf.layers.Layer): string {
  const end = kindOf(layer)?.end;
  if (typeof end === "object") return end.activation;
  const config = layer.getConfig();
  const wrapped = config.layer as { config?: tf.serialization.ConfigDict } | undefined; // TimeDistributed and the like
  return String(config.activation ?? wrapped?.config?.activation ?? "linear");
}

/** The places of a softmax' results in the value that a call makes. */
function placesOf(node: GraphNode, axis: number): { of: tf.Tensor; length: number } {
  const shape = node.outputShapes[0].map((length, at) => length ?? (at === 0 ? 1 : 2));
  const along = axis < 0 ? shape.length + axis : axis;
  const length = shape[along];
  const rest = shape.filter((_, at) => at !== along);
  const slices = tf
    .range(
      0,
      rest.reduce((product, n) => product * n, 1),
    )
    .reshape([...rest, 1]);
  const of = tf.add(tf.mul(slices, length), tf.range(0, length)); // (rest …, length)
  const order = shape.map((_, at) => (at === along ? rest.length : at < along ? at : at - 1));
  return { of: tf.transpose(of, order), length };
}

/** Whether every row of the last axis is a whole slice of the softmax, in any order. */
function isOverLastAxis({ of, length }: { of: tf.Tensor; length: number }): boolean {
  if (of.shape[of.rank - 1] !== length) return false;
  const places = of.dataSync();
  for (let from = 0; from < places.length; from += length) {
    const row = places.subarray(from, from + length);
    const slice = Math.floor(row[0] / length);
    if (new Set(row).size !== length || row.some((place) => Math.floor(place / length) !== slice))
      return false;
  }
  return true;
}
