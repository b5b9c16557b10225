import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { oneShape, oneTensor } from "../oneInput";
import { shapeText } from "../shapeText";
import { floats, type LayerKind, plainOutput } from "./kind";

export interface PositionEmbeddingConfig {
  name?: string;
  trainable?: boolean;
  /** Positions that have a row in the table: the longest sequence there could be. */
  positions: number;
}

/**
 * Adds to each position of a sequence the row that was learnt for it: x float32 (N, length, width) → the same shape, with
 * length up to `positions`. Weight `embeddings` (positions, width): the rows behind the sequence's end are kept, so that a
 * network for another length can have the same weights.
 */
export class PositionEmbedding extends tf.layers.Layer {
  static className = "PositionEmbedding";
  readonly positions: number;

  /**
   * @param initializer of the table; a network that is read back gets its weights afterwards
   * Throws LutnnError unless `positions` is a positive integer.
   */
  constructor(
    config: PositionEmbeddingConfig,
    private readonly initializer = tf.initializers.zeros(),
  ) {
    super({ name: config.name, trainable: config.trainable });
    this.positions = config.positions;
    this.supportsMasking = true;
    if (!Number.isInteger(this.positions) || this.positions < 1)
      throw new LutnnError(`${this.name}: positions must be a positive integer (got ${this.positions})`);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), positions: this.positions };
  }

  /** Throws LutnnError on what is no sequence, or a longer one than there are positions. */
  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shape = oneShape(inputShape);
    const [, length, width] = shape;
    if (shape.length !== 3 || length === null || width === null || length > this.positions)
      throw new LutnnError(
        `${this.name}: the input must be a sequence (N, length, width) of at most ${this.positions} positions (got [${shapeText(shape)}])`,
      );
    this.addWeight("embeddings", [this.positions, width], "float32", this.initializer, undefined, true);
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return oneShape(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = oneTensor(inputs);
      const table = this.weights[0].read() as tf.Tensor2D;
      const [, length, width] = x.shape;
      return tf.add(x, tf.slice(table, [0, 0], [length, width]));
    });
  }
}
tf.serialization.registerClass(PositionEmbedding);

export const positionEmbedding: LayerKind = {
  classNames: ["PositionEmbedding"],
  layout: "plain",
  write: (graph, node, [x]) => {
    const rows = graph.sharedConstant(`${node.name}/embeddings/${x.shape[0]}`, () => {
      const [table] = node.layer.getWeights();
      return { data: floats(table).slice(0, x.shape[0] * x.shape[1]), dims: x.shape };
    });
    return plainOutput(node, graph.add("Add", [x.name, rows], node.key));
  },
};
