import * as tf from "@tensorflow/tfjs-node";
import { LUTNN_DOMAIN } from "../../onnx/builder";
import { LutDense } from "../lutDense";
import { activationFault, fusedActivation } from "./activations";
import { biasInput } from "./convolution";
import { floats, type LayerKind, outputLengths, plainOutput } from "./kind";
import { lookupConstants, lookupOperator } from "./lookupConstants";

/** The last axis times a matrix, at any rank. */
export const dense: LayerKind = {
  classNames: ["Dense"],
  layout: "plain",
  fault: activationFault,
  write: (graph, node, [x]) => {
    const [weight, bias] = node.layer.getWeights();
    const matrix = graph.sharedConstant(`${node.name}/weight`, () => ({
      data: floats(weight),
      dims: weight.shape,
    }));
    const name = bias ? `${node.key}/product` : node.key;
    const product = graph.add("MatMul", [x.name, matrix], name);
    const y = bias ? graph.add("Add", [product, ...biasInput(graph, node, bias)], node.key) : product;
    return fusedActivation(graph, node, plainOutput(node, y));
  },
  linear: (node) => {
    const { layer } = node;
    const weight = () => layer.getWeights()[0] as tf.Tensor2D;
    const [inputLength, outputs] = weight().shape;
    return {
      op: "dense",
      positions: outputLengths(node)
        .slice(0, -1)
        .reduce((product, length) => product * length, 1),
      inputLength,
      outputs,
      filterArea: 1,
      rows: (x) => x.reshape([-1, inputLength]),
      rowsAt: (x, indices) =>
        tf.gather(
          x.reshape([-1, inputLength]),
          tf.tensor1d(Int32Array.from(indices), "int32"),
        ) as tf.Tensor2D,
      weight: () => weight().clone(),
      bias: () => (layer.getConfig().useBias === false ? null : floats(layer.getWeights()[1])),
      inputGradient: (dy) => tf.matMul(dy as tf.Tensor2D, weight(), false, true),
    };
  },
  lookupTwin: LutDense,
};

/** A dense layer that is looked up. */
export const lutDense: LayerKind = {
  classNames: ["LutDense"],
  layout: "plain",
  fault: activationFault,
  write: (graph, node, [x], norm) => {
    const operator = lookupOperator(node, "LutMatMul");
    const inputs = [x.name, ...lookupConstants(graph, node, norm)];
    const y = graph.add(operator, inputs, node.key, {}, LUTNN_DOMAIN);
    return fusedActivation(graph, node, plainOutput(node, y));
  },
};
