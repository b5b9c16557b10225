import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { fixedShapes } from "./fixedShapes";

/** One call of a layer in a network. */
export interface GraphNode {
  /** Of this call alone: the layer's name, and `#2` and so on for later calls of a layer that is used again. */
  key: string;
  /** The layer's name in the whole network, the same for all its calls; see {@link NetworkGraph}. */
  name: string;
  layer: tf.layers.Layer;
  /** Names of the nested networks that the call stands in, from the outermost. */
  around: readonly string[];
  /** Keyword arguments of the call. */
  callArgs: Record<string, unknown>;
  /** Ids of the values that it reads and makes, in the order of the call's arguments and results. */
  inputs: string[];
  outputs: string[];
  /** Batch axis first. */
  inputShapes: tf.Shape[];
  outputShapes: tf.Shape[];
}

/** An input or output of a network. */
export interface GraphEnd {
  /** What feeds and data sets call it. */
  name: string;
  /** Id of its value. */
  id: string;
  /** Batch axis first. */
  shape: tf.Shape;
  dtype: tf.DataType;
}

/** Which layer computes a call: the network's own, or another in its place. */
export type LayerOf = (node: GraphNode) => tf.layers.Layer;

const ownLayer: LayerOf = (node) => node.layer;

/**
 * A network as calls of layers joined by values: any number of inputs and outputs, layers used more than once, nested
 * networks laid open. Everything is found by edges: a value has one maker and any number of readers, a layer one name.
 * That name is the layer's own where no other layer has it, else with the names of the networks around it before it
 * (`encoder/dense`).
 */
export class NetworkGraph {
  readonly name: string;
  /** In the order of the network's own inputs and outputs. */
  readonly inputs: GraphEnd[];
  readonly outputs: GraphEnd[];
  /** Every value is made before it is read. */
  readonly nodes: GraphNode[];
  /** The layers that are called, by name, in the order of their first call. */
  readonly layers: ReadonlyMap<string, tf.layers.Layer>;
  private readonly makers = new Map<string, GraphNode>();
  private readonly readers = new Map<string, GraphNode[]>();

  /** @param layerOf puts other layers in the place of the network's own: asked for each call */
  constructor(
    readonly model: tf.LayersModel,
    layerOf: LayerOf = ownLayer,
  ) {
    this.name = model.name;
    const walk = new Walk();
    walk.enter(model);
    // A Sequential that was never built has no inputNames of its own.
    const end = (tensor: tf.SymbolicTensor): GraphEnd => ({
      name: tensor.sourceLayer.name,
      id: walk.idOf(tensor, topScope),
      shape: tensor.shape,
      dtype: tensor.dtype,
    });
    this.inputs = model.inputs.map(end);
    this.outputs = model.outputs.map(end);
    this.nodes = fixedShapes(walk.named(), this.inputs).map((node) => ({ ...node, layer: layerOf(node) }));
    this.layers = new Map(this.nodes.map(({ name, layer }) => [name, layer]));
    for (const node of this.nodes) {
      for (const id of node.outputs) this.makers.set(id, node);
      for (const id of new Set(node.inputs)) this.readers.set(id, [...this.readersOf(id), node]);
    }
  }

  /** The call that makes a value; null for an input of the network. */
  makerOf(id: string): GraphNode | null {
    return this.makers.get(id) ?? null;
  }

  /** The calls that read a value. */
  readersOf(id: string): GraphNode[] {
    return this.readers.get(id) ?? [];
  }

  /** The calls of a layer. */
  callsOf(name: string): GraphNode[] {
    return this.nodes.filter((node) => node.name === name);
  }

  /** The layer of that name. Throws LutnnError on another. */
  layer(name: string): tf.layers.Layer {
    const layer = this.layers.get(name);
    if (!layer)
      throw new LutnnError(
        `${this.name}: the network must have the layer that is named (got ${JSON.stringify(name)}); it has ${[...this.layers.keys()].join(", ")}`,
      );
    return layer;
  }
}

/** Names of the networks around a layer, and what their inputs stand for outside. */
interface Scope {
  /** With the number of the call, so that values of each have ids of their own. */
  path: string[];
  names: string[];
  outside: Map<number, string>;
}

const topScope: Scope = { path: [], names: [], outside: new Map() };

/** Goes through a network from its outputs to its inputs and notes every call once, makers before readers. */
class Walk {
  private readonly found: Omit<GraphNode, "key" | "name">[] = [];
  private readonly done = new Map<string, string>();

  enter(model: tf.LayersModel): void {
    for (const tensor of model.outputs) this.idOf(tensor, topScope);
    for (const tensor of model.inputs) this.idOf(tensor, topScope);
  }

  /** The id of a symbolic tensor's value inside a scope; notes the calls that it depends on. */
  idOf(tensor: tf.SymbolicTensor, scope: Scope): string {
    const outside = scope.outside.get(tensor.id);
    if (outside !== undefined) return outside;
    const { sourceLayer, nodeIndex, tensorIndex } = tensor;
    if (sourceLayer.getClassName() === "InputLayer") return `input ${tensor.id}`;
    const own = [...scope.path, `${tensor.id}`].join("/");
    const known = this.done.get(own);
    if (known !== undefined) return known;
    const call = sourceLayer.inboundNodes[nodeIndex];
    const inputs = call.inputTensors.map((input) => this.idOf(input, scope));
    if (sourceLayer instanceof tf.LayersModel) {
      const path = [
        ...scope.path,
        nodeIndex === 0 ? sourceLayer.name : `${sourceLayer.name}#${nodeIndex + 1}`,
      ];
      const inner: Scope = {
        path,
        names: [...scope.names, sourceLayer.name],
        outside: new Map(sourceLayer.inputs.map((input, i) => [input.id, inputs[i]])),
      };
      const id = this.idOf(sourceLayer.outputs[tensorIndex], inner);
      this.done.set(own, id);
      return id;
    }
    const ids = call.outputTensors.map((output) => [...scope.path, `${output.id}`].join("/"));
    for (const id of ids) this.done.set(id, id);
    this.found.push({
      around: scope.names,
      layer: sourceLayer,
      callArgs: call.callArgs ?? {},
      inputs,
      outputs: ids,
      inputShapes: call.inputTensors.map(({ shape }) => shape),
      outputShapes: call.outputTensors.map(({ shape }) => shape),
    });
    return own;
  }

  /** The calls with names: short ones where they are unique. */
  named(): GraphNode[] {
    const paths = new Map<tf.layers.Layer, readonly string[]>();
    for (const { layer, around } of this.found) if (!paths.has(layer)) paths.set(layer, around);
    const holders = new Map<string, number>();
    for (const layer of paths.keys()) holders.set(layer.name, (holders.get(layer.name) ?? 0) + 1);
    const calls = new Map<tf.layers.Layer, number>();
    return this.found.map((node) => {
      const { layer } = node;
      const name = holders.get(layer.name) === 1 ? layer.name : [...paths.get(layer)!, layer.name].join("/");
      const count = (calls.get(layer) ?? 0) + 1;
      calls.set(layer, count);
      return { key: count === 1 ? name : `${name}#${count}`, name, ...node };
    });
  }
}

/** Concrete tensors by the id of the value that they stand for, and the masks that layers hand on with them. */
export class Values {
  readonly tensors: Map<string, tf.Tensor>;
  readonly masks: Map<string, tf.Tensor>;

  constructor(from?: Values) {
    this.tensors = new Map(from?.tensors);
    this.masks = new Map(from?.masks);
  }

  get(id: string): tf.Tensor {
    return this.tensors.get(id)!;
  }

  /** The tensors that a call reads. */
  inputsOf(node: GraphNode): tf.Tensor[] {
    return node.inputs.map((id) => this.get(id));
  }
}

/** A graph being executed call by call on concrete inputs, so that layers can be exchanged and watched on the way. */
export class GraphRun {
  constructor(
    readonly graph: NetworkGraph,
    private readonly layerOf: LayerOf = ownLayer,
  ) {}

  /** The values before the first call. @param inputs in the order of the network's inputs */
  start(inputs: tf.Tensor[]): Values {
    const values = new Values();
    this.graph.inputs.forEach(({ id }, i) => {
      values.tensors.set(id, inputs[i]);
    });
    return values;
  }

  /** What a layer makes of given inputs in the place of a call, masks not handed on. */
  apply(node: GraphNode, inputs: tf.Tensor[], layer = this.layerOf(node), mask?: tf.Tensor): tf.Tensor[] {
    const callArgs = mask ? { ...node.callArgs, mask } : node.callArgs;
    const outputs = layer.apply(inputs.length === 1 ? inputs[0] : inputs, callArgs) as
      | tf.Tensor
      | tf.Tensor[];
    return Array.isArray(outputs) ? outputs : [outputs];
  }

  /** Computes one call and adds its outputs to the values. */
  step(node: GraphNode, values: Values, layer = this.layerOf(node)): tf.Tensor[] {
    const inputs = values.inputsOf(node);
    const masks = node.inputs.map((id) => values.masks.get(id) ?? null);
    const mask = masks.find((one) => one !== null) ?? undefined;
    const outputs = this.apply(node, inputs, layer, mask);
    const handedOn = layer.supportsMasking
      ? layer.computeMask(
          inputs.length === 1 ? inputs[0] : inputs,
          (masks.length === 1 ? masks[0] : masks) as tf.Tensor,
        )
      : null;
    const outputMasks = Array.isArray(handedOn) ? handedOn : [handedOn];
    node.outputs.forEach((id, i) => {
      values.tensors.set(id, outputs[i]);
      if (outputMasks[i]) values.masks.set(id, outputMasks[i]);
    });
    return outputs;
  }

  /** Computes the calls of `nodes` (default all) and returns the network's outputs. `values` stay as they are. */
  finish(values: Values, nodes: readonly GraphNode[] = this.graph.nodes): tf.Tensor[] {
    const own = new Values(values);
    for (const node of nodes) this.step(node, own);
    return this.outputsOf(own);
  }

  /** The network's outputs, once all calls are computed. */
  outputsOf(values: Values): tf.Tensor[] {
    return this.graph.outputs.map(({ id }) => values.get(id));
  }
}
