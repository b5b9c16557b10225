import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { shapeText } from "../shapeText";
import { type LayerKind, plainOutput } from "./kind";

/** What the number of real positions is at least, so that a sequence of padding alone gives zeros. */
const least = 1e-9;

/**
 * The mean over the real positions of a sequence: Σ mask·x / Σ mask, as sentence encoders pool (Reimers and Gurevych,
 * 2019). Inputs x float32 (N, length, width) and mask (N, length) of 1 for real positions and 0 for padding, of any type;
 * output (N, width), zeros where all is padding. No weights. Differentiable in x.
 */
export class MaskedMean extends tf.layers.Layer {
  static className = "MaskedMean";

  constructor(config: { name?: string } = {}) {
    super({ ...config });
  }

  /** Throws LutnnError unless there are a sequence and a mask of its length. */
  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shapes = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as tf.Shape[];
    const [x, mask] = shapes;
    if (shapes.length !== 2 || x.length !== 3 || mask.length !== 2 || x[1] !== mask[1])
      throw new LutnnError(
        `${this.name}: a masked mean takes [x (N, length, width), mask (N, length)] (got ${shapes.map((shape) => `[${shapeText(shape)}]`).join(", ")})`,
      );
    this.built = true;
  }

  override computeOutputShape([[batch, , width]]: tf.Shape[]): tf.Shape {
    return [batch, width];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x, mask] = inputs as [tf.Tensor3D, tf.Tensor2D];
      const weights = mask.cast("float32");
      const sums = tf.sum(tf.mul(x, tf.expandDims(weights, 2)), 1);
      return tf.div(sums, tf.maximum(tf.sum(weights, 1, true), least));
    });
  }
}
tf.serialization.registerClass(MaskedMean);

export const maskedMean: LayerKind = {
  classNames: ["MaskedMean"],
  end: "averages",
  maskArgument: 1,
  layout: "plain",
  write: (graph, node, [x, mask]) => {
    const name = node.key;
    const [length] = x.shape;
    const column = graph.add("Reshape", [mask.name, graph.integers([0, length, 1])], `${name}/column`); // (N, length, 1)
    const real = graph.add("Mul", [x.name, column], `${name}/real`);
    const places = graph.integers([1]);
    const sums = graph.add("ReduceSum", [real, places], `${name}/sums`, { keepdims: 0 });
    const counts = graph.add("ReduceSum", [mask.name, places], `${name}/counts`, { keepdims: 1 });
    const bounded = graph.add("Max", [counts, graph.scalar(least)], `${name}/bounded`);
    return plainOutput(node, graph.add("Div", [sums, bounded], name));
  },
};
