import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import type { GraphBuilder, GraphValue } from "../../onnx/graphBuilder";
import { oneTensor } from "../oneInput";
import { type LayerKind, settings } from "./kind";

/** The numbers that some operations take: bounds of `clip`, the exponent of `power`. */
export interface ElementwiseNumbers {
  minimum?: number;
  maximum?: number;
  exponent?: number;
}

interface Operation {
  compute(x: tf.Tensor, numbers: ElementwiseNumbers): tf.Tensor;
  write(graph: GraphBuilder, x: GraphValue, name: string, numbers: ElementwiseNumbers): string;
}

const operator = (opType: string, compute: (x: tf.Tensor) => tf.Tensor): Operation => ({
  compute,
  write: (graph, x, name) => graph.add(opType, [x.name], name),
});

/** A bound of `clip`, none where it is left out. */
const bound = (graph: GraphBuilder, value: number | undefined): string =>
  value === undefined ? "" : graph.scalar(value);

const operations = {
  absolute: operator("Abs", tf.abs),
  clip: {
    compute: (x, { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY }) =>
      tf.clipByValue(x, minimum, maximum),
    write: (graph, x, name, { minimum, maximum }) =>
      graph.add("Clip", [x.name, bound(graph, minimum), bound(graph, maximum)], name),
  },
  erf: operator("Erf", tf.erf),
  exponential: operator("Exp", tf.exp),
  logarithm: operator("Log", tf.log),
  power: {
    compute: (x, { exponent = 1 }) => tf.pow(x, exponent),
    write: (graph, x, name, { exponent = 1 }) => graph.add("Pow", [x.name, graph.scalar(exponent)], name),
  },
  reciprocal: operator("Reciprocal", tf.reciprocal),
  square: {
    compute: (x) => tf.square(x),
    write: (graph, x, name) => graph.add("Mul", [x.name, x.name], name),
  },
  squareRoot: operator("Sqrt", tf.sqrt),
} satisfies Record<string, Operation>;

export type ElementwiseOperation = keyof typeof operations;

export interface ElementwiseConfig extends ElementwiseNumbers {
  name?: string;
  operation: ElementwiseOperation;
}

/** A function of each number by itself, of any shape, without weights: `operation` names it. Differentiable where it is. */
export class Elementwise extends tf.layers.Layer {
  static className = "Elementwise";
  readonly operation: ElementwiseOperation;
  readonly numbers: ElementwiseNumbers;

  /** @param config `operation`, the numbers that it takes, and what every layer takes. Throws LutnnError on another operation. */
  constructor(config: ElementwiseConfig) {
    super({ ...config });
    const { operation, minimum, maximum, exponent } = config;
    if (!Object.hasOwn(operations, operation))
      throw new LutnnError(
        `${this.name}: operation must be one of ${Object.keys(operations).join(", ")} (got ${operation})`,
      );
    this.operation = operation;
    this.numbers = { minimum, maximum, exponent };
    this.supportsMasking = true;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const given = Object.entries(this.numbers).filter(([, value]) => value !== undefined);
    return { ...super.getConfig(), operation: this.operation, ...Object.fromEntries(given) };
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => operations[this.operation].compute(oneTensor(inputs), this.numbers));
  }
}
tf.serialization.registerClass(Elementwise);

export const elementwise: LayerKind = {
  classNames: ["Elementwise"],
  layout: "any",
  write: (graph, node, [x]) => {
    const { operation, ...numbers } = settings(node) as unknown as ElementwiseConfig;
    return { ...x, name: operations[operation].write(graph, x, node.key, numbers) };
  },
};
