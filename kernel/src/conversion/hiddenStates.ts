import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { GraphRun, type NetworkGraph } from "../layers/graph";
import type { Student } from "./methods/method";

/** Values inside a network that training shall keep near the dense network's. */
export interface HiddenStates {
  /** Names of layers, whose outputs count: the last of each block, such as a transformer's `encoder2/norm`. */
  layers: readonly string[];
  /** Of their mean error in the loss. Default 1. */
  weight?: number;
}

/** What no variance divides by zero. */
const leastVariance = 1e-12;

/**
 * Hidden states of a network in training beside those of the dense one. The loss of a value is ‖student − dense‖² over
 * ‖dense − its mean over the batch‖²: 1 is what always giving the mean would reach. Padded positions do not count.
 */
export class HiddenStateLoss {
  /** The student with the hidden values behind its own outputs. It shares all layers and owns nothing. */
  private readonly model: tf.LayersModel;
  private readonly ids: readonly string[];
  private readonly weight: number;

  /** Throws LutnnError where a layer is not there, none is named, or the weight is no positive number. */
  constructor(
    private readonly graph: NetworkGraph,
    { model, layers }: Student,
    { layers: names, weight = 1 }: HiddenStates,
  ) {
    if (names.length === 0)
      throw new LutnnError(
        "fineTune: hiddenStates.layers must name at least one layer (got none); leave hiddenStates out to compare outputs alone",
      );
    if (!(weight > 0 && Number.isFinite(weight)))
      throw new LutnnError(`fineTune: hiddenStates.weight must be a number above 0 (got ${weight})`);
    for (const name of names) graph.layer(name);
    this.weight = weight;
    this.ids = names.flatMap((name) => graph.callsOf(name)).flatMap(({ outputs }) => outputs);
    const hidden = names.flatMap((name) =>
      layers.get(name)!.inboundNodes.flatMap(({ outputTensors }) => outputTensors),
    );
    this.model = tf.model({ inputs: model.inputs, outputs: [...model.outputs, ...hidden], name: model.name });
  }

  /** The student's outputs and hidden values in training mode. */
  forward(feeds: tf.Tensor[]): tf.Tensor[] {
    return this.model.apply(feeds, { training: true }) as tf.Tensor[];
  }

  /** The same of the dense network. */
  teach(feeds: tf.Tensor[]): tf.Tensor[] {
    const run = new GraphRun(this.graph);
    const values = run.start(feeds);
    for (const node of this.graph.nodes) run.step(node, values);
    return [...run.outputsOf(values), ...this.ids.map((id) => values.get(id))];
  }

  /** Mean loss over the hidden values; both lists as {@link forward} and {@link teach} give them. */
  loss(student: tf.Tensor[], dense: tf.Tensor[], mask?: tf.Tensor2D): tf.Scalar {
    const first = this.graph.outputs.length;
    const errors = this.ids.map((_, i) => relativeError(student[first + i], dense[first + i], mask));
    return tf.mul(tf.addN(errors), this.weight / errors.length);
  }
}

/** ‖x − wanted‖² over wanted's variance (each feature by itself), both (N, …, features); mask (N, positions). */
function relativeError(x: tf.Tensor, wanted: tf.Tensor, mask?: tf.Tensor2D): tf.Scalar {
  const isSequence = mask !== undefined && x.rank === 3 && x.shape[1] === mask.shape[1];
  const all = tf.ones(x.shape); // of x itself they would have a gradient
  const share = isSequence ? tf.mul(all, tf.expandDims(tf.cast(mask, "float32"), 2)) : all;
  const axes = x.shape.slice(0, -1).map((_, axis) => axis);
  const mean = tf.div(tf.sum(tf.mul(wanted, share), axes, true), tf.maximum(tf.sum(share, axes, true), 1));
  const sumOf = (differences: tf.Tensor) => tf.sum(tf.mul(tf.square(differences), share)) as tf.Scalar;
  const variance = tf.maximum(sumOf(tf.sub(wanted, mean)), leastVariance);
  return tf.div(sumOf(tf.sub(x, wanted)), variance);
}
