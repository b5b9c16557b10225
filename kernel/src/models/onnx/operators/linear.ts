import * as tf from "@tensorflow/tfjs-node";
import { MatMul } from "../../../layers/kinds/matMul";
import { plainOrder } from "../../../onnx/layout";
import { type Draft, floatsOf, vectorOf, weightTensor } from "../draft";
import { dimsText, type Operation } from "../operation";
import { type Constant, dimsOf, product, type Traced } from "../value";
import type { Build, Builders } from "./builder";

/** The value with the batch first and its axes in the file's order. */
function batchFirst(draft: Draft, operation: Operation, x: Traced): Traced {
  const plain = draft.plain(operation, x);
  if (plain.order[0] !== 0)
    operation.refuse(
      "the batch must be the first axis of what is multiplied",
      dimsText(x),
      "export the network with the batch first",
    );
  return plain;
}

/** The last axis times a matrix (D, M), and a bias. */
function dense(
  draft: Draft,
  operation: Operation,
  x: Traced,
  matrix: () => tf.Tensor,
  units: number,
  bias: Constant | null,
  weightName?: string,
): Traced {
  const tensor = draft.apply(
    operation,
    x.tensor,
    (name) => tf.layers.dense({ units, useBias: bias !== null, kernelInitializer: "zeros", name }),
    { weights: () => [matrix(), ...(bias ? [vectorOf(bias)] : [])], weightName },
  );
  return { ...x, tensor };
}

/** A constant that is to be a bias of `units` numbers. */
function biasOf(operation: Operation, bias: Constant | null, units: number, factor = 1): Constant | null {
  if (!bias) return null;
  const count = product(bias.dims);
  const isRow = (bias.dims[bias.dims.length - 1] ?? 1) === count && (count === units || count === 1);
  if (!isRow)
    return operation.refuse(
      `the bias must be a row of ${units} numbers`,
      bias.dims.join("×"),
      "export the network anew",
    );
  const values = floatsOf(bias);
  return {
    ...bias,
    dims: [units],
    data: Float32Array.from({ length: units }, (_, i) => factor * values[count === 1 ? 0 : i]),
  };
}

/** Places that were compared with all there are, times a matrix: rows of that matrix. */
function embedding(
  draft: Draft,
  operation: Operation,
  { indices, depth }: { indices: Traced; depth: number },
  matrix: Constant,
  bias: Constant | null,
): Traced {
  const plain = batchFirst(draft, operation, indices);
  const units = matrix.dims[1];
  if (matrix.dims[0] !== depth)
    operation.refuse(`the matrix must have ${depth} rows`, matrix.dims.join("×"), "export the network anew");
  const offsets = bias ? floatsOf(bias) : new Float32Array(units);
  const rows = floatsOf(matrix).map((value, i) => value + offsets[i % units]);
  const tensor = draft.apply(
    operation,
    plain.tensor,
    (name) =>
      tf.layers.embedding({ inputDim: depth, outputDim: units, embeddingsInitializer: "zeros", name }),
    { weights: () => [tf.tensor2d(rows, [depth, units])], weightName: matrix.name },
  );
  return { kind: "traced", tensor, order: plainOrder(plain.order.length + 1), type: "float32" };
}

/** Of values alone: matrices times matrices, those of each example by themselves. */
function products(draft: Draft, operation: Operation, given: readonly [Traced, Traced]): Traced {
  const rank = Math.max(...given.map(({ order }) => order.length));
  const [a, b] = given.map((one) => batchFirst(draft, operation, draft.withRank(operation, one, rank)));
  const dims = dimsOf(a)
    .slice(0, -2)
    .map((length, i) => (length === 1 ? dimsOf(b)[i] : length));
  const inputs = [a, b].map((one) => draft.expanded(operation, one, [...dims, ...dimsOf(one).slice(-2)]));
  const tensor = draft.merge(
    operation,
    inputs.map((one) => one.tensor),
    (name) => new MatMul({ name }),
  );
  return { kind: "traced", tensor, order: a.order, type: "float32" };
}

/** The third input is this library's own: a bias that was added behind (see patterns.ts). */
const matMul: Build = (draft, operation) => {
  const [first, second] = [operation.input(0), operation.input(1)];
  if (first.kind === "traced" && second.kind === "traced") return products(draft, operation, [first, second]);
  const x = operation.traced(0);
  const matrix = operation.constant(1, "the matrix");
  if (matrix.dims.length !== 2)
    operation.refuse(
      "a constant that values are multiplied by must be one matrix",
      matrix.dims.join("×"),
      "export the network with matrices of two axes",
    );
  const bias = biasOf(operation, operation.constantOrNull(2, "the bias"), matrix.dims[1]);
  if (x.oneHot) return embedding(draft, operation, x.oneHot, matrix, bias);
  const rows = batchFirst(draft, operation, x);
  const last = rows.tensor.shape[rows.order.length - 1];
  if (last !== matrix.dims[0])
    operation.refuse(
      `the matrix must have ${last} rows for what it multiplies, ${dimsText(rows)}`,
      matrix.dims.join("×"),
      "inputShape is not the network's: give another",
    );
  return dense(draft, operation, rows, () => weightTensor(matrix, [0, 1]), matrix.dims[1], bias, matrix.name);
};

const gemm: Build = (draft, operation) => {
  const x = operation.traced(0);
  const matrix = operation.constant(1, "B");
  const [alpha, beta] = [operation.float("alpha", 1), operation.float("beta", 1)];
  if (operation.int("transA", 0) !== 0 || x.order.length !== 2)
    operation.refuse(
      "A must be a matrix with an example in each row",
      `transA ${operation.int("transA", 0)} and ${dimsText(x)}`,
      "export the network with transA 0",
    );
  const rows = batchFirst(draft, operation, x);
  const order = operation.int("transB", 0) === 0 ? [0, 1] : [1, 0];
  const [length, units] = order.map((axis) => matrix.dims[axis]);
  if (rows.tensor.shape[1] !== length)
    operation.refuse(
      `B must have ${rows.tensor.shape[1]} rows for what it multiplies`,
      `${length}×${units}`,
      "inputShape is not the network's: give another",
    );
  const scaled: Constant =
    alpha === 1 ? matrix : { ...matrix, data: floatsOf(matrix).map((value) => alpha * value) };
  const bias = biasOf(operation, operation.constantOrNull(2, "C"), units, beta);
  return dense(draft, operation, rows, () => weightTensor(scaled, order), units, bias, matrix.name);
};

export const linear: Builders = { Gemm: gemm, MatMul: matMul };
