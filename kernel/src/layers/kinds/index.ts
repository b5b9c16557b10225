import type * as tf from "@tensorflow/tfjs-node";
import { activation } from "./activations";
import { affine } from "./affine";
import { attention } from "./attention";
import { concatenate } from "./concatenate";
import { conv2dTranspose } from "./conv2dTranspose";
import { conv1d, conv2d, lutConvolution } from "./convolution";
import { dense, lutDense } from "./dense";
import { depthwiseConv2d, separableConv2d } from "./depthwise";
import { dot } from "./dot";
import { elementwise } from "./elementwise";
import { embedding } from "./embedding";
import { expand } from "./expand";
import { hardSwish } from "./hardSwish";
import { identity } from "./identity";
import { integerAttention } from "./integerAttention";
import { integerConvolution, integerDense } from "./integerLinear";
import type { LayerKind } from "./kind";
import { maskedMean } from "./maskedMean";
import { masking } from "./masking";
import { matMul } from "./matMul";
import { add, average, maximum, minimum, multiply } from "./merge";
import { batchNormalization, layerNormalization } from "./normalization";
import { padding } from "./padding";
import { averagePooling, globalAveragePooling, globalMaxPooling, maxPooling } from "./pooling";
import { positionEmbedding } from "./positionEmbedding";
import { recurrent } from "./recurrent";
import { reduce } from "./reduce";
import { eLU, leakyReLU, pReLU, reLU, thresholdedReLU } from "./reLU";
import { rescaling } from "./rescaling";
import { flatten, permute, repeatVector, reshape } from "./reshape";
import { cropping2d, upSampling2d, zeroPadding2d } from "./resize2d";
import { slice } from "./slice";
import { softmax } from "./softmax";

/** Every kind of layer that this library knows: a new one is a file beside this and a line here. */
export const kinds: readonly LayerKind[] = [
  activation,
  affine,
  elementwise,
  expand,
  matMul,
  padding,
  reduce,
  slice,
  add,
  attention,
  average,
  averagePooling,
  batchNormalization,
  concatenate,
  conv1d,
  conv2d,
  conv2dTranspose,
  cropping2d,
  dense,
  depthwiseConv2d,
  dot,
  eLU,
  embedding,
  flatten,
  globalAveragePooling,
  globalMaxPooling,
  hardSwish,
  identity,
  layerNormalization,
  leakyReLU,
  lutConvolution,
  lutDense,
  maskedMean,
  masking,
  maximum,
  maxPooling,
  minimum,
  multiply,
  permute,
  positionEmbedding,
  pReLU,
  recurrent,
  reLU,
  repeatVector,
  rescaling,
  reshape,
  separableConv2d,
  softmax,
  thresholdedReLU,
  upSampling2d,
  zeroPadding2d,
];

/** Kinds of layers that stand in the place of a network's own only while a file is written. */
const kindsInFiles: readonly LayerKind[] = [integerAttention, integerConvolution, integerDense];

const byClass = new Map(
  [...kinds, ...kindsInFiles].flatMap((kind) => kind.classNames.map((name) => [name, kind] as const)),
);

/** The kind of a layer, undefined for one that is not known. */
export const kindOf = (layer: tf.layers.Layer): LayerKind | undefined => byClass.get(layer.getClassName());

/** Whether a layer hands a mask on that was not there before it. */
export const makesMask = (layer: tf.layers.Layer): boolean => kindOf(layer)?.makesMask?.(layer) ?? false;

/** The class names of all kinds that a network may have, in alphabetical order. */
export const knownClasses = (): string[] => kinds.flatMap(({ classNames }) => classNames).sort();
