import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { lengthsOf } from "../../onnx/graphBuilder";
import { oneTensor } from "../oneInput";
import { type LayerKind, settings } from "./kind";

/** Axes of length 1 made longer, their number repeated: x (N, …) → (N, …lengths). No weights. */
export class Expand extends tf.layers.Layer {
  static className = "Expand";
  readonly lengths: number[];

  /** @param config `lengths` of all axes after the batch */
  constructor(config: { name?: string; lengths: number[] }) {
    super({ ...config });
    this.lengths = config.lengths;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), lengths: this.lengths };
  }

  /** Throws LutnnError unless every axis has its length or 1. */
  override build([, ...given]: tf.Shape): void {
    const fits =
      given.length === this.lengths.length &&
      given.every((length, i) => length === 1 || length === this.lengths[i]);
    if (!fits)
      throw new LutnnError(
        `${this.name}: lengths must be those of the input's axes after the batch, others where it has 1 (got ${this.lengths.join("×")} for ${given.join("×")})`,
      );
    this.built = true;
  }

  override computeOutputShape([batch]: tf.Shape): tf.Shape {
    return [batch, ...this.lengths];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = oneTensor(inputs);
      return tf.broadcastTo(x, [x.shape[0], ...this.lengths]);
    });
  }
}
tf.serialization.registerClass(Expand);

export const expand: LayerKind = {
  classNames: ["Expand"],
  layout: "any",
  write: (graph, node, [x]) => {
    const y = { ...x, shape: settings(node).lengths as number[] };
    // The batch's own length spreads over the 1.
    return { ...y, name: graph.add("Expand", [x.name, graph.integers([1, ...lengthsOf(y)])], node.key) };
  },
};
