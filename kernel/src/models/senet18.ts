import * as tf from "@tensorflow/tfjs-node";
import { convolution, norm, relu } from "./convolution";
import { type BlockPlace, type ResNet18Options, residualNetwork } from "./resnet18";

export type SeNet18Options = ResNet18Options;

/** Channels of the map for each of the inner layer of squeeze-and-excitation. */
const reduction = 16;

/**
 * Squeeze-and-excitation (Hu et al., 2018): each channel times a number from 0 to 1 that two dense layers make of the means
 * of all channels.
 */
function excite(
  x: tf.SymbolicTensor,
  { name, filters, nextSeed }: Pick<BlockPlace, "name" | "filters" | "nextSeed">,
): tf.SymbolicTensor {
  const dense = (units: number, activation: "relu" | "sigmoid", layerName: string) =>
    tf.layers.dense({
      units,
      activation,
      kernelInitializer: tf.initializers.glorotUniform({ seed: nextSeed() }),
      name: layerName,
    });
  const inner = Math.max(1, Math.floor(filters / reduction));
  const squeezed = tf.layers.globalAveragePooling2d({ name: `${name}_squeeze` }).apply(x);
  const reduced = dense(inner, "relu", `${name}_se1`).apply(squeezed);
  const gate = dense(filters, "sigmoid", `${name}_se2`).apply(reduced);
  const perChannel = tf.layers.reshape({ targetShape: [1, 1, filters], name: `${name}_gate` }).apply(gate);
  return tf.layers
    .multiply({ name: `${name}_scale` })
    .apply([x, perChannel as tf.SymbolicTensor]) as tf.SymbolicTensor;
}

/** Norm and activation before each convolution; where the block changes the size, a 1×1 convolution on what they give. */
function preActivationBlock(x: tf.SymbolicTensor, place: BlockPlace): tf.SymbolicTensor {
  const { name, filters, strides, nextSeed } = place;
  const args = { filters, kernelSize: 3 };
  const active = relu(norm(x, `${name}_bn1`), `${name}_relu1`);
  const first = convolution(active, { ...args, name: `${name}_conv1`, strides, seed: nextSeed() });
  const inner = relu(norm(first, `${name}_bn2`), `${name}_relu2`);
  const second = convolution(inner, { ...args, name: `${name}_conv2`, seed: nextSeed() });
  const branch = excite(second, place);
  const shortcut =
    strides === 1
      ? x
      : convolution(active, { name: `${name}_shortcut`, filters, kernelSize: 1, strides, seed: nextSeed() });
  return tf.layers.add({ name: `${name}_add` }).apply([branch, shortcut]) as tf.SymbolicTensor;
}

/**
 * SENet18: ResNet18's stages with pre-activation blocks and squeeze-and-excitation of reduction 16 (layers `…_se1` and
 * `…_se2`), in the forms that {@link resnet18} has. Weights are random.
 */
export const senet18 = (options: SeNet18Options): tf.LayersModel =>
  residualNetwork("senet18", options, preActivationBlock);
