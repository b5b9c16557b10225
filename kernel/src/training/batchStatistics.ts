import * as tf from "@tensorflow/tfjs-node";
import { type GraphNode, GraphRun, type NetworkGraph } from "../layers/graph";

/** Mean and variance (channels) that a call of a batch norm saw in a batch, over so many numbers a channel. */
export interface BatchMoments {
  node: GraphNode;
  mean: Float32Array;
  /** Divided by `count`. */
  variance: Float32Array;
  count: number;
}

export const isBatchNorm = (layer: tf.layers.Layer): boolean => layer.getClassName() === "BatchNormalization";

/** The moving mean and variance of a batch norm, as variables (channels). */
export function movingStatistics(
  layer: tf.layers.Layer,
): [mean: tf.layers.Layer["weights"][0], variance: tf.layers.Layer["weights"][0]] {
  const [mean, variance] = layer.weights.slice(-2);
  return [mean, variance];
}

/**
 * A network's outputs on a batch with every batch norm using the batch's own statistics, as in training, and all other
 * layers as in inference; and those statistics. Nothing in the network changes.
 */
export function withBatchStatistics(
  graph: NetworkGraph,
  feeds: tf.Tensor[],
): { outputs: tf.Tensor[]; moments: BatchMoments[] } {
  const moments: BatchMoments[] = [];
  const outputs = tf.tidy(() => {
    const run = new GraphRun(graph);
    const values = run.start(feeds);
    for (const node of graph.nodes) {
      if (!isBatchNorm(node.layer)) {
        run.step(node, values);
        continue;
      }
      const [x] = values.inputsOf(node);
      const { y, ...seen } = normalized(node.layer, x);
      moments.push({ node, ...seen });
      values.tensors.set(node.outputs[0], y);
    }
    return run.outputsOf(values);
  });
  return { outputs, moments };
}

/** (x − mean) / √(variance + ε) · γ + β over all axes but the layer's. */
function normalized(layer: tf.layers.Layer, x: tf.Tensor) {
  const { axis, epsilon, scale, center } = layer.getConfig() as Record<string, number | boolean>;
  const along = Number(axis) < 0 ? x.rank + Number(axis) : Number(axis);
  const others = x.shape.map((_, at) => at).filter((at) => at !== along);
  const { mean, variance } = tf.moments(x, others, true);
  const [first, second] = layer.weights;
  const spread = (weight: tf.layers.Layer["weights"][0]) => tf.reshape(weight.read(), mean.shape);
  let y = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, Number(epsilon))));
  if (scale) y = tf.mul(y, spread(first));
  if (center) y = tf.add(y, spread(scale ? second : first));
  return {
    y,
    mean: mean.dataSync() as Float32Array,
    variance: variance.dataSync() as Float32Array,
    count: x.size / x.shape[along],
  };
}
