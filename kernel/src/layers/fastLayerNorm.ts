import * as tf from "@tensorflow/tfjs-node";
import { oneTensor } from "./oneInput";

/** Layers that have the fast path already. */
const fast = new WeakSet<tf.layers.Layer>();

/** The same for a layer made after another: the fast path where that one has it, so that both give the same bits. */
export const fastAs = <L extends tf.layers.Layer>(layer: L, origin: tf.layers.Layer): L =>
  fast.has(origin) ? fastLayerNorm(layer) : layer;

/**
 * Gives a LayerNormalization layer over the last axis a pass without tiled moments, and a gradient written out; tf.js' own
 * takes as long as the dense layers around it, and has none without a scale. Class, config, weights and layers of other axes
 * stay tf.js' own. Other layers are left as they are.
 */
export function fastLayerNorm<L extends tf.layers.Layer>(layer: L): L {
  if (layer.getClassName() !== "LayerNormalization" || fast.has(layer)) return layer;
  fast.add(layer);
  const { epsilon, scale, center } = layer.getConfig();
  const stock = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => {
    const x = oneTensor(inputs);
    const axes = layer.getConfig().axis as number[];
    const isOverLast = axes.length === 1 && axes[0] === x.rank - 1;
    if (!isOverLast) return stock(inputs, kwargs);
    return tf.tidy(() => {
      const weights = layer.weights.map((weight) => weight.read());
      const gamma = scale === false ? tf.ones(x.shape.slice(-1)) : weights[0];
      const beta = center === false ? tf.zeros(x.shape.slice(-1)) : weights[weights.length - 1];
      return normalizeRows(x, gamma, beta, epsilon as number);
    });
  };
  return layer;
}

/**
 * (x − mean) / √(variance + ε) · γ + β with the moments of each row: x float32 (…, D), γ and β (D). Differentiable in
 * all three: with x̂ the normalised rows and g = dy·γ, dx = (g − mean(g) − x̂·mean(g·x̂)) / √(variance + ε).
 */
function normalizeRows(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor {
  const length = x.shape[x.rank - 1];
  const normalize = tf.customGrad((...args) => {
    const [rows, scale, shift] = args as tf.Tensor[];
    const save = args[3] as tf.GradSaveFunc;
    const centred = tf.sub(rows, tf.mean(rows, 1, true));
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), epsilon)); // (N, 1)
    const normal = tf.mul(centred, inverse);
    save([normal, inverse, scale]);
    return {
      value: tf.add(tf.mul(normal, scale), shift),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [hat, factor, by] = saved;
        const g = tf.mul(dy, by);
        const along = tf.mul(hat, tf.mean(tf.mul(g, hat), 1, true));
        const dx = tf.mul(tf.sub(tf.sub(g, tf.mean(g, 1, true)), along), factor);
        return [dx, tf.sum(tf.mul(dy, hat), 0), tf.sum(dy, 0)];
      },
    };
  });
  return tf.reshape(normalize(tf.reshape(x, [-1, length]), gamma, beta), x.shape);
}
