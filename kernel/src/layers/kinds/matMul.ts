import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { shapeText } from "../shapeText";
import { type LayerKind, outputLengths, outputSize, plainOutput } from "./kind";

/**
 * Products of matrices, those of one example with each other: (N, …, rows, D) and (N, …, D, columns) →
 * (N, …, rows, columns). What stands between the batch and the matrices is alike in both. No weights.
 */
export class MatMul extends tf.layers.Layer {
  static className = "MatMul";

  constructor(config: tf.serialization.ConfigDict = {}) {
    super(config);
  }

  /** Throws LutnnError unless the inputs' shapes fit each other. */
  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shapes = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as tf.Shape[];
    const [first, second] = shapes;
    const fits =
      shapes.length === 2 &&
      first.length === second.length &&
      first.length > 2 &&
      first.slice(0, -2).every((length, i) => length === second[i]) &&
      first[first.length - 1] === second[second.length - 2];
    if (!fits)
      throw new LutnnError(
        `${this.name}: the inputs must be matrices that can be multiplied, alike in all other axes (got ${shapes.map((shape) => `[${shapeText(shape)}]`).join(", ")})`,
      );
    this.built = true;
  }

  override computeOutputShape([first, second]: tf.Shape[]): tf.Shape {
    return [...first.slice(0, -1), second[second.length - 1]];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [first, second] = inputs as tf.Tensor[];
    return tf.tidy(() => tf.matMul(first, second));
  }
}
tf.serialization.registerClass(MatMul);

export const matMul: LayerKind = {
  classNames: ["MatMul"],
  layout: "plain",
  cost: (node) => ({ operations: outputSize(node) * (node.inputShapes[0].at(-1) as number), bytes: 0 }),
  write: (graph, node, inputs) => ({
    ...plainOutput(
      node,
      graph.add(
        "MatMul",
        inputs.map(({ name }) => name),
        node.key,
      ),
    ),
    shape: outputLengths(node),
  }),
};
