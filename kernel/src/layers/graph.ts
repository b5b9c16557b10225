import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";

/** One application of a layer in a network. */
export interface GraphNode {
  layer: tf.layers.Layer;
  /** Keyword arguments of the call. */
  callArgs: Record<string, unknown>;
  /** Ids of the symbolic tensors it reads and makes. */
  inputs: number[];
  outputs: number[];
  /** Of the first output, batch axis first. */
  outputShape: tf.Shape;
}

/** The network as a functional model; a `tf.sequential` is wrapped, sharing its layers. */
export function asFunctional(model: tf.LayersModel): tf.LayersModel {
  if (!(model instanceof tf.Sequential)) return model;
  return tf.model({ inputs: model.inputs, outputs: model.outputs, name: model.name });
}

/**
 * The nodes of a functional network in an order in which every input is made before it is read, input layers left out.
 * Throws on networks with several inputs or outputs: conversion follows one stream of data.
 */
export function graphNodes(model: tf.LayersModel): GraphNode[] {
  if (model.inputs.length !== 1 || model.outputs.length !== 1)
    throw new LutnnError(
      `${model.name}: the network must have one input and one output (got ${model.inputs.length} and ${model.outputs.length})`,
    );
  const depths = Object.keys(model.nodesByDepth)
    .map(Number)
    .sort((a, b) => b - a);
  const nodes = depths.flatMap((depth) => model.nodesByDepth[depth]);
  return nodes
    .filter((node) => node.outboundLayer.getClassName() !== "InputLayer")
    .map((node) => ({
      layer: node.outboundLayer,
      callArgs: node.callArgs ?? {},
      inputs: node.inputTensors.map((tensor) => tensor.id),
      outputs: node.outputTensors.map((tensor) => tensor.id),
      outputShape: node.outputTensors[0].shape,
    }));
}

/** Applies a node's layer (or another one in its place) to concrete tensors. */
export function applyNode(node: GraphNode, inputs: tf.Tensor[], layer = node.layer): tf.Tensor[] {
  const outputs = layer.apply(inputs.length === 1 ? inputs[0] : inputs, node.callArgs) as
    | tf.Tensor
    | tf.Tensor[];
  return Array.isArray(outputs) ? outputs : [outputs];
}

/** Concrete tensors by the id of the symbolic tensor that they stand for. */
export type Values = Map<number, tf.Tensor>;

/** A graph being executed node by node on some inputs, so that layers can be exchanged and watched on the way. */
export class GraphRun {
  readonly nodes: GraphNode[];
  private readonly inputId: number;
  /** Id of the network's output among the values. */
  readonly outputId: number;

  constructor(readonly model: tf.LayersModel) {
    this.nodes = graphNodes(model);
    this.inputId = model.inputs[0].id;
    this.outputId = model.outputs[0].id;
  }

  /** The values before the first node. */
  start(input: tf.Tensor): Values {
    return new Map([[this.inputId, input]]);
  }

  inputsOf(node: GraphNode, values: Values): tf.Tensor[] {
    return node.inputs.map((id) => values.get(id)!);
  }

  /** Computes one node and adds its outputs to the values. */
  step(node: GraphNode, values: Values, layer?: tf.layers.Layer): tf.Tensor[] {
    const outputs = applyNode(node, this.inputsOf(node, values), layer);
    node.outputs.forEach((id, i) => {
      values.set(id, outputs[i]);
    });
    return outputs;
  }

  /**
   * Computes the nodes from the `from`-th on, by the layers of another network with the same nodes, and returns the
   * network's output. `values` stay as they are. Call it inside tf.tidy.
   */
  finishWith(other: GraphRun, values: Values, from: number): tf.Tensor {
    const own: Values = new Map(values);
    for (let i = from; i < this.nodes.length; i++) this.step(this.nodes[i], own, other.nodes[i].layer);
    return this.outputOf(own);
  }

  /** The network's output, once all nodes are computed. */
  outputOf(values: Values): tf.Tensor {
    return values.get(this.outputId)!;
  }
}
