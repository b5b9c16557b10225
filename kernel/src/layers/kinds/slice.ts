import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { axisOf } from "../../onnx/graphBuilder";
import { oneTensor } from "../oneInput";
import { type LayerKind, outputLengths, settings } from "./kind";

export interface SliceConfig {
  name?: string;
  /** From 1: the batch stays whole. */
  axis: number;
  /** The first place that is taken, from 0. */
  start: number;
  /** How many are taken. */
  length: number;
  /** From one to the next; default 1, negative backwards. */
  step?: number;
}

/** Some places of one axis, the others left out: x (N, …) → the same with `length` along `axis`. No weights. */
export class Slice extends tf.layers.Layer {
  static className = "Slice";
  readonly axis: number;
  readonly start: number;
  readonly length: number;
  readonly step: number;

  constructor(config: SliceConfig) {
    super({ ...config });
    this.axis = config.axis;
    this.start = config.start;
    this.length = config.length;
    this.step = config.step ?? 1;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { axis, start, length, step } = this;
    return { ...super.getConfig(), axis, start, length, step };
  }

  /** Throws LutnnError unless all places are in the input. */
  override build(inputShape: tf.Shape): void {
    const { axis, start, length, step } = this;
    const places = inputShape[axis];
    const last = start + (length - 1) * step;
    const isIn = (place: number) => place >= 0 && (places === null || place < places);
    if (!(axis > 0 && axis < inputShape.length && length > 0 && step !== 0 && isIn(start) && isIn(last)))
      throw new LutnnError(
        `${this.name}: start, length and step must name places of axis ${axis}, from 1 to ${inputShape.length - 1} (got ${start}, ${length} and ${step} for ${places} places)`,
      );
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return inputShape.map((length, axis) => (axis === this.axis ? this.length : length));
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = oneTensor(inputs);
      const { axis, start, length, step } = this;
      if (step !== 1) {
        const places = Int32Array.from({ length }, (_, i) => start + i * step);
        return tf.gather(x, tf.tensor1d(places, "int32"), axis);
      }
      const begin = x.shape.map((_, i) => (i === axis ? start : 0));
      return tf.slice(x, begin, this.computeOutputShape(x.shape) as number[]);
    });
  }
}
tf.serialization.registerClass(Slice);

export const slice: LayerKind = {
  classNames: ["Slice"],
  layout: "any",
  integers: true,
  write: (graph, node, [x]) => {
    const { axis, start, length, step } = settings(node) as unknown as Required<SliceConfig>;
    const end = start + length * step;
    // An end before the first place would be counted from the back.
    const bounds = [start, end < 0 ? -(x.shape[axis - 1] + 1) : end, axisOf(x, axis), step];
    const inputs = bounds.map((one) => graph.integers([one]));
    return { ...x, name: graph.add("Slice", [x.name, ...inputs], node.key), shape: outputLengths(node) };
  },
};
