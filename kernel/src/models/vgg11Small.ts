import type * as tf from "@tensorflow/tfjs-node";
import { type Vgg11Options, vgg11Named } from "./vgg11";

export type Vgg11SmallOptions = Omit<Vgg11Options, "form">;

/** {@link vgg11} in its form for small images, by default at half its width: 32 channels in the first convolution. */
export const vgg11Small = ({ width = 32, ...options }: Vgg11SmallOptions): tf.LayersModel =>
  vgg11Named("vgg11Small", { ...options, width, form: "cifar" });
