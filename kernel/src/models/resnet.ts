import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { convolutionNorm, convolutionNormRelu, pooledHead } from "./convolution";
import { type Head, headSize } from "./head";
import { imageShape } from "./imageShape";
import { checkedWidth } from "./width";

export interface ResNetOptions extends Head {
  /** [height, width, channels] */
  inputShape: readonly number[];
  /** Channels of the first stage; the second has twice, the third four times as many. Default 16. */
  width?: number;
  /** 6n + 2 for n blocks a stage. Default 20. */
  depth?: number;
  /** Of the initial weights. Default 0. */
  seed?: number;
}

/**
 * ResNet for small images (He et al., 2016, section 4.2): a 3×3 convolution, three stages of blocks of two 3×3
 * convolutions, global average pooling, one dense layer `fc` that gives logits or numbers. Where a block halves the image its
 * shortcut is a 1×1 convolution with batch norm (their option B), so that every layer has an ONNX and a lookup form.
 * Padding is the same on all sides, as in PyTorch.
 * Convolutions are named `conv1`, `stage1_block1_conv1`, … and `stage2_block1_shortcut`.
 */
export function resnet(options: ResNetOptions): tf.LayersModel {
  const { inputShape, depth = 20, seed = 0 } = options;
  const width = checkedWidth("resnet", options.width ?? 16);
  const units = headSize("resnet", options);
  const blocks = (depth - 2) / 6;
  if (!Number.isInteger(blocks) || blocks < 1)
    throw new LutnnError(`resnet: depth must be 6n + 2 with n of at least 1, as 8, 14, 20 (got ${depth})`);
  let index = 0;
  const nextSeed = () => seed * 100 + ++index;
  const input = tf.input({ shape: imageShape("resnet", inputShape), name: "input" });
  let x = convolutionNormRelu(input, { name: "conv1", filters: width, kernelSize: 3, seed: nextSeed() });
  for (let stage = 1; stage <= 3; stage++)
    for (let block = 1; block <= blocks; block++) {
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
  return tf.model({ inputs: input, outputs: pooledHead(x, units, nextSeed()), name: `resnet${depth}` });
}

/** {@link resnet} of depth 20. */
export const resnet20 = (options: Omit<ResNetOptions, "depth">): tf.LayersModel =>
  resnet({ ...options, depth: 20 });
