import * as tf from "@tensorflow/tfjs-node";
import { classify, convolutionNorm, convolutionNormRelu } from "./convolution";

export interface ResNet20Options {
  /** [height, width, channels] */
  inputShape: [number, number, number];
  numClasses: number;
  /** Channels of the first stage; the second has twice, the third four times as many. Default 16. */
  width?: number;
  /** Of the initial weights. Default 0. */
  seed?: number;
}

/**
 * ResNet20 for small images (He et al., 2016, section 4.2): a 3×3 convolution, three stages of three blocks of two 3×3
 * convolutions, global average pooling, one dense layer `fc` that gives logits. Where a block halves the image its
 * shortcut is a 1×1 convolution with batch norm (their option B), so that every layer has an ONNX and a lookup form.
 * Convolutions are named `conv1`, `stage1_block1_conv1`, … and `stage2_block1_shortcut`.
 */
export function resnet20({ inputShape, numClasses, width = 16, seed = 0 }: ResNet20Options): tf.LayersModel {
  let index = 0;
  const nextSeed = () => seed * 100 + ++index;
  const input = tf.input({ shape: inputShape, name: "input" });
  let x = convolutionNormRelu(input, { name: "conv1", filters: width, kernelSize: 3, seed: nextSeed() });
  for (let stage = 1; stage <= 3; stage++)
    for (let block = 1; block <= 3; block++) {
      const name = `stage${stage}_block${block}`;
      const filters = width * 2 ** (stage - 1);
      const strides = stage > 1 && block === 1 ? 2 : 1;
      const args = { filters, kernelSize: 3 };
      const inner = convolutionNormRelu(x, { ...args, name: `${name}_conv1`, strides, seed: nextSeed() });
      const branch = convolutionNorm(inner, { ...args, name: `${name}_conv2`, seed: nextSeed() });
      const shortcut =
        strides === 1
          ? x
          : convolutionNorm(x, {
              name: `${name}_shortcut`,
              filters,
              kernelSize: 1,
              strides,
              seed: nextSeed(),
            });
      const sum = tf.layers.add({ name: `${name}_add` }).apply([branch, shortcut]);
      x = tf.layers.reLU({ name: `${name}_relu` }).apply(sum) as tf.SymbolicTensor;
    }
  return tf.model({ inputs: input, outputs: classify(x, numClasses, nextSeed()), name: "resnet20" });
}
