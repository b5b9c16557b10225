import type * as tf from "@tensorflow/tfjs-node";
import type { ExampleSource } from "../../datasets/examples";
import type { LayerOf, NetworkGraph } from "../../layers/graph";
import type { Profile } from "../profile";
import type { SharedCodebook } from "../sharedCodebooks";
import type { Calibration } from "../state";
import type { NamedArrays } from "../storedArray";
import type { Target } from "../targets";

/** A calibration to be made. */
export interface CalibrationRun {
  graph: NetworkGraph;
  /** Layers of the reference: what the targets' layers there give is wanted. */
  reference: LayerOf;
  /** Layers to be learnt; their operators are the reference's. */
  targets: Target[];
  data: ExampleSource;
  seed: number;
  profile: Profile;
  signal: AbortSignal;
  /** Of layers that share codebooks, those that are there already, by {@link Target.codebook}; methods may add to it. */
  codebooks: Map<string, SharedCodebook>;
  /**
   * A network with every target replaced by this method, its arrays still to be set, and everything else as it will be
   * then; the caller disposes.
   */
  convertedNetwork(): Student;
}

/** A network made for a conversion: a functional model, and its layers by their names in the graph. */
export interface Student {
  model: tf.LayersModel;
  layers: ReadonlyMap<string, tf.layers.Layer>;
  layerOf: LayerOf;
}

/** One way to learn and to compute a layer by lookups; a new one is a file here and a line in the list. */
export interface Method {
  /** As charts and errors say it. */
  readonly title: string;
  /** Whether a layer by this method can be trained and written to a file. */
  readonly trainable: boolean;
  /** Learns the targets' layers, each with the inputs that it really sees. */
  calibrate(run: CalibrationRun): Promise<Map<string, Calibration>>;
  /** The layer that takes a dense layer's place; it is applied, and so built, before {@link fill}. */
  layerFor(target: Target, profile: Profile): tf.layers.Layer;
  /** Gives a built layer its arrays. */
  fill(layer: tf.layers.Layer, arrays: NamedArrays): void;
  /** What training has made of the arrays of a layer. */
  read(layer: tf.layers.Layer): NamedArrays;
}
