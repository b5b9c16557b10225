import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { attentionOperator, ruledOut } from "../../onnx/attentionFunction";
import type { GraphBuilder, GraphValue } from "../../onnx/graphBuilder";
import { shapeText } from "../shapeText";
import { type LayerKind, outputLengths, outputSize, plainOutput, settings, sizeOf } from "./kind";

/**
 * Scaled dot-product attention in several heads (Vaswani et al., 2017): softmax(Q·Kᵀ / √d)·V for each head, d numbers of
 * the query. It has no weights: query, key, value and what follows are ordinary dense layers, which can be replaced.
 *
 * Inputs: query (N, length, D), key (N, positions, D), value (N, positions, E), and, where some positions are padding,
 * a mask (N, positions) of 1 for real ones and 0 for others, of any type. Output (N, length, E). `numHeads` divides D
 * and E. Differentiable in query, key and value.
 */
export class Attention extends tf.layers.Layer {
  static className = "Attention";
  readonly numHeads: number;

  /** @param config `numHeads`, and what every layer takes. Throws LutnnError unless it is a positive integer. */
  constructor(config: { name?: string; numHeads: number }) {
    super({ ...config });
    this.numHeads = config.numHeads;
    this.supportsMasking = true;
    if (!Number.isInteger(this.numHeads) || this.numHeads < 1)
      throw new LutnnError(
        `${this.name}: numHeads must be a positive integer (got ${this.numHeads}); give the number of heads`,
      );
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), numHeads: this.numHeads };
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shapes = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as tf.Shape[];
    const [query, key, value, mask] = shapes;
    const got = shapes.map((shape) => `[${shapeText(shape)}]`).join(", ");
    const fits =
      (shapes.length === 3 || shapes.length === 4) &&
      [query, key, value].every((shape) => shape.length === 3) &&
      query[2] === key[2] &&
      key[1] === value[1] &&
      (!mask || (mask.length === 2 && mask[1] === key[1]));
    if (!fits)
      throw new LutnnError(
        `${this.name}: attention takes [query (N, length, D), key (N, positions, D), value (N, positions, E)] and perhaps a mask (N, positions) (got ${got})`,
      );
    for (const length of [query[2], value[2]])
      if (length === null || length % this.numHeads !== 0)
        throw new LutnnError(
          `${this.name}: numHeads must divide the lengths of query and value (got ${this.numHeads} heads for ${query[2]} and ${value[2]})`,
        );
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape[]): tf.Shape {
    const [query, , value] = inputShape;
    return [query[0], query[1], value[2]];
  }

  /** That of the query. */
  override computeMask(_inputs: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return (Array.isArray(mask) ? mask[0] : mask) as tf.Tensor;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [query, key, value, mask] = inputs as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D, tf.Tensor2D?];
      const [q, k, v] = [query, key, value].map((x) => headsOf(x, this.numHeads));
      const products = tf.matMul(q, k, false, true); // (N, heads, length, positions)
      const scores = tf.mul(products, scoreScale(query.shape[2], this.numHeads));
      return joinHeads(tf.matMul(tf.softmax(maskScores(scores, mask)), v));
    });
  }
}
tf.serialization.registerClass(Attention);

/** 1 / √d, for queries of so many numbers in all heads together. */
export const scoreScale = (depth: number, numHeads: number): number => 1 / Math.sqrt(depth / numHeads);

/** (N, length, D) → (N, heads, length, d) */
export const headsOf = (x: tf.Tensor3D, numHeads: number): tf.Tensor4D =>
  x.reshape([x.shape[0], x.shape[1], numHeads, x.shape[2] / numHeads]).transpose([0, 2, 1, 3]);

/** (N, heads, length, d) → (N, length, D) */
export const joinHeads = (x: tf.Tensor4D): tf.Tensor3D => {
  const [size, numHeads, length, depth] = x.shape;
  return x.transpose([0, 2, 1, 3]).reshape([size, length, numHeads * depth]);
};

/** Scores (N, heads, length, positions), those of positions that a mask (N, positions) rules out far below the others. */
export const maskScores = (scores: tf.Tensor, mask?: tf.Tensor): tf.Tensor =>
  mask
    ? tf.add(
        scores,
        tf.mul(tf.sub(mask.cast("float32"), 1), ruledOut).reshape([mask.shape[0], 1, 1, mask.shape[1]!]),
      )
    : scores;

/** (N, length, D) → (N, heads, length, d), or transposed (N, heads, d, length). */
function heads(graph: GraphBuilder, x: GraphValue, numHeads: number, perm: number[], name: string): string {
  const [length, depth] = x.shape;
  const split = graph.reshape(x, [length, numHeads, depth / numHeads], `${name}/split`);
  return graph.add("Transpose", [split.name], `${name}/heads`, { perm });
}

export const attention: LayerKind = {
  classNames: ["Attention"],
  maskArgument: 3,
  layout: "plain",
  // The products Q·Kᵀ, (length, D) by (D, positions), and shares·V, (length, positions) by (positions, E).
  cost: (node) => {
    const [query, key] = node.inputShapes;
    const positions = key[1] as number;
    return { operations: positions * (sizeOf(query.slice(1)) + outputSize(node)), bytes: 0 };
  },
  write: (graph, node, [query, key, value, mask]) => {
    const name = node.key;
    const numHeads = settings(node).numHeads as number;
    const [byRow, byColumn] = [
      [0, 2, 1, 3],
      [0, 2, 3, 1],
    ];
    const q = heads(graph, query, numHeads, byRow, `${name}/query`);
    const k = heads(graph, key, numHeads, byColumn, `${name}/key`);
    const v = heads(graph, value, numHeads, byRow, `${name}/value`);
    const products = graph.add("MatMul", [q, k], `${name}/products`);
    const scale = graph.scalar(scoreScale(query.shape[1], numHeads));
    let scores = graph.add("Mul", [products, scale], `${name}/scores`);
    if (mask) {
      const signed = graph.add("Sub", [mask.name, graph.scalar(1)], `${name}/ruledOut`);
      const penalty = graph.add("Mul", [signed, graph.scalar(ruledOut)], `${name}/penalty`);
      const shape = graph.integers([0, 1, 1, key.shape[0]]);
      const forAll = graph.add("Reshape", [penalty, shape], `${name}/mask`);
      scores = graph.add("Add", [scores, forAll], `${name}/allowed`);
    }
    const shares = graph.add("Softmax", [scores], `${name}/shares`, { axis: -1 });
    const read = graph.add("MatMul", [shares, v], `${name}/read`);
    const rows = graph.add("Transpose", [read], `${name}/rows`, { perm: byRow });
    const shape = graph.integers([0, ...outputLengths(node)]);
    const output = plainOutput(node, graph.add("Reshape", [rows, shape], name));
    const inputs = [query, key, value, ...(mask ? [mask] : [])].map((one) => one.name);
    // A network without lookups keeps standard operators, which every runtime has a fast form of.
    const operator = attentionOperator({ isMasked: mask !== undefined, ofBytes: false });
    graph.alsoMadeBy(operator, [...inputs, scale], output.name, { numHeads });
    return output;
  },
};
