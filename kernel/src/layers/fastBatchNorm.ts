import * as tf from "@tensorflow/tfjs-node";
import { runOperator, runsOnTensorflow } from "../compute/tensorflowOperator";
import { oneTensor } from "./oneInput";

/** Layers that have the fast path already. */
const fast = new WeakSet<tf.layers.Layer>();

/**
 * Gives a BatchNormalization layer a training step by TensorFlow's fused kernels, forward and backward; tf.js' own
 * takes most of a convolutional network's step. Class, config, weights, inference and the training step of anything
 * but channels-last images with scale and center stay tf.js' own. Other layers are left as they are.
 */
export function fastBatchNorm<L extends tf.layers.Layer>(layer: L): L {
  if (layer.getClassName() !== "BatchNormalization" || fast.has(layer)) return layer;
  fast.add(layer);
  const { axis, epsilon, momentum, scale, center } = layer.getConfig();
  const stock = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => {
    const x = oneTensor(inputs);
    const fits = scale && center && x.rank === 4 && (axis === -1 || axis === 3) && runsOnTensorflow();
    if (!kwargs.training || !fits) return stock(inputs, kwargs);
    const [gamma, beta, movingMean, movingVariance] = layer.weights;
    return normalizeBatch(x, gamma.read(), beta.read(), epsilon as number, (mean, variance) => {
      for (const { moving, value } of [
        { moving: movingMean, value: mean },
        { moving: movingVariance, value: variance },
      ]) {
        const old = moving.read();
        moving.write(tf.sub(old, tf.mul(tf.sub(old, value), 1 - (momentum as number))));
      }
    });
  };
  return layer;
}

/**
 * (x − mean) / √(variance + ε) · γ + β with the batch's own mean and variance (divided by N, as tf.js does), which
 * `onMoments` may read. x (B, height, width, channels); γ, β, mean, variance (channels). Differentiable in x, γ and β.
 */
function normalizeBatch(
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  epsilon: number,
  onMoments: (mean: tf.Tensor, variance: tf.Tensor) => void,
): tf.Tensor {
  const attributes = {
    T: { type: "float32" },
    U: { type: "float32" },
    epsilon: { float: epsilon },
    data_format: "NHWC",
    is_training: true,
  } as const;
  const normalize = tf.customGrad((...args) => {
    const [x, gamma, beta] = args as tf.Tensor[];
    const save = args[3] as tf.GradSaveFunc;
    const none = tf.tensor1d([], "float32");
    // y, mean and variance for moving averages (the variance divided by N − 1), then mean, variance and, on a GPU, more
    const [y, , , mean, variance, rest] = runOperator(
      "FusedBatchNormV3",
      attributes,
      [x, gamma, beta, none, none],
      6,
    );
    onMoments(mean, variance);
    save([x, gamma, mean, variance, rest]);
    return {
      value: y,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        runOperator("FusedBatchNormGradV3", attributes, [dy, ...saved], 5).slice(0, 3),
    };
  });
  return normalize(x, gamma, beta);
}
