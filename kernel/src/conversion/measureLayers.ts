import * as tf from "@tensorflow/tfjs-node";
import type { ExampleSource } from "../datasets/examples";
import { Progress } from "../host/progress";
import { yieldToEvents } from "../host/signal";
import { freshLayer } from "../layers/assemble";
import type { LayerOf, NetworkGraph } from "../layers/graph";
import { addScores, noScore, type Score } from "../tasks/score";
import type { Task } from "../tasks/task";
import { ActivationStream, firstOf, shareToTheEnd } from "./activations";
import type { Student } from "./methods/method";
import { type ConversionState, placedCalibration } from "./state";
import { type LayerWeights, setWeights } from "./storedArray";
import type { Target } from "./targets";
import { replaced, restored, type Surroundings } from "./transitions";

/** The task's metric of two networks: one in which a layer alone is replaced, and one in which it alone is not. */
export interface LayerEffect {
  onlyThis: number;
  allButThis: number;
}

export interface LayerEffects {
  /** By layer, in network order. */
  effects: Map<string, LayerEffect>;
  /** Examples that each metric is of. */
  examples: number;
}

export interface EffectMeasurement {
  graph: NetworkGraph;
  /** The layers in question: those that are replaced in {@link whole}. */
  targets: readonly Target[];
  /** The state in which all of them are replaced, and its network. */
  whole: ConversionState;
  converted: Student;
  surroundings: Surroundings;
  task: Task;
  data: ExampleSource;
  signal: AbortSignal;
}

/** Which network of the stream is which. */
const [dense, converted] = [0, 1];

/** The state of the dense network with one layer replaced as it is in another. */
function alone(whole: ConversionState, name: string, around: Surroundings): ConversionState {
  const layers = Object.fromEntries(
    Object.entries(whole.layers).map(([layer, entry]) => [layer, { ...entry, replacedBy: null }]),
  );
  return replaced(
    { ...whole, layers, weights: {}, tuned: false },
    name,
    whole.layers[name].replacedBy!,
    around,
  );
}

/** A built layer of the dense one's kind with other weights. */
function layerWith(graph: NetworkGraph, name: string, weights: LayerWeights): tf.layers.Layer {
  const layer = freshLayer(graph.layer(name), name);
  layer.apply(graph.callsOf(name)[0].inputShapes.map((batchShape) => tf.input({ batchShape })));
  setWeights(layer, weights);
  return layer;
}

/** The layers of a state's network, of those that there are already; a batch norm of other statistics is made. */
function layersOf(
  state: ConversionState,
  { graph, whole, converted: student }: EffectMeasurement,
  made: Map<LayerWeights, tf.layers.Layer>,
): LayerOf {
  return (node) => {
    const { name } = node;
    if (name in state.layers && placedCalibration(state, name)) return student.layerOf(node);
    const weights = state.weights[name];
    if (!weights) return node.layer;
    if (weights === whole.weights[name]) return student.layerOf(node);
    const known = made.get(weights) ?? layerWith(graph, name, weights);
    made.set(weights, known);
    return known;
  };
}

/**
 * The metric of the network with each layer alone replaced, and with each alone dense. Both networks' activations are
 * computed once up to each layer and go on from there; where a network has more than some eight layers, a part of the
 * examples does, the same for every layer, so that the time grows with the network's depth and no more.
 */
export async function measureLayers(measurement: EffectMeasurement): Promise<LayerEffects> {
  const { graph, targets, whole, surroundings, task, data, signal } = measurement;
  const made = new Map<LayerWeights, tf.layers.Layer>();
  const layers = targets.map((target) => ({
    name: target.name,
    node: target.calls[0].node,
    only: layersOf(alone(whole, target.name, surroundings), measurement, made),
    allBut: layersOf(restored(whole, target.name, surroundings), measurement, made),
    onlyScore: noScore,
    allButScore: noScore,
  }));
  const share = shareToTheEnd(
    graph,
    layers.map(({ node }) => graph.nodes.indexOf(node)),
  );
  const progress = new Progress("measure layers", data.size * layers.length, "example layers");
  const stream = new ActivationStream(graph, [(node) => node.layer, measurement.converted.layerOf], data, {
    signal,
  });
  let examples = 0;
  let seen = 0;
  try {
    for (;;) {
      await stream.fill();
      if (stream.size === 0) break;
      let done = 0;
      for (const node of graph.nodes) {
        const layer = layers.find((one) => one.node === node);
        for (const [b, { size, targets: wanted, mask }] of layer ? stream.batches.entries() : []) {
          const count = Math.ceil(share * size);
          const scoreOf = (layerOf: LayerOf, network: number): Score => {
            let score = noScore;
            tf.tidy(() => {
              const outputs = stream.finish(layerOf, network, b, count);
              score = task.score(outputs, firstOf(wanted, count), mask && firstOf(mask, count));
            });
            return score;
          };
          layer!.onlyScore = addScores(layer!.onlyScore, scoreOf(layer!.only, dense));
          await yieldToEvents(signal);
          layer!.allButScore = addScores(layer!.allButScore, scoreOf(layer!.allBut, converted));
          await yieldToEvents(signal);
        }
        if (layer) progress.update(seen * layers.length + stream.size * ++done, { layer: layer.name });
        await stream.advance();
      }
      seen += stream.size;
      examples += stream.batches.reduce((sum, { size }) => sum + Math.ceil(share * size), 0);
      stream.restart();
    }
  } finally {
    await stream.dispose();
    for (const layer of made.values()) layer.dispose();
  }
  progress.finish();
  const effects = new Map(
    layers.map(({ name, onlyScore, allButScore }) => [
      name,
      { onlyThis: task.metricOf(onlyScore), allButThis: task.metricOf(allButScore) },
    ]),
  );
  return { effects, examples };
}
