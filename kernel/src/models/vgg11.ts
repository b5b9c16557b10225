import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { convolutionNormRelu, pooledHead } from "./convolution";
import { type Head, headSize } from "./head";
import { imageShape } from "./imageShape";
import { formFor, type NetworkForm } from "./stem";
import { checkedWidth } from "./width";

export interface Vgg11Options extends Head {
  /** [height, width, channels], at least 16 (form `imagenet`: 32) high and wide. */
  inputShape: readonly number[];
  /** Default: `imagenet` from 64 pixels on, `cifar` below. */
  form?: NetworkForm;
  /** Channels of the first convolution. Default 64, as published. */
  width?: number;
  /** Of the initial weights. Default 0. */
  seed?: number;
}

/** Channels as multiples of the first convolution's; "pool" halves the image. */
const plans = {
  cifar: [1, 2, "pool", 4, 4, "pool", 8, 8, "pool", 8, 8, "pool"],
  imagenet: [1, "pool", 2, "pool", 4, 4, "pool", 8, 8, "pool", 8, 8, "pool"],
} as const;

/**
 * VGG11 as the paper of LUT-NN has it: eight 3×3 convolutions with batch norm, `conv1` … `conv8`, max-poolings (four in
 * form `cifar`, five in `imagenet`), global average pooling, one dense layer `fc` that gives logits or numbers. Weights are random.
 */
export const vgg11 = (options: Vgg11Options): tf.LayersModel => vgg11Named("vgg11", options);

/** The same under a name, which also opens errors. */
export function vgg11Named(what: string, options: Vgg11Options): tf.LayersModel {
  const { inputShape, seed = 0 } = options;
  const width = checkedWidth(what, options.width ?? 64);
  const form = formFor(what, options);
  const units = headSize(what, options);
  const shape = imageShape(what, inputShape);
  const least = 2 ** plans[form].filter((step) => step === "pool").length;
  if (Math.min(shape[0], shape[1]) < least)
    throw new LutnnError(
      `${what}: images must be at least ${least} pixels high and wide in form ${form}, as each pooling halves them (got ${shape[0]}×${shape[1]}); enlarge them${form === "cifar" ? "" : ', or take form "cifar"'}`,
    );
  const input = tf.input({ shape, name: "input" });
  let x = input;
  let index = 0;
  for (const step of plans[form])
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
  return tf.model({ inputs: input, outputs: pooledHead(x, units, seed * 100 + 9), name: what });
}
