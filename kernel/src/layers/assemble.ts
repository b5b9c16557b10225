import * as tf from "@tensorflow/tfjs-node";
import { fastBatchNorm } from "./fastBatchNorm";
import { fastAs } from "./fastLayerNorm";
import type { GraphNode, NetworkGraph } from "./graph";
import { kindOf } from "./kinds/index";

/** Settings that the getConfig of TensorFlow.js leaves out. */
export const lostSettings = (layer: tf.layers.Layer): tf.serialization.ConfigDict =>
  Object.fromEntries(
    (kindOf(layer)?.lostSettings ?? []).map((name) => [name, Reflect.get(layer, name) as number]),
  );

/** A layer of the same class and settings under a name, with weights of its own once it is applied. */
export function freshLayer(layer: tf.layers.Layer, name: string): tf.layers.Layer {
  const kind = layer.constructor as tf.serialization.SerializableConstructor<tf.layers.Layer>;
  const made = kind.fromConfig(kind, { ...layer.getConfig(), ...lostSettings(layer), name });
  return fastAs(fastBatchNorm(made), layer);
}

/**
 * A new functional network with the same inputs, outputs and calls as a network, each layer as `place` gives it: called
 * once for each name, and then applied as often as the network applies it. Nested networks are laid open. Weights are
 * those that the layers given bring or make; the caller sets them.
 * @param shapes of the inputs, batch first; the network's own when left out
 */
export function assembleNetwork(
  graph: NetworkGraph,
  place: (name: string, layer: tf.layers.Layer) => tf.layers.Layer,
  shapes: readonly tf.Shape[] = graph.inputs.map(({ shape }) => shape),
): tf.LayersModel {
  const layers = new Map([...graph.layers].map(([name, layer]) => [name, place(name, layer)]));
  const values = new Map<string, tf.SymbolicTensor>();
  const inputs = graph.inputs.map(({ id, name, dtype }, i) => {
    const input = tf.input({ batchShape: shapes[i], dtype: dtype as "float32", name });
    values.set(id, input);
    return input;
  });
  const call = (node: GraphNode) => {
    const given = node.inputs.map((id) => values.get(id)!);
    const made = layers.get(node.name)!.apply(given.length === 1 ? given[0] : given, { ...node.callArgs });
    return (Array.isArray(made) ? made : [made]) as tf.SymbolicTensor[];
  };
  for (const node of graph.nodes) {
    const made = call(node);
    node.outputs.forEach((id, i) => {
      values.set(id, made[i]);
    });
  }
  const outputs = graph.outputs.map(({ id }) => values.get(id)!);
  return tf.model({ inputs, outputs, name: graph.name });
}
