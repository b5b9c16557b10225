import { isChannelsFirst, plainOrder } from "../../onnx/layout";
import { type LayerKind, outputLengths, plainOutput, settings } from "./kind";

/** All axes but the batch in one, channels last whatever `dataFormat` says of the input. */
export const flatten: LayerKind = {
  classNames: ["Flatten"],
  end: "rearranges",
  layout: "any",
  integers: true,
  write: (graph, node, [x]) => {
    const plain = plainOrder(x.order.length);
    const channelsLast = [0, ...plain.slice(2), 1];
    const ordered = graph.inOrder(x, isChannelsFirst(settings(node).dataFormat) ? channelsLast : plain);
    return {
      ...plainOutput(node, graph.add("Flatten", [ordered.name], node.key, { axis: 1 })),
      type: x.type,
    };
  },
};

/** The same numbers under another shape. */
export const reshape: LayerKind = {
  classNames: ["Reshape"],
  end: "rearranges",
  layout: "plain",
  integers: true,
  write: (graph, node, [x]) => graph.reshape(x, outputLengths(node), node.key),
};

/** Axes in another order: a matter of what they are called alone. */
export const permute: LayerKind = {
  classNames: ["Permute"],
  end: "rearranges",
  layout: "any",
  integers: true,
  write: (_graph, node, [x]) => {
    const from = [0, ...(settings(node).dims as number[])];
    return { ...x, shape: outputLengths(node), order: x.order.map((axis) => from.indexOf(axis)) };
  },
};

/** (N, D) → (N, n, D): the same n times. */
export const repeatVector: LayerKind = {
  classNames: ["RepeatVector"],
  layout: "plain",
  integers: true,
  write: (graph, node, [x]) => {
    const row = graph.reshape(x, [1, ...x.shape], `${node.key}/row`);
    const times = graph.integers([1, settings(node).n as number, 1]);
    return { ...plainOutput(node, graph.add("Tile", [row.name, times], node.key)), type: x.type };
  },
};
