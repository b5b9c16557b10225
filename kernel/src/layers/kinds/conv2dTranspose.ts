import { imageAxes } from "../../onnx/layout";
import { axisWindow, perAxis, windowAttributes } from "../window";
import { fusedActivation } from "./activations";
import { biasInput, convolutionFault, filtersFirst } from "./convolution";
import { imageOutput, type LayerKind, outputLengths, settings, sizeOf, weightBytes } from "./kind";

/** The transpose of a convolution: from the shape that one makes to the shape that it takes. */
export const conv2dTranspose: LayerKind = {
  classNames: ["Conv2DTranspose"],
  layout: "channelsFirst",
  cost: (node) => {
    const [height, width, outputs] = node.layer.getWeights()[0].shape;
    const operations = sizeOf(node.inputShapes[0].slice(1)) * height * width * outputs;
    return { operations, bytes: weightBytes(node) };
  },
  fault: convolutionFault,
  write: (graph, node, [x]) => {
    const [weight, bias] = node.layer.getWeights(); // weight (height, width, M, channels)
    const { kernelSize, strides, padding, dataFormat } = settings(node);
    const [filters, steps] = [perAxis(kernelSize, 2), perAxis(strides, 2)];
    const made = imageAxes(4, dataFormat).space.map((axis) => outputLengths(node)[axis - 1]);
    const windows = made.map((length, i) => axisWindow(length, filters[i], steps[i], 1, padding));
    const inputs = [x.name, filtersFirst(graph, node, weight, "weight"), ...biasInput(graph, node, bias)];
    const y = graph.add("ConvTranspose", inputs, node.key, {
      ...windowAttributes(windows),
      // Steps wider than the filter leave a gap behind the last window.
      output_padding: filters.map((filter, i) => Math.max(0, steps[i] - filter)),
    });
    return fusedActivation(graph, node, imageOutput(node, y));
  },
};
