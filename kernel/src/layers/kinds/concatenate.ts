import { axisOf } from "../../onnx/graphBuilder";
import { type LayerKind, outputLengths, settings } from "./kind";

/** The inputs one after the other along an axis. */
export const concatenate: LayerKind = {
  classNames: ["Concatenate"],
  layout: "any",
  fault: (node) => {
    const axis = settings(node).axis as number;
    const rank = node.inputShapes[0].length;
    if (axis === -1 || (axis > 0 && axis < rank)) return null;
    return `axis must be −1 or from 1 to ${rank - 1}, since TensorFlow.js takes every other negative one for −1 (got ${axis})`;
  },
  write: (graph, node, inputs) => {
    const { order } = inputs[0];
    const names = inputs.map((input) => graph.inOrder(input, order).name);
    const axis = axisOf(inputs[0], settings(node).axis as number);
    return {
      name: graph.add("Concat", names, node.key, { axis }),
      shape: outputLengths(node),
      order,
      type: "float32",
    };
  },
};
