import * as tf from "@tensorflow/tfjs-node";
import { quantizeInputTensor } from "../compute/integerCodes";
import { isChannelsFirst } from "../onnx/layout";
import { quantizeTable } from "../pq/lookupTable";
import type { InputQuantization } from "../pq/reference";
import type { GraphNode } from "./graph";
import { oneTensor } from "./oneInput";

/** The weights of a convolution or dense layer in INT8, which all its calls share. */
export interface IntegerWeights {
  /** The layer without bias and activation, its weight the integers: float32 (…, M), whole numbers within ±127. */
  linear: tf.layers.Layer;
  /** float32 (M): what one step of the weights of an output stands for */
  scale: Float32Array;
  /** float32 (M) */
  bias: Float32Array;
}

/** A layer's weights, rounded to one scale for each output, symmetric. The caller disposes, by {@link disposeIntegers}. */
export function integerWeights({ layer, name, inputShapes }: GraphNode): IntegerWeights {
  const kind = layer.constructor as tf.serialization.SerializableConstructor<tf.layers.Layer>;
  const config = layer.getConfig();
  const [weight, bias] = layer.getWeights();
  const outputs = weight.shape[weight.rank - 1]!;
  const { values, scale } = quantizeTable(weight.dataSync() as Float32Array, outputs, "output");
  const linear = kind.fromConfig(kind, {
    ...config,
    name,
    useBias: false,
    activation: "linear",
    kernelInitializer: { className: "Zeros", config: {} },
  });
  linear.build(inputShapes[0]);
  linear.built = true;
  const integers = tf.tensor(Float32Array.from(values), weight.shape);
  linear.setWeights([integers]);
  integers.dispose();
  const noBias = config.useBias === false;
  return {
    linear,
    scale,
    bias: noBias ? new Float32Array(outputs) : Float32Array.from(bias.dataSync()),
  };
}

export function disposeIntegers({ linear }: IntegerWeights): void {
  for (const weight of linear.weights) weight.dispose();
}

/** Digits that bytes are taken apart by, so that sums of products of up to 8,256 of them are whole numbers below 2²⁴. */
const base = 16;

/**
 * One call of a convolution or dense layer as a file has it in INT8: bytes of the inputs times integer weights, exactly, then
 * scale and bias, rounded, and the activation. It stands in the place of the dense layer while a file is written and
 * checked, and has no gradient.
 */
export abstract class IntegerLinear extends tf.layers.Layer {
  private readonly activationLayer: tf.layers.Layer;
  /** float32 (M): inputScale · weight scale. */
  readonly scale: Float32Array;

  constructor(
    private readonly dense: tf.layers.Layer,
    readonly integers: IntegerWeights,
    readonly inputQuantization: InputQuantization,
  ) {
    super({ name: dense.name, trainable: false });
    this.supportsMasking = dense.supportsMasking;
    this.built = true;
    this.scale = integers.scale.map((scale) => scale * inputQuantization.scale);
    const activation = dense.getConfig().activation as "linear";
    this.activationLayer = tf.layers.activation({ activation: activation ?? "linear" });
  }

  /** That of the dense layer. */
  override getConfig(): tf.serialization.ConfigDict {
    return this.dense.getConfig();
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape | tf.Shape[] {
    return this.dense.computeOutputShape(inputShape);
  }

  /** The sums, int32 as float32, each rounded once; of more than 8,256 products as float32 adds them. */
  sums(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const { scale, zeroPoint } = this.inputQuantization;
      const q = quantizeInputTensor(x, { scale: tf.scalar(scale), zeroPoint: tf.scalar(zeroPoint) });
      const high = tf.floor(tf.div(q, base));
      const of = (digits: tf.Tensor) => this.integers.linear.apply(digits) as tf.Tensor;
      return tf.add(tf.mul(of(high), base), of(tf.sub(q, tf.mul(high, base))));
    });
  }

  /** What becomes of sums: scale, bias and activation. */
  finish(sums: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const isFirst = sums.rank > 2 && isChannelsFirst(this.getConfig().dataFormat);
      const along = [-1, ...Array<number>(isFirst ? sums.rank - 2 : 0).fill(1)];
      const [scale, bias] = [this.scale, this.integers.bias].map((values) => tf.reshape(values, along));
      return this.activationLayer.apply(tf.add(tf.mul(sums, scale), bias)) as tf.Tensor;
    });
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => this.finish(this.sums(oneTensor(inputs))));
  }
}

/** Of a Conv1D or Conv2D. */
export class IntegerConvolution extends IntegerLinear {
  static className = "IntegerConvolution";
}

/** Of a Dense. */
export class IntegerDense extends IntegerLinear {
  static className = "IntegerDense";
}

/** By the class of the dense layer. */
const twins: Readonly<Record<string, typeof IntegerConvolution | typeof IntegerDense>> = {
  Conv1D: IntegerConvolution,
  Conv2D: IntegerConvolution,
  Dense: IntegerDense,
};

/** Whether a layer has a form in INT8. */
export const hasIntegerForm = (layer: tf.layers.Layer): boolean => layer.getClassName() in twins;

/** A call of such a layer in INT8. */
export const integerTwin = (
  { layer }: GraphNode,
  integers: IntegerWeights,
  input: InputQuantization,
): IntegerLinear => new twins[layer.getClassName()](layer, integers, input);
