import type { GraphBuilder, GraphValue } from "../../onnx/graphBuilder";
import { lengthsOf } from "../../onnx/graphBuilder";
import type { GraphNode } from "../graph";
import { type LayerKind, outputLengths } from "./kind";

/**
 * Inputs made ready for ONNX's broadcasting, as tf.js' merge layers do it: an input of a lower rank gets axes of length 1
 * behind its batch axis, so that (N, c) beside (N, h, w, c) becomes (N, 1, 1, c). All come out in the order of the first
 * input of the highest rank.
 */
function broadcastable(
  graph: GraphBuilder,
  inputs: GraphValue[],
): { names: string[]; order: readonly number[] } {
  const rank = Math.max(...inputs.map((input) => input.order.length));
  const { order } = inputs.find((input) => input.order.length === rank)!;
  const names = inputs.map((input) => {
    const missing = rank - input.order.length;
    if (missing === 0) return graph.inOrder(input, order).name;
    const own = order
      .filter((axis) => axis === 0 || axis > missing)
      .map((axis) => (axis === 0 ? 0 : axis - missing));
    const ordered = graph.inOrder(input, own);
    const lengths = lengthsOf({
      ...input,
      shape: [...Array<number>(missing).fill(1), ...input.shape],
      order,
    });
    return graph.add("Reshape", [ordered.name, graph.integers([0, ...lengths])], `${input.name}/expanded`);
  });
  return { names, order };
}

/** tf.js decides at its first call whether a merge layer evens out ranks; a later call with others is not what it seems. */
function rankFault(node: GraphNode): string | null {
  const ranks = new Set(node.inputShapes.map((shape) => shape.length));
  if (ranks.size === 1 || Reflect.get(node.layer, "reshapeRequired") !== false) return null;
  return `inputs must have as many axes as each other, since the layer's first call had such (got ${node.inputShapes.map((shape) => shape.length).join(" and ")}); use a layer of its own for each call`;
}

const merge = (className: string, opType: string): LayerKind => ({
  classNames: [className],
  layout: "any",
  fault: rankFault,
  write: (graph, node, inputs) => {
    const { names, order } = broadcastable(graph, inputs);
    const average = className === "Average";
    const isSum = opType === "Add" && new Set(inputs.map(({ shape }) => shape.join())).size === 1;
    const name = names.reduce((sum, other, i) => {
      const wanted = i === names.length - 1 && !average ? node.key : `${node.key}/part`;
      const made = graph.add(opType, [sum, other], wanted);
      if (isSum) graph.sums.add(made);
      return made;
    });
    return {
      name: average ? graph.add("Mul", [name, graph.scalar(1 / names.length)], node.key) : name,
      shape: outputLengths(node),
      order,
      type: "float32",
    };
  },
});

/** The sum of the inputs. */
export const add = merge("Add", "Add");
/** Their product. */
export const multiply = merge("Multiply", "Mul");
/** Their mean. */
export const average: LayerKind = { ...merge("Average", "Add"), end: "averages" };
/** Element by element the largest. */
export const maximum = merge("Maximum", "Max");
/** Element by element the smallest. */
export const minimum = merge("Minimum", "Min");
