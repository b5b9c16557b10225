import * as tf from "@tensorflow/tfjs-node";
import { type ConvWindow, imageWindows } from "../compute/imageWindows";
import { LutnnError } from "../errors";
import { LookupLayer, oneShape, oneTensor } from "./lookupLayer";

/** [value, value] of a number or a pair. */
const pair = (value: unknown): [number, number] =>
  Array.isArray(value)
    ? [value[0] as number, (value[1] ?? value[0]) as number]
    : [value as number, value as number];

/** The window of a tf.js Conv2D config on an input (height, width, channels), with `same` padding made explicit. */
export function convWindow(config: tf.serialization.ConfigDict, inputShape: number[]): ConvWindow {
  const [filterHeight, filterWidth] = pair(config.kernelSize);
  const [strideHeight, strideWidth] = pair(config.strides ?? 1);
  const [dilationHeight, dilationWidth] = pair(config.dilationRate ?? 1);
  const around = (size: number, filter: number, stride: number, dilation: number) => {
    if (config.padding !== "same") return [0, 0];
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + (filter - 1) * dilation + 1 - size);
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  };
  const [padTop, padBottom] = around(inputShape[0], filterHeight, strideHeight, dilationHeight);
  const [padLeft, padRight] = around(inputShape[1], filterWidth, strideWidth, dilationWidth);
  return {
    inputChannels: inputShape[2],
    filterHeight,
    filterWidth,
    strideHeight,
    strideWidth,
    dilationHeight,
    dilationWidth,
    padTop,
    padLeft,
    padBottom,
    padRight,
  };
}

/** The shape that a tf.js Conv2D config makes of (batch, height, width, channels). */
export function convOutputShape(config: tf.serialization.ConfigDict, input: tf.Shape): tf.Shape {
  const window = convWindow(config, input.slice(1) as number[]);
  const size = (length: number | null, filter: number, stride: number, dilation: number) => {
    if (length === null) return null;
    if (config.padding === "same") return Math.ceil(length / stride);
    return Math.floor((length - (filter - 1) * dilation - 1) / stride) + 1;
  };
  return [
    input[0],
    size(input[1], window.filterHeight, window.strideHeight, window.dilationHeight),
    size(input[2], window.filterWidth, window.strideWidth, window.dilationWidth),
    config.filters as number,
  ];
}

/** Weight of a convolution (filter height, filter width, channels, M) → matrix (channels·height·width, M), channel-major. */
export function convWeightMatrix(weight: tf.Tensor4D): tf.Tensor2D {
  const [height, width, channels, outputs] = weight.shape;
  return tf.tidy(() => weight.transpose([2, 0, 1, 3]).reshape([channels * height * width, outputs]));
}

/** A Conv2D (channels last) whose output is looked up: nearest centroid of each window part, then a sum of table rows. */
export class LutConv2D extends LookupLayer {
  static className = "LutConv2D";

  constructor(config: tf.serialization.ConfigDict) {
    super(config);
    if (config.dataFormat === "channelsFirst" || config.dataFormat === "channels_first")
      throw new LutnnError(`${this.name}: LutConv2D takes channels-last images (got channels_first)`);
    const area = pair(config.kernelSize)[0] * pair(config.kernelSize)[1];
    if (this.lookup.subvectorLength % area !== 0)
      throw new LutnnError(
        `${this.name}: subvectorLength (V) must be a multiple of the filter's ${area} positions (got ${this.lookup.subvectorLength}); a sub-vector is the window of one or more whole channels`,
      );
  }

  /** [height, width, channels] of the input and [height, width, M] of the output, known once built. */
  private shapes?: { input: number[]; output: number[] };

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shape = oneShape(inputShape);
    const { filterHeight, filterWidth, inputChannels } = convWindow(
      this.denseConfig,
      shape.slice(1) as number[],
    );
    this.shapes = {
      input: shape.slice(1) as number[],
      output: convOutputShape(this.denseConfig, shape).slice(1) as number[],
    };
    this.buildLookup(inputChannels * filterHeight * filterWidth, this.denseConfig.filters as number);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return convOutputShape(this.denseConfig, oneShape(inputShape));
  }

  /** Its window on the input size that the network was built for. */
  get window(): ConvWindow {
    if (!this.shapes)
      throw new LutnnError(`${this.name}: the layer is not built yet; apply it to an input first`);
    return convWindow(this.denseConfig, this.shapes.input);
  }

  override inputRows(x: tf.Tensor): tf.Tensor2D {
    return imageWindows(x as tf.Tensor4D, convWindow(this.denseConfig, x.shape.slice(1))).rows;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown> = {}): tf.Tensor {
    return tf.tidy(() => {
      const x = oneTensor(inputs) as tf.Tensor4D;
      return this.lookUp(x, convWindow(this.denseConfig, x.shape.slice(1)), kwargs.training === true);
    });
  }
}
tf.serialization.registerClass(LutConv2D);
