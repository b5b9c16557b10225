import { axisOf, type GraphBuilder, type GraphValue, lengthsOf } from "../../onnx/graphBuilder";
import { imageAxes } from "../../onnx/layout";
import type { GraphNode } from "../graph";
import { axisWindows, windowAttributes } from "../window";
import { imageOutput, type LayerKind, plainOutput, settings } from "./kind";

/**
 * ONNX Runtime (1.30, the one of onnxruntime-node) merges zero padding into the pooling behind it, whose own padding is
 * not zeros, and so computes something else. A filter of ones between them keeps them apart; padding merges with it well.
 */
function apartFromPadding(graph: GraphBuilder, node: GraphNode, x: GraphValue): string {
  if (!graph.isMadeBy("Pad", x)) return x.name;
  const [channels, ...space] = lengthsOf(x);
  const ones = graph.sharedConstant(`ones/${channels}/${space.length}`, () => ({
    data: new Float32Array(channels).fill(1),
    dims: [channels, 1, ...space.map(() => 1)],
  }));
  return graph.add("Conv", [x.name, ones], `${node.key}/padded`, { group: channels });
}

/** Windows along a sequence or an image; padding counts for nothing, in the mean neither. */
const pool = (classNames: string[], opType: string): LayerKind => ({
  classNames,
  layout: "channelsFirst",
  write: (graph, node, [x]) => {
    const { poolSize, strides, padding, dataFormat } = settings(node);
    const lengths = imageAxes(x.order.length, dataFormat).space.map((axis) => x.shape[axis - 1]);
    const {
      kernel_shape,
      strides: steps,
      pads,
    } = windowAttributes(axisWindows({ poolSize, strides, padding }, lengths));
    // Behind a ReLU zeros are as small as any number, so that the largest may be taken without them.
    const zeros = opType === "MaxPool" ? graph.beforePadding(x.name, x.order.length) : null;
    const fits = zeros?.pads.every((length, i) => pads[i] + length < kernel_shape[i % kernel_shape.length]);
    if (zeros && fits && graph.isMadeBy("Relu", { ...x, name: zeros.name })) {
      const all = pads.map((own, i) => own + zeros.pads[i]);
      const attributes = { kernel_shape, strides: steps, pads: all };
      return imageOutput(node, graph.add(opType, [zeros.name], node.key, attributes));
    }
    const padded = apartFromPadding(graph, node, x);
    return imageOutput(node, graph.add(opType, [padded], node.key, { kernel_shape, strides: steps, pads }));
  },
});

export const maxPooling = pool(["MaxPooling1D", "MaxPooling2D"], "MaxPool");
export const averagePooling: LayerKind = {
  ...pool(["AveragePooling1D", "AveragePooling2D"], "AveragePool"),
  end: "averages",
};

/** One number for each channel of a sequence or an image. */
const globalPool = (classNames: string[], opType: string): LayerKind => ({
  classNames,
  layout: "any",
  write: (graph, node, [x]) => {
    const { space } = imageAxes(x.order.length, settings(node).dataFormat);
    const axes = space.map((axis) => axisOf(x, axis)).sort();
    return plainOutput(node, graph.add(opType, [x.name], node.key, { axes, keepdims: 0 }));
  },
});

export const globalMaxPooling = globalPool(["GlobalMaxPooling1D", "GlobalMaxPooling2D"], "ReduceMax");
export const globalAveragePooling: LayerKind = {
  ...globalPool(["GlobalAveragePooling1D", "GlobalAveragePooling2D"], "ReduceMean"),
  end: "averages",
};
