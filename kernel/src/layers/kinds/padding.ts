import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { oneTensor } from "../oneInput";
import { type LayerKind, outputLengths, settings } from "./kind";

/**
 * One number around what is there, along any axes but the batch: x (N, …) → each axis longer by its two `paddings`, in
 * the order of the axes after the batch. tf.js' own ZeroPadding2D knows zeros around images alone.
 */
export class Padding extends tf.layers.Layer {
  static className = "Padding";
  readonly paddings: [number, number][];
  readonly value: number;

  /** @param config `paddings` before and behind, at least 0; `value`, default 0. Throws LutnnError on others. */
  constructor(config: { name?: string; paddings: [number, number][]; value?: number }) {
    super({ ...config });
    this.paddings = config.paddings;
    this.value = config.value ?? 0;
    if (this.paddings.flat().some((length) => !Number.isInteger(length) || length < 0))
      throw new LutnnError(
        `${this.name}: paddings must be whole numbers from 0 (got ${JSON.stringify(this.paddings)})`,
      );
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), paddings: this.paddings, value: this.value };
  }

  override build(inputShape: tf.Shape): void {
    if (this.paddings.length !== inputShape.length - 1)
      throw new LutnnError(
        `${this.name}: paddings must be as many as the input's axes after the batch, ${inputShape.length - 1} (got ${this.paddings.length})`,
      );
    this.built = true;
  }

  override computeOutputShape([batch, ...lengths]: tf.Shape): tf.Shape {
    return [
      batch,
      ...lengths.map((length, i) =>
        length === null ? null : length + this.paddings[i][0] + this.paddings[i][1],
      ),
    ];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.pad(oneTensor(inputs), [[0, 0], ...this.paddings], this.value));
  }
}
tf.serialization.registerClass(Padding);

export const padding: LayerKind = {
  classNames: ["Padding"],
  layout: "any",
  write: (graph, node, [x]) => {
    const { paddings, value } = settings(node) as { paddings: [number, number][]; value: number };
    const all = [[0, 0], ...paddings];
    const pads = [0, 1].flatMap((side) => x.order.map((axis) => all[axis][side]));
    const name = graph.add("Pad", [x.name, graph.integers(pads), graph.scalar(value)], node.key);
    return { ...x, name, shape: outputLengths(node) };
  },
};
