import * as tf from "@tensorflow/tfjs-node";
import { type ConvWindow, imageWindows } from "../compute/imageWindows";
import { LutnnError } from "../errors";
import { isChannelsFirst } from "../onnx/layout";
import { LookupLayer } from "./lookupLayer";
import { oneShape, oneTensor } from "./oneInput";
import { shapeText } from "./shapeText";
import { convOutputShape, convWindow } from "./window";

/** (B, length, channels) → (B, 1, length, channels); images stay. */
export const asImages = (x: tf.Tensor): tf.Tensor4D => (x.rank === 3 ? x.expandDims(1) : x) as tf.Tensor4D;

/** A Conv1D or Conv2D, channels last, that is looked up: a sequence is an image of height 1. */
export abstract class LutConvolution extends LookupLayer {
  /** Lengths of the input after the batch, known once built. */
  private inputLengths?: (number | null)[];

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    if (isChannelsFirst(this.denseConfig.dataFormat))
      throw new LutnnError(
        `${this.name}: dataFormat must be channelsLast for a convolution that is looked up (got channelsFirst)`,
      );
    const lengths = oneShape(inputShape).slice(1);
    const { filterHeight, filterWidth, inputChannels } = convWindow(
      this.denseConfig,
      lengths.map((length) => length ?? 0),
    );
    const area = filterHeight * filterWidth;
    if (this.lookup.subvectorLength % area !== 0)
      throw new LutnnError(
        `${this.name}: subvectorLength (V) must be a multiple of the filter's ${area} positions (got ${this.lookup.subvectorLength}); a sub-vector is the window of one or more whole channels`,
      );
    this.inputLengths = lengths;
    this.buildLookup(inputChannels * area, this.denseConfig.filters as number);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return convOutputShape(this.denseConfig, oneShape(inputShape));
  }

  /**
   * Its window on inputs of some lengths after the batch, which may be others than it was built for: of height 1 on
   * sequences, and on images of height 1 that stand for them.
   */
  windowOn(lengths: readonly number[]): ConvWindow {
    return convWindow(this.denseConfig, this.inputLengths?.length === 2 ? lengths.slice(-2) : lengths);
  }

  /** Its window on the input size that it was built for. Throws LutnnError before that, or when that size was open. */
  get window(): ConvWindow {
    if (!this.inputLengths)
      throw new LutnnError(`${this.name}: the layer is not built yet; apply it to an input first`);
    const lengths = this.inputLengths.filter((length) => length !== null);
    if (lengths.length < this.inputLengths.length)
      throw new LutnnError(
        `${this.name}: the window of an input of open size is not known (got ${shapeText(this.inputLengths)}); ask for it by windowOn`,
      );
    return this.windowOn(lengths);
  }

  override inputRows(x: tf.Tensor): tf.Tensor2D {
    return imageWindows(asImages(x), this.windowOn(x.shape.slice(1))).rows;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown> = {}): tf.Tensor {
    return tf.tidy(() => {
      const x = oneTensor(inputs);
      const y = this.lookUp(asImages(x), this.windowOn(x.shape.slice(1)), kwargs.training === true);
      return x.rank === 3 ? y.squeeze([1]) : y;
    });
  }
}
