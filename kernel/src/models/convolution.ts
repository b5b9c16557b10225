import * as tf from "@tensorflow/tfjs-node";
import { fastBatchNorm } from "../layers/fastBatchNorm";

/** How a network's convolutions are built. */
export interface ConvolutionArgs {
  /** Of the convolution; its batch norm and activation are named after it. */
  name: string;
  filters: number;
  kernelSize: number;
  /** Default 1. */
  strides?: number;
  /** Of the initial weight. */
  seed: number;
}

function convolutionLayer(padding: "same" | "valid", { seed, ...args }: ConvolutionArgs): tf.layers.Layer {
  const kernelInitializer = tf.initializers.heNormal({ seed });
  return tf.layers.conv2d({ ...args, padding, useBias: false, kernelInitializer });
}

/** Batch norm, trained by the fast path. */
export function norm(x: tf.SymbolicTensor, name: string): tf.SymbolicTensor {
  const layer = tf.layers.batchNormalization({ momentum: 0.9, epsilon: 1e-5, name });
  return fastBatchNorm(layer).apply(x) as tf.SymbolicTensor;
}

export const relu = (x: tf.SymbolicTensor, name: string): tf.SymbolicTensor =>
  tf.layers.reLU({ name }).apply(x) as tf.SymbolicTensor;

/**
 * x → convolution without bias, He-normal start, padded by as many zeros on each side as the published networks are
 * (TensorFlow's own `same` puts those of a stride of 2 on the far sides alone).
 */
export function convolution(x: tf.SymbolicTensor, args: ConvolutionArgs): tf.SymbolicTensor {
  const { name, kernelSize, strides = 1 } = args;
  if (strides === 1 || kernelSize === 1) return convolutionLayer("same", args).apply(x) as tf.SymbolicTensor;
  const padded = tf.layers.zeroPadding2d({ padding: (kernelSize - 1) / 2, name: `${name}_pad` }).apply(x);
  return convolutionLayer("valid", args).apply(padded) as tf.SymbolicTensor;
}

/** x → {@link convolution} → batch norm. */
export const convolutionNorm = (x: tf.SymbolicTensor, args: ConvolutionArgs): tf.SymbolicTensor =>
  norm(convolution(x, args), `${args.name}_bn`);

/** The same, and ReLU. */
export function convolutionNormRelu(x: tf.SymbolicTensor, args: ConvolutionArgs): tf.SymbolicTensor {
  return relu(convolutionNorm(x, args), `${args.name}_relu`);
}

/** Global average pooling and one dense layer `fc` of linear outputs. */
export function pooledHead(x: tf.SymbolicTensor, units: number, seed: number): tf.SymbolicTensor {
  const pooled = tf.layers.globalAveragePooling2d({ name: "pool" }).apply(x);
  const kernelInitializer = tf.initializers.glorotUniform({ seed });
  return tf.layers.dense({ units, kernelInitializer, name: "fc" }).apply(pooled) as tf.SymbolicTensor;
}
