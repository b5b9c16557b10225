import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { convolutionNorm, norm, pooledHead, relu } from "./convolution";
import { type Head, headSize } from "./head";
import { imageShape } from "./imageShape";
import { formFor, type NetworkForm, stemConvolution, stemPooling } from "./stem";
import { checkedWidth } from "./width";

export interface ResNet18Options extends Head {
  /** [height, width, channels] */
  inputShape: readonly number[];
  /** Default: `imagenet` from 64 pixels on, `cifar` below. */
  form?: NetworkForm;
  /** Channels of the first stage; each later one has twice as many. Default 64, as published. */
  width?: number;
  /** Blocks of each of the four stages. Default 2, which is depth 18. */
  blocks?: number;
  /** Of the initial weights. Default 0. */
  seed?: number;
}

/** One block of a stage as its network builds it. */
export interface BlockPlace {
  /** `stage2_block1` */
  name: string;
  filters: number;
  /** 2 in the first block of all stages but the first. */
  strides: number;
  nextSeed: () => number;
}

/**
 * Four stages of residual blocks behind a stem, then global average pooling and one dense layer.
 * @param what the network's name, which also opens errors
 */
export function residualNetwork(
  what: string,
  options: ResNet18Options,
  block: (x: tf.SymbolicTensor, place: BlockPlace) => tf.SymbolicTensor,
): tf.LayersModel {
  const { inputShape, blocks = 2, seed = 0 } = options;
  const width = checkedWidth(what, options.width ?? 64);
  const form = formFor(what, options);
  const units = headSize(what, options);
  if (!Number.isInteger(blocks) || blocks < 1)
    throw new LutnnError(`${what}: blocks of a stage must be a whole number from 1 (got ${blocks})`);
  let index = 0;
  const nextSeed = () => seed * 1000 + ++index;
  const input = tf.input({ shape: imageShape(what, inputShape), name: "input" });
  const first = norm(stemConvolution(input, form, width, nextSeed()), "conv1_bn");
  let x = stemPooling(relu(first, "conv1_relu"), form);
  for (let stage = 1; stage <= 4; stage++)
    for (let number = 1; number <= blocks; number++)
      x = block(x, {
        name: `stage${stage}_block${number}`,
        filters: width * 2 ** (stage - 1),
        strides: stage > 1 && number === 1 ? 2 : 1,
        nextSeed,
      });
  return tf.model({ inputs: input, outputs: pooledHead(x, units, nextSeed()), name: what });
}

/** Two 3×3 convolutions beside a shortcut, which is a 1×1 convolution where the block changes the size. */
function basicBlock(
  x: tf.SymbolicTensor,
  { name, filters, strides, nextSeed }: BlockPlace,
): tf.SymbolicTensor {
  const args = { filters, kernelSize: 3 };
  const first = convolutionNorm(x, { ...args, name: `${name}_conv1`, strides, seed: nextSeed() });
  const inner = relu(first, `${name}_conv1_relu`);
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
  const sum = tf.layers.add({ name: `${name}_add` }).apply([branch, shortcut]) as tf.SymbolicTensor;
  return relu(sum, `${name}_relu`);
}

/**
 * ResNet18 (He et al., 2016): four stages of two blocks of two 3×3 convolutions, with 64, 128, 256 and 512 channels, global
 * average pooling, one dense layer `fc` that gives logits or numbers; for small images in the form that the paper of LUT-NN takes for
 * CIFAR-10, else as for ImageNet. Convolutions are named `conv1`, `stage1_block1_conv1`, … and `stage2_block1_shortcut`.
 * Weights are random.
 */
export const resnet18 = (options: ResNet18Options): tf.LayersModel =>
  residualNetwork("resnet18", options, basicBlock);
