import { create, toBinary } from "@bufbuild/protobuf";
import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { floatValue, LUTNN_DOMAIN, LUTNN_DOMAIN_VERSION, ONNX_IR_VERSION, ONNX_OPSET } from "../onnx/builder";
import { lutConvFunction, lutMatMulFunction } from "../onnx/functions";
import { GraphBuilder, type GraphValue } from "../onnx/graphBuilder";
import { ModelProtoSchema } from "../onnx/onnx_pb";
import { asFunctional, graphNodes } from "./graph";
import { emitLayer } from "./layerNodes";

/** [height, width, channels] → [channels, height, width]; other shapes stay. */
export const channelsFirst = (shape: number[]): number[] =>
  shape.length === 3 ? [shape[2], shape[0], shape[1]] : shape;

/** Lengths after the batch axis; `what` opens the error's sentence. */
function fixedShape(shape: tf.Shape, what: string): number[] {
  return shape.slice(1).map((length) => {
    if (length === null)
      throw new LutnnError(`ONNX export: the ${what} must have fixed lengths after the batch (got ${shape})`);
    return length;
  });
}

/** The file of a graph with one input `input` and one output `output`. */
function assemble(graph: GraphBuilder, name: string, input: number[], result: GraphValue): Uint8Array {
  const renamed = (value: string) => (value === result.name ? "output" : value);
  for (const node of graph.nodes) {
    node.input = node.input.map(renamed);
    node.output = node.output.map(renamed);
  }
  const functions = [
    ...(graph.lookups.has("LutConv") ? [lutConvFunction()] : []),
    ...(graph.lookups.has("LutMatMul") ? [lutMatMulFunction()] : []),
  ];
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(ONNX_IR_VERSION),
    producerName: "lutnn",
    opsetImport: [
      { domain: "", version: BigInt(ONNX_OPSET) },
      ...(functions.length > 0 ? [{ domain: LUTNN_DOMAIN, version: BigInt(LUTNN_DOMAIN_VERSION) }] : []),
    ],
    graph: {
      name,
      node: graph.nodes,
      initializer: graph.constants,
      input: [floatValue("input", ["N", ...channelsFirst(input)])],
      output: [floatValue("output", ["N", ...channelsFirst(result.shape)])],
    },
    functions,
  });
  return toBinary(ModelProtoSchema, model);
}

function newGraph(withActivations = true): GraphBuilder {
  const graph = new GraphBuilder(withActivations);
  graph.name("input");
  graph.name("output");
  return graph;
}

/**
 * A network as the bytes of an ONNX file: input `input` (N, channels, height, width), output `output`, batch length
 * free. Replaced layers become `ai.lutnn` nodes with their function bodies. This is the one place that turns
 * channels-last into channels-first.
 */
export function exportOnnx(network: tf.LayersModel): Uint8Array {
  const model = asFunctional(network);
  const graph = newGraph();
  const input = fixedShape(model.inputs[0].shape, "input");
  const values = new Map<number, GraphValue>([[model.inputs[0].id, { name: "input", shape: input }]]);
  for (const node of graphNodes(model)) {
    const inputs = node.inputs.map((id) => values.get(id)!);
    const name = emitLayer(graph, node.layer, inputs);
    values.set(node.outputs[0], { name, shape: fixedShape(node.outputShape, node.layer.name) });
  }
  return assemble(graph, model.name, input, values.get(model.outputs[0].id)!);
}

/** One layer alone, without its activation, as the bytes of an ONNX file: to compare and to time it. */
export function exportLayer(layer: tf.layers.Layer): Uint8Array {
  const graph = newGraph(false);
  const input = fixedShape((layer.input as tf.SymbolicTensor).shape, "input");
  const name = emitLayer(graph, layer, [{ name: "input", shape: input }]);
  const shape = fixedShape((layer.output as tf.SymbolicTensor).shape, "output");
  return assemble(graph, layer.name, input, { name, shape });
}

/** The file whose output is its input: what remains is the cost of a call. */
export function exportIdentity(shape: number[]): Uint8Array {
  const graph = newGraph();
  return assemble(graph, "identity", shape, { name: graph.add("Identity", ["input"], "copy"), shape });
}
