import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { lengthsOf } from "../../onnx/graphBuilder";
import { reorder } from "../../onnx/layout";
import { oneTensor } from "../oneInput";
import { floats, type LayerKind, settings } from "./kind";

export interface AffineConfig {
  name?: string;
  trainable?: boolean;
  /** Of both weights: the input's axes after the batch, 1 along those that share a number. */
  weightShape: number[];
  /** Whether there is a scale; default true. */
  scale?: boolean;
  /** Whether there is an offset; default true. */
  offset?: boolean;
}

/**
 * x · scale + offset with learned numbers, each of `weightShape`, which is spread over the input (N, …): one for each
 * channel, for each position, or for each place. Weights `scale` (ones at first) and `offset` (zeros).
 */
export class Affine extends tf.layers.Layer {
  static className = "Affine";
  readonly weightShape: number[];
  readonly hasScale: boolean;
  readonly hasOffset: boolean;

  constructor(config: AffineConfig) {
    super({ ...config });
    this.weightShape = config.weightShape;
    this.hasScale = config.scale ?? true;
    this.hasOffset = config.offset ?? true;
    this.supportsMasking = true;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { weightShape, hasScale: scale, hasOffset: offset } = this;
    return { ...super.getConfig(), weightShape, scale, offset };
  }

  /** Throws LutnnError unless the weights' shape spreads over the input's. */
  override build(inputShape: tf.Shape): void {
    const lengths = inputShape.slice(1);
    const fits =
      this.weightShape.length === lengths.length &&
      this.weightShape.every((length, i) => length === 1 || length === lengths[i]);
    if (!fits)
      throw new LutnnError(
        `${this.name}: weightShape must have the input's axes after the batch, each of its length or 1 (got ${this.weightShape.join("×")} for ${lengths.join("×")})`,
      );
    for (const [name, has, start] of [
      ["scale", this.hasScale, tf.initializers.ones()],
      ["offset", this.hasOffset, tf.initializers.zeros()],
    ] as const)
      if (has) this.addWeight(name, this.weightShape, "float32", start, undefined, true);
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const weights = this.weights.map((weight) => weight.read());
      const x = oneTensor(inputs);
      const scaled = this.hasScale ? tf.mul(x, weights[0]) : x;
      return this.hasOffset ? tf.add(scaled, weights[weights.length - 1]) : scaled;
    });
  }
}
tf.serialization.registerClass(Affine);

export const affine: LayerKind = {
  classNames: ["Affine"],
  layout: "any",
  write: (graph, node, [x]) => {
    const { scale, offset } = settings(node);
    const order = x.order.slice(1).map((axis) => axis - 1);
    const constant = (name: string, weight: tf.Tensor): string =>
      graph.sharedConstant(`${node.name}/${name}/${order.join("_")}`, () => ({
        data: reorder(floats(weight), weight.shape, order),
        dims: lengthsOf({ ...x, shape: weight.shape }),
      }));
    const weights = node.layer.getWeights();
    const scaled = scale
      ? graph.add("Mul", [x.name, constant("scale", weights[0])], offset ? `${node.key}/scaled` : node.key)
      : x.name;
    if (!offset) return { ...x, name: scaled };
    return {
      ...x,
      name: graph.add("Add", [scaled, constant("offset", weights[weights.length - 1])], node.key),
    };
  },
};
