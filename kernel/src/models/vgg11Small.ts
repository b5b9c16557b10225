import * as tf from "@tensorflow/tfjs-node";
import { classify, convolutionNormRelu } from "./convolution";
import { imageShape } from "./imageShape";

export interface Vgg11SmallOptions {
  /** [height, width, channels], at least 16 high and wide. */
  inputShape: readonly number[];
  numClasses: number;
  /** Channels of the first convolution, 64 in the published network. Default 32. */
  width?: number;
  /** Of the initial weights. Default 0. */
  seed?: number;
}

/** Channels as multiples of the first convolution's; "pool" halves the image. */
const plan = [1, 2, "pool", 4, 4, "pool", 8, 8, "pool", 8, 8, "pool"] as const;

/**
 * VGG11 for 32×32 images (the paper's: eight 3×3 convolutions with batch norm, `conv1` … `conv8`, four max-poolings,
 * global average pooling, one dense layer `fc` that gives logits), by default at half its width.
 */
export function vgg11Small({
  inputShape,
  numClasses,
  width = 32,
  seed = 0,
}: Vgg11SmallOptions): tf.LayersModel {
  const input = tf.input({ shape: imageShape("vgg11Small", inputShape), name: "input" });
  let x = input;
  let index = 0;
  for (const step of plan)
    if (step === "pool")
      x = tf.layers
        .maxPooling2d({ poolSize: 2, strides: 2, name: `pool${index}` })
        .apply(x) as tf.SymbolicTensor;
    else {
      index++;
      x = convolutionNormRelu(x, {
        name: `conv${index}`,
        filters: step * width,
        kernelSize: 3,
        seed: seed * 100 + index,
      });
    }
  return tf.model({ inputs: input, outputs: classify(x, numClasses, seed * 100 + 9), name: "vgg11Small" });
}
