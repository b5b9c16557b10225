import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { convolution } from "./convolution";

/**
 * How a network takes images in: `cifar` by a 3×3 convolution at full size, for small ones; `imagenet` by a 7×7
 * convolution of stride 2 and a 3×3 max-pooling of stride 2, which leaves a quarter of height and width.
 */
export type NetworkForm = "cifar" | "imagenet";

const forms: readonly NetworkForm[] = ["cifar", "imagenet"];

/**
 * The form that is asked for, else the one for images of such a size: `imagenet` from 64 pixels on. Throws LutnnError on one
 * that there is not; `what` opens the sentence.
 */
export function formFor(
  what: string,
  { form, inputShape: [height, width] }: { form?: NetworkForm; inputShape: readonly number[] },
): NetworkForm {
  if (form === undefined) return Math.min(height, width) < 64 ? "cifar" : "imagenet";
  if (forms.includes(form)) return form;
  throw new LutnnError(`${what}: form must be one of ${forms.join(", ")} (got ${JSON.stringify(form)})`);
}

/** The first convolution, `conv1`. */
export const stemConvolution = (
  x: tf.SymbolicTensor,
  form: NetworkForm,
  filters: number,
  seed: number,
): tf.SymbolicTensor =>
  form === "cifar"
    ? convolution(x, { name: "conv1", filters, kernelSize: 3, seed })
    : convolution(x, { name: "conv1", filters, kernelSize: 7, strides: 2, seed });

/** What stands behind it and its activation: the max-pooling, or nothing. Padding by zeros: there are no negative numbers. */
export function stemPooling(x: tf.SymbolicTensor, form: NetworkForm): tf.SymbolicTensor {
  if (form === "cifar") return x;
  const padded = tf.layers.zeroPadding2d({ padding: 1, name: "pool1_pad" }).apply(x);
  return tf.layers
    .maxPooling2d({ poolSize: 3, strides: 2, name: "pool1" })
    .apply(padded) as tf.SymbolicTensor;
}
