import * as tf from "@tensorflow/tfjs-node";
import { imageWindows } from "../compute/imageWindows";
import type { InputGradient } from "../compute/straightThrough";
import { LutnnError } from "../errors";
import { convWeightMatrix, convWindow } from "./lutConv2d";

/** A Conv2D or Dense layer seen as rows times a matrix: y = rows(x)·W + bias, D and the rows channel-major. */
export interface LinearOperator {
  op: "conv2d" | "dense";
  /** N: rows that one input gives. */
  positions: number;
  /** D */
  inputLength: number;
  /** M */
  outputs: number;
  /** Positions of the filter: 1 for a dense layer. */
  filterArea: number;
  /** x (B, …) → float32 (B·N, D) */
  rows(x: tf.Tensor): tf.Tensor2D;
  /** float32 (D, M); the caller disposes. */
  weight(): tf.Tensor2D;
  /** float32 (M), or null without bias */
  bias(): Float32Array | null;
  /** The gradient of the layer's input (for a dense layer as rows), given that of x·W. */
  inputGradient: InputGradient;
}

const product = (values: (number | null)[]) => values.reduce<number>((all, value) => all * (value ?? 1), 1);

/** The linear operator of a built Conv2D (channels last) or Dense layer. */
export function linearOperator(layer: tf.layers.Layer): LinearOperator {
  const config = layer.getConfig();
  const outputShape = layer.outputShape as tf.Shape;
  if (outputShape.slice(1, -1).includes(null))
    throw new LutnnError(
      `${layer.name}: the network's input size must be fixed (the output shape is ${outputShape})`,
    );
  const outputs = outputShape[outputShape.length - 1] as number;
  const positions = product(outputShape.slice(1, -1));
  const bias = () => (config.useBias === false ? null : (layer.getWeights()[1].dataSync() as Float32Array));
  if (layer.getClassName() === "Dense") {
    const inputLength = layer.getWeights()[0].shape[0];
    return {
      op: "dense",
      positions,
      inputLength,
      outputs,
      filterArea: 1,
      rows: (x) => x.reshape([-1, inputLength]),
      weight: () => layer.getWeights()[0].clone() as tf.Tensor2D,
      bias,
      inputGradient: (dy) => tf.matMul(dy as tf.Tensor2D, layer.getWeights()[0] as tf.Tensor2D, false, true),
    };
  }
  if (layer.getClassName() !== "Conv2D")
    throw new LutnnError(
      `${layer.name}: only Conv2D and Dense layers are linear operators (got ${layer.getClassName()})`,
    );
  const [height, width, channels] = layer.getWeights()[0].shape;
  const rows = (x: tf.Tensor) => imageWindows(x as tf.Tensor4D, convWindow(config, x.shape.slice(1))).rows;
  const weight = () => convWeightMatrix(layer.getWeights()[0] as tf.Tensor4D);
  return {
    op: "conv2d",
    positions,
    inputLength: height * width * channels,
    outputs,
    filterArea: height * width,
    rows,
    weight,
    bias,
    inputGradient: (dy, x) => {
      const { strides, padding, dilationRate } = config as Record<string, [number, number]> & {
        padding: "same" | "valid";
      };
      // TensorFlow.js has no gradient of a dilated convolution.
      if (dilationRate.some((rate) => rate > 1))
        return tf.grad((input) => tf.matMul(rows(input), weight()).reshape(dy.shape))(x, dy);
      return tf.conv2dTranspose(
        dy as tf.Tensor4D,
        layer.getWeights()[0] as tf.Tensor4D,
        x.shape as [number, number, number, number],
        strides,
        padding,
      );
    },
  };
}
