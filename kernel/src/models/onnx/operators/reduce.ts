import * as tf from "@tensorflow/tfjs-node";
import { Elementwise } from "../../../layers/kinds/elementwise";
import { Reduce, type ReductionName } from "../../../layers/kinds/reduce";
import { sameOrder } from "../../../onnx/layout";
import type { Draft } from "../draft";
import { dimsText, type Operation } from "../operation";
import { dimsOf, fromFront, type Traced } from "../value";
import type { Build, Builders } from "./builder";

/** The axes of the file that are reduced. */
function axesOf(operation: Operation, x: Traced): number[] {
  const rank = x.order.length;
  const given = operation.intsOf("axes", 1);
  const isAll = !given || given.length === 0;
  if (isAll && operation.int("noop_with_empty_axes", 0) !== 0) return [];
  const axes = isAll ? x.order.map((_, i) => i) : given.map((axis) => fromFront(axis, rank));
  if (axes.some((axis) => x.order[axis] === 0))
    operation.refuse(
      "the batch must stay whole",
      `axes ${axes.join(", ")} of ${dimsText(x)}`,
      "cut the network before it with outputs",
    );
  return axes;
}

/** Means and maxima over the whole of an image are what tf.js has layers for. */
function isOverSpace(x: Traced, axes: readonly number[]): boolean {
  const own = axes.map((axis) => x.order[axis]).sort();
  return x.order.length === 4 && sameOrder(own, [1, 2]) && sameOrder(x.order, [0, 3, 1, 2]);
}

function reduced(draft: Draft, operation: Operation, x: Traced, reduction: ReductionName): Traced {
  const axes = axesOf(operation, x);
  if (axes.length === 0) return x;
  const old = dimsOf(x);
  const keeps = operation.int("keepdims", 1) !== 0;
  const dims = old
    .map((length, i) => (axes.includes(i) ? 1 : length))
    .filter((_, i) => keeps || !axes.includes(i));
  if (isOverSpace(x, axes) && (reduction === "mean" || reduction === "maximum")) {
    const pooled = draft.apply(operation, x.tensor, (name) =>
      reduction === "mean"
        ? tf.layers.globalAveragePooling2d({ name })
        : tf.layers.globalMaxPooling2d({ name }),
    );
    return draft.withUnits(operation, { ...x, tensor: pooled, order: [0, 1] }, dims);
  }
  const own = axes.map((axis) => x.order[axis]).sort((a, b) => a - b);
  const tensor = draft.apply(
    operation,
    x.tensor,
    (name) => new Reduce({ reduction, axes: own, keepDims: true, name }),
  );
  const kept = { ...x, tensor };
  return keeps ? kept : draft.withUnits(operation, kept, dims);
}

const reduce =
  (reduction: ReductionName): Build =>
  (draft, operation) =>
    reduced(draft, operation, operation.traced(0), reduction);

/** √Σx² */
const norm: Build = (draft, operation) => {
  const x = operation.traced(0);
  const square = draft.apply(operation, x.tensor, (name) => new Elementwise({ operation: "square", name }), {
    suffix: "_square",
  });
  const sum = reduced(draft, operation, { ...x, tensor: square }, "sum");
  const tensor = draft.apply(
    operation,
    sum.tensor,
    (name) => new Elementwise({ operation: "squareRoot", name }),
  );
  return { ...sum, tensor };
};

export const reductions: Builders = {
  ReduceL2: norm,
  ReduceMax: reduce("maximum"),
  ReduceMean: reduce("mean"),
  ReduceMin: reduce("minimum"),
  ReduceSum: reduce("sum"),
};
