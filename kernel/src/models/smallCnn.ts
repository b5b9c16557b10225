import * as tf from "@tensorflow/tfjs-node";
import { pooledHead } from "./convolution";
import { type Head, headSize } from "./head";
import { imageShape } from "./imageShape";
import { checkedWidth } from "./width";

export interface SmallCnnOptions extends Head {
  /** [height, width, channels] */
  inputShape: readonly number[];
  /** Channels of the first stage; the second has twice as many. Default 32. */
  width?: number;
  /** Of the initial weights. Default 0. */
  seed?: number;
}

/**
 * A network small enough to train in seconds and wide enough to be converted: five convolutions with batch norm
 * (`conv1` … `conv5`, of which `conv3` halves the image and `conv4` is 1×1), global average pooling and one dense layer
 * `fc` that gives logits or numbers.
 */
export function smallCnn(options: SmallCnnOptions): tf.LayersModel {
  const { inputShape, seed = 0 } = options;
  const width = checkedWidth("smallCnn", options.width ?? 32);
  const units = headSize("smallCnn", options);
  const convolution = (
    x: tf.SymbolicTensor,
    index: number,
    filters: number,
    kernelSize: number,
    strides = 1,
  ): tf.SymbolicTensor => {
    const kernelInitializer = tf.initializers.heNormal({ seed: seed * 100 + index });
    const args = {
      filters,
      kernelSize,
      strides,
      padding: "same" as const,
      useBias: false,
      kernelInitializer,
    };
    const y = tf.layers.conv2d({ ...args, name: `conv${index}` }).apply(x);
    const z = tf.layers.batchNormalization({ momentum: 0.9, epsilon: 1e-5, name: `bn${index}` }).apply(y);
    return tf.layers.reLU({ name: `relu${index}` }).apply(z) as tf.SymbolicTensor;
  };
  const input = tf.input({ shape: imageShape("smallCnn", inputShape), name: "input" });
  let x = convolution(input, 1, width, 3);
  x = convolution(x, 2, width, 3);
  x = convolution(x, 3, 2 * width, 3, 2);
  x = convolution(x, 4, 2 * width, 1);
  x = convolution(x, 5, 2 * width, 3);
  return tf.model({ inputs: input, outputs: pooledHead(x, units, seed * 100 + 6), name: "smallCnn" });
}
