import { DataType } from "../../onnx/builder";
import { axisOf } from "../../onnx/graphBuilder";
import { type LayerKind, settings } from "./kind";

/** Zeros where all features of a position equal `maskValue`. */
export const masking: LayerKind = {
  classNames: ["Masking"],
  makesMask: () => true,
  layout: "any",
  write: (graph, node, [x]) => {
    const { key } = node;
    const value = graph.scalar(settings(node).maskValue as number);
    const equal = graph.add("Equal", [x.name, value], `${key}/equal`);
    const differs = graph.add("Not", [equal], `${key}/differs`);
    const numbers = graph.add("Cast", [differs], `${key}/numbers`, { to: DataType.FLOAT });
    const mask = graph.add("ReduceMax", [numbers], `${key}/mask`, { axes: [axisOf(x, -1)], keepdims: 1 });
    return { ...x, name: graph.add("Mul", [x.name, mask], key) };
  },
};
