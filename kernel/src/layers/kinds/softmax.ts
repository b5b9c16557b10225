import { axisOf } from "../../onnx/graphBuilder";
import { type LayerKind, settings } from "./kind";

/** The axes of a Softmax layer, counted from the batch. */
function axesOf(axis: unknown, rank: number): number[] {
  const given = (Array.isArray(axis) ? axis : [axis]) as number[];
  return given.map((one) => (one < 0 ? one + rank : one));
}

/** eˣ / Σeˣ along one axis, or over several at once. */
export const softmax: LayerKind = {
  classNames: ["Softmax"],
  end: { activation: "softmax" },
  readsMask: "use a layer with activation softmax instead", // this one adds the mask to whatever it gets
  layout: "any",
  fault: (node) => {
    const { axis } = settings(node);
    const rank = node.inputShapes[0].length;
    const axes = axesOf(axis, rank);
    if (axes.some((one) => !(one > 0 && one < rank)))
      return `axis must be from 1 to ${rank - 1} (got ${JSON.stringify(axis)})`;
    if (axes.length === 1 && axes[0] !== rank - 1)
      return `axis must be the last one, ${rank - 1} or −1, since TensorFlow.js computes no softmax along another (got ${JSON.stringify(axis)})`;
    return null;
  },
  write: (graph, node, [x]) => {
    const axes = axesOf(settings(node).axis, x.order.length).map((axis) => axisOf(x, axis));
    const { key } = node;
    if (axes.length === 1) return { ...x, name: graph.add("Softmax", [x.name], key, { axis: axes[0] }) };
    const maximum = graph.add("ReduceMax", [x.name], `${key}/maximum`, { axes, keepdims: 1 });
    const shifted = graph.add("Sub", [x.name, maximum], `${key}/shifted`);
    const powers = graph.add("Exp", [shifted], `${key}/powers`);
    const sum = graph.add("ReduceSum", [powers, graph.integers(axes)], `${key}/sum`, { keepdims: 1 });
    return { ...x, name: graph.add("Div", [powers, sum], key) };
  },
};
