import { axisOf, type GraphValue } from "../../onnx/graphBuilder";
import { imageAxes } from "../../onnx/layout";
import type { GraphNode } from "../graph";
import { type LayerKind, outputLengths, settings } from "./kind";

/** The ONNX axes of an image's rows and columns. */
const spaceOf = (node: GraphNode, x: GraphValue): number[] =>
  imageAxes(x.order.length, settings(node).dataFormat).space.map((axis) => axisOf(x, axis));

/** Zeros around images. */
export const zeroPadding2d: LayerKind = {
  classNames: ["ZeroPadding2D"],
  layout: "any",
  write: (graph, node, [x]) => {
    const padding = settings(node).padding as [number, number][];
    const rank = x.order.length;
    const pads = Array<number>(2 * rank).fill(0);
    spaceOf(node, x).forEach((axis, i) => {
      [pads[axis], pads[rank + axis]] = padding[i];
    });
    const name = graph.add("Pad", [x.name, graph.integers(pads)], node.key);
    return { ...x, name, shape: outputLengths(node) };
  },
};

/** Images without their edges. */
export const cropping2d: LayerKind = {
  classNames: ["Cropping2D"],
  end: "rearranges",
  layout: "any",
  integers: true,
  write: (graph, node, [x]) => {
    const cropping = settings(node).cropping as [number, number][];
    const axes = spaceOf(node, x);
    const starts = cropping.map(([before]) => before);
    const ends = axes.map((axis, i) => x.shape[x.order[axis] - 1] - cropping[i][1]);
    const bounds = [starts, ends, axes].map((values) => graph.integers(values));
    return { ...x, name: graph.add("Slice", [x.name, ...bounds], node.key), shape: outputLengths(node) };
  },
};

/** Larger images: every pixel repeated, or interpolated. */
export const upSampling2d: LayerKind = {
  classNames: ["UpSampling2D"],
  end: "rearranges",
  layout: "channelsFirst",
  write: (graph, node, [x]) => {
    const { size, interpolation } = settings(node) as { size: number[]; interpolation: string };
    const scales = graph.sharedConstant(`scales/${size.join("_")}`, () => ({
      data: Float32Array.of(1, 1, ...size),
      dims: [4],
    }));
    const name = graph.add("Resize", [x.name, "", scales], node.key, {
      mode: interpolation === "nearest" ? "nearest" : "linear",
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    });
    return { ...x, name, shape: outputLengths(node) };
  },
};
