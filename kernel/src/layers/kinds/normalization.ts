import type * as tf from "@tensorflow/tfjs-node";
import { FloatValue } from "../../onnx/builder";
import { floats, type LayerKind, outputSize, settings } from "./kind";

const from = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** γ and β of a layer, ones and zeros where it has none, and its other weights. */
function scaleAndShift(
  layer: tf.layers.Layer,
  size: number,
): { gamma: Float32Array; beta: Float32Array; rest: tf.Tensor[] } {
  const { scale, center } = layer.getConfig();
  const rest = layer.getWeights();
  const gamma = scale === false ? new Float32Array(size).fill(1) : floats(rest.shift()!);
  const beta = center === false ? new Float32Array(size) : floats(rest.shift()!);
  return { gamma, beta, rest };
}

/** A batch norm in inference as x·factor + offset per channel: float64 (channels) each. */
export function normAffine(layer: tf.layers.Layer): { factor: Float64Array; offset: Float64Array } {
  const [{ shape }] = layer.getWeights().slice(-1);
  const { gamma, beta, rest } = scaleAndShift(layer, shape[0]);
  const [mean, variance] = rest.map(floats);
  const epsilon = layer.getConfig().epsilon as number;
  const factor = Float64Array.from(gamma, (scale, c) => scale / Math.sqrt(variance[c] + epsilon));
  return { factor, offset: Float64Array.from(beta, (shift, c) => shift - mean[c] * factor[c]) };
}

/** (x − mean) / √(variance + ε) · γ + β with the moving moments, along one axis. */
export const batchNormalization: LayerKind = {
  classNames: ["BatchNormalization"],
  layout: "any",
  fault: (node) => {
    const rank = node.inputShapes[0].length;
    const axis = settings(node).axis as number;
    return from(axis, rank) > 0 ? null : `axis must be from 1 to ${rank - 1} (got ${axis})`;
  },
  write: (graph, node, [x]) => {
    const { axis, epsilon } = settings(node) as { axis: number; epsilon: number };
    const channels = from(axis, x.order.length);
    const y = graph.inOrder(x, [0, channels, ...x.order.filter((one) => one !== 0 && one !== channels)]);
    const size = x.shape[channels - 1];
    const { gamma, beta, rest } = scaleAndShift(node.layer, size);
    const [mean, variance] = rest.map(floats);
    const constants = Object.entries({ gamma, beta, mean, variance }).map(([name, data]) =>
      graph.sharedConstant(`${node.name}/${name}`, () => ({ data, dims: [size] })),
    );
    const name = graph.add("BatchNormalization", [y.name, ...constants], node.key, {
      epsilon: new FloatValue(epsilon),
    });
    return { ...y, name };
  },
};

/** The same with the moments of each example along some axes. */
export const layerNormalization: LayerKind = {
  classNames: ["LayerNormalization"],
  layout: "any",
  cost: (node) => ({ operations: 5 * outputSize(node), bytes: 0 }),
  fault: (node) => {
    const rank = node.inputShapes[0].length;
    const axes = settings(node).axis as number[];
    return axes.includes(0) ? `axis must be from 1 to ${rank - 1} (got ${axes.join(", ")})` : null;
  },
  write: (graph, node, [x]) => {
    const { axis, epsilon } = settings(node) as { axis: number[]; epsilon: number };
    const axes = [...axis].sort((a, b) => a - b);
    const others = x.order.filter((one) => !axes.includes(one));
    const y = graph.inOrder(x, [...others, ...axes]);
    const dims = axes.map((one) => x.shape[one - 1]);
    const { gamma, beta } = scaleAndShift(
      node.layer,
      dims.reduce((product, length) => product * length, 1),
    );
    const constants = Object.entries({ gamma, beta }).map(([name, data]) =>
      graph.sharedConstant(`${node.name}/${name}`, () => ({ data, dims })),
    );
    const name = graph.add("LayerNormalization", [y.name, ...constants], node.key, {
      axis: others.length,
      epsilon: new FloatValue(epsilon),
    });
    return { ...y, name };
  },
};
