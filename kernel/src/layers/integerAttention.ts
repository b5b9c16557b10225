import * as tf from "@tensorflow/tfjs-node";
import { quantizeInputTensor } from "../compute/integerCodes";
import { attentionZero, leastByte, shareScale } from "../onnx/attentionFunction";
import type { Attention } from "./kinds/attention";
import { headsOf, joinHeads, maskScores, scoreScale } from "./kinds/attention";

/** What one step of the bytes of query, key and value stands for; 128 is 0. */
export interface AttentionScales {
  query: number;
  key: number;
  value: number;
}

/** How near to a half a share of 255 must be that two runtimes' exponentials may round it to different bytes. */
const nearHalf = 1e-3;

/**
 * One call of attention as a file has it in INT8 (`onnx/attentionFunction.ts`): products of bytes, exactly, and shares as bytes.
 * It stands in the place of the network's own while a file is written and checked, and has no gradient.
 */
export class IntegerAttention extends tf.layers.Layer {
  static className = "IntegerAttention";
  /** What a product's step stands for in a score, float32. */
  readonly scale: number;

  /** @param depth numbers of a query, of all heads */
  constructor(
    private readonly attention: Attention,
    readonly scales: AttentionScales,
    depth: number,
  ) {
    super({ name: attention.name, trainable: false });
    this.supportsMasking = true;
    this.built = true;
    this.scale = Math.fround(scales.query * scales.key * scoreScale(depth, this.numHeads));
  }

  get numHeads(): number {
    return this.attention.numHeads;
  }

  /** That of the attention. */
  override getConfig(): tf.serialization.ConfigDict {
    return this.attention.getConfig();
  }

  override computeOutputShape(inputShape: tf.Shape[]): tf.Shape {
    return this.attention.computeOutputShape(inputShape);
  }

  override computeMask(inputs: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return this.attention.computeMask(inputs, mask);
  }

  /** 255 · e^(score − largest score of the query), (N, heads, length, positions): shares before they are bytes. */
  private steps([query, key, , mask]: tf.Tensor[]): tf.Tensor {
    const { scales } = this;
    const q = bytesOf(query, scales.query);
    const k = tf.maximum(bytesOf(key, scales.key), leastByte - attentionZero);
    const products = tf.matMul(this.split(q), this.split(k), false, true);
    const scores = maskScores(tf.mul(products, this.scale), mask);
    return tf.div(tf.exp(tf.sub(scores, tf.max(scores, -1, true))), shareScale);
  }

  private split(x: tf.Tensor): tf.Tensor4D {
    return headsOf(x as tf.Tensor3D, this.numHeads);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const all = inputs as tf.Tensor[];
      const shares = tf.round(this.steps(all));
      const v = tf.maximum(bytesOf(all[2], this.scales.value), leastByte - attentionZero);
      const sums = tf.mul(tf.matMul(shares, this.split(v)), this.scales.value);
      return joinHeads(tf.mul(sums, tf.reciprocal(tf.sum(shares, -1, true))) as tf.Tensor4D);
    });
  }

  /**
   * How far the numbers of each head of each row, (N, length, heads), may be from those of another runtime, whose exponentials
   * differ in their last bits: by a byte of every share that is next to a half.
   */
  leeway(inputs: tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const steps = this.steps(inputs);
      const fromHalf = tf.abs(tf.sub(tf.sub(steps, tf.floor(steps)), 0.5));
      const unclear = tf.sum(tf.cast(tf.less(fromHalf, nearHalf), "float32"), -1);
      const most = 2 * attentionZero * this.scales.value;
      return tf.transpose(tf.mul(tf.div(unclear, tf.sum(tf.round(steps), -1)), most), [0, 2, 1]);
    });
  }
}

/** Bytes less {@link attentionZero}. */
const bytesOf = (x: tf.Tensor, scale: number): tf.Tensor =>
  quantizeInputTensor(x, { scale: tf.scalar(scale), zeroPoint: tf.scalar(attentionZero) });
