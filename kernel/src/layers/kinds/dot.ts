import type { GraphBuilder, GraphValue } from "../../onnx/graphBuilder";
import type { GraphNode } from "../graph";
import { type LayerKind, outputLengths, outputSize, settings } from "./kind";

/** The contracted axis of each input. */
function contracted(node: GraphNode): number[] {
  const axes = settings(node).axes as number | number[];
  return node.inputShapes.map((shape, i) => {
    const axis = Array.isArray(axes) ? axes[i] : axes;
    return axis < 0 ? axis + shape.length : axis;
  });
}

/** x / √max(Σx², 10⁻⁷) along an ONNX axis, as tf.js normalises. */
function normalized(graph: GraphBuilder, x: string, axis: number, key: string): string {
  const square = graph.add("Mul", [x, x], `${key}/square`);
  const sum = graph.add("ReduceSum", [square, graph.integers([axis])], `${key}/sum`, { keepdims: 1 });
  const bounded = graph.add("Max", [sum, graph.scalar(1e-7)], `${key}/bounded`);
  return graph.add("Div", [x, graph.add("Sqrt", [bounded], `${key}/norm`)], `${key}/normalized`);
}

/** Products of the examples' vectors or matrices along one axis of each. */
export const dot: LayerKind = {
  classNames: ["Dot"],
  layout: "any",
  cost: (node) => ({
    operations: outputSize(node) * (node.inputShapes[0][contracted(node)[0]] as number),
    bytes: 0,
  }),
  fault: (node) => {
    const [first, second] = contracted(node);
    const allowed = node.inputShapes.map((shape) => shape.length - 1);
    if (first > 0 && second > 0 && first <= allowed[0] && second <= allowed[1]) return null;
    return `axes must be from 1 to ${Math.min(...allowed)} (got ${JSON.stringify(settings(node).axes)})`;
  },
  write: (graph, node, inputs) => {
    const axes = contracted(node);
    // The contracted axis comes last in the first matrix and first in the second.
    const matrices = inputs.map((input, i) => {
      const others = input.order.filter((axis) => axis !== 0 && axis !== axes[i]);
      const ordered: GraphValue = graph.inOrder(
        input,
        i === 0 ? [0, ...others, axes[0]] : [0, axes[1], ...others],
      );
      const length = input.shape[axes[i] - 1];
      const other = others.length === 1 ? input.shape[others[0] - 1] : 1;
      const lengths = i === 0 ? [other, length] : [length, other];
      const matrix =
        others.length === 1
          ? ordered.name
          : graph.add("Reshape", [ordered.name, graph.integers([0, ...lengths])], `${node.key}/matrix`);
      return settings(node).normalize ? normalized(graph, matrix, i === 0 ? 2 : 1, node.key) : matrix;
    });
    const product: GraphValue = {
      name: graph.add("MatMul", matrices, `${node.key}/product`),
      shape: [],
      order: [0, 1, 2],
      type: "float32",
    };
    return graph.reshape(product, outputLengths(node), node.key);
  },
};
