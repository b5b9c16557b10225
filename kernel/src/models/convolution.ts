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

/** x → convolution without bias (padding `same`, He-normal start) → batch norm, trained by the fast path. */
export function convolutionNorm(
  x: tf.SymbolicTensor,
  { name, seed, ...args }: ConvolutionArgs,
): tf.SymbolicTensor {
  const kernelInitializer = tf.initializers.heNormal({ seed });
  const y = tf.layers.conv2d({ ...args, name, padding: "same", useBias: false, kernelInitializer }).apply(x);
  const norm = tf.layers.batchNormalization({ momentum: 0.9, epsilon: 1e-5, name: `${name}_bn` });
  return fastBatchNorm(norm).apply(y) as tf.SymbolicTensor;
}

/** The same, and ReLU. */
export function convolutionNormRelu(x: tf.SymbolicTensor, args: ConvolutionArgs): tf.SymbolicTensor {
  return tf.layers.reLU({ name: `${args.name}_relu` }).apply(convolutionNorm(x, args)) as tf.SymbolicTensor;
}

/** Global average pooling and one dense layer `fc` that gives logits. */
export function classify(x: tf.SymbolicTensor, numClasses: number, seed: number): tf.SymbolicTensor {
  const pooled = tf.layers.globalAveragePooling2d({ name: "pool" }).apply(x);
  const kernelInitializer = tf.initializers.glorotUniform({ seed });
  return tf.layers
    .dense({ units: numClasses, kernelInitializer, name: "fc" })
    .apply(pooled) as tf.SymbolicTensor;
}
