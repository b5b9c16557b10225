import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { assembleNetwork, freshLayer } from "../layers/assemble";
import type { NetworkGraph } from "../layers/graph";
import { LookupLayer } from "../layers/lookupLayer";
import { methods } from "./methods/index";
import type { Method, Student } from "./methods/method";
import type { Profile } from "./profile";
import { sharedCodebooks } from "./sharedCodebooks";
import { type ConversionState, placedCalibration } from "./state";
import { type LayerWeights, type NamedArrays, setWeights } from "./storedArray";
import type { Target } from "./targets";

/** What is known of one layer of a network to be made. */
interface Place {
  /** The content that the layer has or will have: equal, by identity, for a layer that can stay. */
  content: object | null;
  make(): tf.layers.Layer;
  /** Gives the built layer its content. */
  fill(layer: tf.layers.Layer): void;
}

/**
 * Makes networks from a dense one and a state. A layer whose content is the same as in the network made before is kept
 * as it is, so that going from one state to the next costs what has changed.
 */
export class StudentMaker {
  /** The layers of the newest network, with the content that they have. */
  private kept = new Map<string, { layer: tf.layers.Layer; content: object | null }>();
  private current: Student | null = null;

  constructor(
    private readonly graph: NetworkGraph,
    private readonly targetsIn: (state: ConversionState) => readonly Target[],
    private readonly profile: Profile,
  ) {}

  /** The network of a state; the one before is disposed. */
  make(state: ConversionState): Student {
    const places = this.places(state);
    const layers = new Map<string, tf.layers.Layer>();
    const fresh: string[] = [];
    const model = assembleNetwork(this.graph, (name) => {
      const place = places.get(name)!;
      const old = this.kept.get(name);
      const stays = old !== undefined && old.content === place.content;
      const layer = stays ? old.layer : place.make();
      if (stays) forgetCalls(layer);
      else fresh.push(name);
      layers.set(name, layer);
      return layer;
    });
    for (const name of fresh) places.get(name)!.fill(layers.get(name)!);
    this.shareCodebooks(state, layers, places);
    if (this.current) disposeStudent(this.graph, this.current);
    this.kept = new Map(
      [...layers].map(([name, layer]) => [name, { layer, content: places.get(name)!.content }]),
    );
    this.current = { model, layers, layerOf: (node) => layers.get(node.name)! };
    return this.current;
  }

  /** The newest network has been trained into this state: its layers hold what the state holds. */
  adopt(state: ConversionState): void {
    for (const [name, place] of this.places(state)) {
      const kept = this.kept.get(name);
      if (kept) kept.content = place.content;
    }
  }

  /** Nothing that was made before can be trusted to hold its content any more. */
  forget(): void {
    for (const kept of this.kept.values()) kept.content = {};
  }

  /** Disposes of the newest network. */
  clear(): void {
    if (this.current) disposeStudent(this.graph, this.current);
    this.current = null;
    this.kept.clear();
  }

  /** A network apart in which `names` are placed by a method, their arrays still to be set; the caller disposes. */
  withPlaced(names: readonly string[], method: Method, state: ConversionState): Student {
    const places = this.places(state);
    for (const target of this.targetsIn(state))
      if (names.includes(target.name))
        places.set(target.name, {
          content: null,
          make: () => method.layerFor(target, this.profile),
          fill: () => undefined,
        });
    return this.assembled(places);
  }

  /** The network of a state, apart from the one that is kept; the caller disposes. */
  apart(state: ConversionState): Student {
    const places = this.places(state);
    const student = this.assembled(places);
    this.shareCodebooks(state, student.layers, places);
    return student;
  }

  /** Lets layers use one another's quantisers as a state has it; one that no longer does gets back its own. */
  private shareCodebooks(
    state: ConversionState,
    layers: ReadonlyMap<string, tf.layers.Layer>,
    places: ReadonlyMap<string, Place>,
  ): void {
    const owners = sharedCodebooks(this.profile, state, this.targetsIn(state));
    for (const [name, layer] of layers) {
      if (!(layer instanceof LookupLayer)) continue;
      const owner = owners.has(name) ? (layers.get(owners.get(name)!) as LookupLayer) : null;
      const before = layer.codebookOwner;
      layer.shareCodebook(owner);
      if (before !== layer && !owner) places.get(name)!.fill(layer);
    }
  }

  private assembled(places: ReadonlyMap<string, Place>): Student {
    const layers = new Map<string, tf.layers.Layer>();
    const model = assembleNetwork(this.graph, (name) => {
      const layer = places.get(name)!.make();
      layers.set(name, layer);
      return layer;
    });
    for (const [name, layer] of layers) places.get(name)!.fill(layer);
    return { model, layers, layerOf: (node) => layers.get(node.name)! };
  }

  private places(state: ConversionState): Map<string, Place> {
    const targets = new Map(this.targetsIn(state).map((target) => [target.name, target]));
    return new Map(
      [...this.graph.layers].map(([name, layer]) => {
        const placed = name in state.layers ? placedCalibration(state, name) : null;
        const method = placed && methods[state.layers[name].replacedBy!];
        if (placed && method)
          return [name, this.placed(targets.get(name)!, method, placed.trained?.arrays ?? placed.arrays)];
        return [name, this.own(name, layer, state.weights[name])];
      }),
    );
  }

  private placed(target: Target, method: Method, arrays: NamedArrays): Place {
    return {
      content: arrays,
      make: () => method.layerFor(target, this.profile),
      fill: (layer) => {
        try {
          method.fill(layer, arrays);
        } catch (error) {
          if (error instanceof LutnnError) throw error;
          throw new LutnnError(
            `${target.name}: what was stored of ${method.title} must fit the layer (${(error as Error).message}); the stored conversion is damaged`,
            { cause: error },
          );
        }
      },
    };
  }

  private own(name: string, dense: tf.layers.Layer, weights: LayerWeights | undefined): Place {
    return {
      content: weights ?? null,
      make: () => freshLayer(dense, name),
      fill: (layer) => {
        if (weights) setWeights(layer, weights);
        else if (dense.weights.length > 0) layer.setWeights(dense.getWeights());
      },
    };
  }
}

/** Takes a layer out of the network before, so that it belongs to the next one alone. */
function forgetCalls(layer: tf.layers.Layer): void {
  layer.inboundNodes.length = 0;
  layer.outboundNodes.length = 0;
}

/** Disposes of a network; tf.js counts every call of a layer, and a model lets go of one alone. */
export function disposeStudent(graph: NetworkGraph, { model, layers }: Student): void {
  model.dispose();
  for (const [name, layer] of layers)
    for (let call = 1; call < graph.callsOf(name).length; call++) layer.dispose();
}
