import { FloatValue } from "../../onnx/builder";
import { lengthsOf } from "../../onnx/graphBuilder";
import { reorder } from "../../onnx/layout";
import { clippedRelu } from "./activations";
import { floats, type LayerKind, settings } from "./kind";

/** max(x, 0), or clipped at `maxValue` too. */
export const reLU: LayerKind = {
  classNames: ["ReLU"],
  end: { activation: "relu" },
  layout: "any",
  write: (graph, node, [x]) => {
    const maximum = settings(node).maxValue as number | null | undefined;
    const name =
      maximum === null || maximum === undefined
        ? graph.add("Relu", [x.name], node.key)
        : clippedRelu(maximum)(graph, x, node.key);
    return { ...x, name };
  },
};

/** x, or alpha·x below 0. */
export const leakyReLU: LayerKind = {
  classNames: ["LeakyReLU"],
  end: { activation: "leakyReLU" },
  layout: "any",
  write: (graph, node, [x]) => {
    const alpha = new FloatValue(settings(node).alpha as number);
    return { ...x, name: graph.add("LeakyRelu", [x.name], node.key, { alpha }) };
  },
};

/** The same with a learned alpha for each position, one for all along `sharedAxes`. */
export const pReLU: LayerKind = {
  classNames: ["PReLU"],
  end: { activation: "prelu" },
  layout: "any",
  write: (graph, node, [x]) => {
    const [alpha] = node.layer.getWeights();
    const order = x.order.slice(1).map((axis) => axis - 1);
    const slope = graph.sharedConstant(`${node.name}/alpha/${order.join("_")}`, () => ({
      data: reorder(floats(alpha), alpha.shape, order),
      dims: lengthsOf({ ...x, shape: alpha.shape }),
    }));
    return { ...x, name: graph.add("PRelu", [x.name, slope], node.key) };
  },
};

/** x, or eˣ − 1 below 0. */
export const eLU: LayerKind = {
  classNames: ["ELU"],
  end: { activation: "elu" },
  layout: "any",
  write: (graph, node, [x]) => ({ ...x, name: graph.add("Elu", [x.name], node.key) }),
};

/** x above theta, else 0. */
export const thresholdedReLU: LayerKind = {
  classNames: ["ThresholdedReLU"],
  end: { activation: "thresholdedReLU" },
  layout: "any",
  write: (graph, node, [x]) => {
    const alpha = new FloatValue(settings(node).theta as number);
    return { ...x, name: graph.add("ThresholdedRelu", [x.name], node.key, { alpha }) };
  },
};
