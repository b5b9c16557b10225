import * as tf from "@tensorflow/tfjs-node";
import { type ConvWindow, imageWindows } from "../compute/imageWindows";
import { LutnnError } from "../errors";
import type { Maddness, MaddnessTable } from "../pq/maddness";
import { asImages } from "./lutConvolution";
import { oneShape, oneTensor } from "./oneInput";
import { convOutputShape, convWindow } from "./window";

/** A layer's codes, table and bias in the manner of Maddness. */
export interface MaddnessWeights {
  maddness: Maddness;
  table: MaddnessTable;
  /** float32 (M), or null for a layer without bias */
  bias: Float32Array | null;
}

/**
 * A convolution or Dense layer computed by Maddness with exact sums, to be compared with lookups by nearest centroids. It has
 * no trainable weights and no gradient, and runs as plain loops; the config is the dense layer's, with `denseClass`.
 */
export class MaddnessLayer extends tf.layers.Layer {
  static className = "MaddnessLayer";
  private readonly denseConfig: tf.serialization.ConfigDict;
  private readonly activationLayer: tf.layers.Layer;
  private learnt?: MaddnessWeights;

  constructor(config: tf.serialization.ConfigDict) {
    super({ name: config.name as string, trainable: config.trainable as boolean });
    this.denseConfig = config;
    this.activationLayer = tf.layers.activation({ activation: (config.activation as "linear") ?? "linear" });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.denseConfig };
  }

  private length?: number;

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shape = oneShape(inputShape);
    const window = this.isConv ? convWindow(this.denseConfig, shape.slice(1) as number[]) : null;
    const channels = shape[shape.length - 1] as number;
    this.length = window ? window.filterHeight * window.filterWidth * channels : channels;
    super.build(inputShape);
  }

  /** D, known once it is built. */
  get inputLength(): number {
    if (this.length === undefined)
      throw new LutnnError(`${this.name}: the layer is not built yet; apply it to an input first`);
    return this.length;
  }

  setMaddness(weights: MaddnessWeights): void {
    this.learnt = weights;
  }

  private get isConv(): boolean {
    return this.denseConfig.denseClass !== "Dense";
  }

  private window(x: tf.Tensor): ConvWindow | null {
    return this.isConv ? convWindow(this.denseConfig, x.shape.slice(1)) : null;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shape = oneShape(inputShape);
    if (this.isConv) return convOutputShape(this.denseConfig, shape);
    return [...shape.slice(0, -1), this.denseConfig.units as number];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { learnt } = this;
    if (!learnt) throw new LutnnError(`${this.name}: the layer's tables must be set before it is applied`);
    return tf.tidy(() => {
      const x = oneTensor(inputs);
      const window = this.window(x);
      const rows = window ? imageWindows(asImages(x), window).rows : x;
      const y = learnt.maddness.apply(rows.dataSync() as Float32Array, learnt.table, {
        bias: learnt.bias ?? undefined,
      });
      const shape = this.computeOutputShape(x.shape) as number[];
      return this.activationLayer.apply(tf.tensor(y, shape)) as tf.Tensor;
    });
  }
}
tf.serialization.registerClass(MaddnessLayer);
