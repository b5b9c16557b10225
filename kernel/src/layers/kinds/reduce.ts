import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { axisOf, type GraphBuilder, type GraphValue } from "../../onnx/graphBuilder";
import { plainOrder } from "../../onnx/layout";
import { oneTensor } from "../oneInput";
import { type LayerKind, outputLengths, settings } from "./kind";

interface Reduction {
  compute(x: tf.Tensor, axes: number[], keepDims: boolean): tf.Tensor;
  opType: string;
}

const reductions = {
  maximum: { compute: (x, axes, keep) => tf.max(x, axes, keep), opType: "ReduceMax" },
  mean: { compute: (x, axes, keep) => tf.mean(x, axes, keep), opType: "ReduceMean" },
  minimum: { compute: (x, axes, keep) => tf.min(x, axes, keep), opType: "ReduceMin" },
  sum: { compute: (x, axes, keep) => tf.sum(x, axes, keep), opType: "ReduceSum" },
} satisfies Record<string, Reduction>;

export type ReductionName = keyof typeof reductions;

/** One number in the place of all along some axes: x (N, …) → those axes of length 1, or gone unless `keepDims`. */
export class Reduce extends tf.layers.Layer {
  static className = "Reduce";
  readonly reduction: ReductionName;
  readonly axes: number[];
  readonly keepDims: boolean;

  /** @param config `axes` from 1: the batch stays. Throws LutnnError on another reduction. */
  constructor(config: { name?: string; reduction: ReductionName; axes: number[]; keepDims?: boolean }) {
    super({ ...config });
    this.reduction = config.reduction;
    this.axes = config.axes;
    this.keepDims = config.keepDims ?? false;
    if (!Object.hasOwn(reductions, this.reduction))
      throw new LutnnError(
        `${this.name}: reduction must be one of ${Object.keys(reductions).join(", ")} (got ${this.reduction})`,
      );
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { reduction, axes, keepDims } = this;
    return { ...super.getConfig(), reduction, axes, keepDims };
  }

  override build(inputShape: tf.Shape): void {
    if (this.axes.length === 0 || this.axes.some((axis) => !(axis > 0 && axis < inputShape.length)))
      throw new LutnnError(
        `${this.name}: axes must be from 1 to ${inputShape.length - 1} (got ${this.axes.join(", ") || "none"})`,
      );
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    const lengths = inputShape.map((length, axis) => (this.axes.includes(axis) ? 1 : length));
    return this.keepDims ? lengths : lengths.filter((_, axis) => !this.axes.includes(axis));
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => reductions[this.reduction].compute(oneTensor(inputs), this.axes, this.keepDims));
  }
}
tf.serialization.registerClass(Reduce);

/** What is left of an order of axes once some of them are gone. */
function orderWithout(order: readonly number[], gone: readonly number[]): number[] {
  const left = plainOrder(order.length).filter((axis) => !gone.includes(axis));
  return order.filter((axis) => !gone.includes(axis)).map((axis) => left.indexOf(axis));
}

/** Sums take their axes as an input, the others as an attribute. */
function reduced(
  graph: GraphBuilder,
  x: GraphValue,
  opType: string,
  axes: number[],
  keepdims: 0 | 1,
  name: string,
) {
  return opType === "ReduceSum"
    ? graph.add(opType, [x.name, graph.integers(axes)], name, { keepdims })
    : graph.add(opType, [x.name], name, { axes, keepdims });
}

export const reduce: LayerKind = {
  classNames: ["Reduce"],
  layout: "any",
  write: (graph, node, [x]) => {
    const { reduction, axes, keepDims } = settings(node) as {
      reduction: ReductionName;
      axes: number[];
      keepDims: boolean;
    };
    const places = axes.map((axis) => axisOf(x, axis)).sort((a, b) => a - b);
    const name = reduced(graph, x, reductions[reduction].opType, places, keepDims ? 1 : 0, node.key);
    const order = keepDims ? x.order : orderWithout(x.order, axes);
    return { ...x, name, shape: outputLengths(node), order };
  },
};
