import { LUTNN_DOMAIN } from "../onnx/builder";
import { fuseLookups } from "../onnx/fuseLookups";
import { GraphBuilder, type GraphValue } from "../onnx/graphBuilder";
import { fileOrder } from "../onnx/layout";
import { type FunctionForm, modelBytes } from "../onnx/model";
import { passBytes } from "../onnx/passBytes";
import { shareCodes } from "../onnx/shareCodes";

/** The inputs and outputs of a file while its graph is being written, in the order of axes that files have. */
export class GraphEnds {
  readonly graph: GraphBuilder;
  private readonly inputs: GraphValue[] = [];
  private readonly outputs: GraphValue[] = [];
  private readonly renamed = new Map<string, string>();

  /**
   * @param names of all inputs and outputs: no other value takes one of them
   * @param withActivations false leaves out activations that are part of another layer
   */
  constructor(names: readonly string[], withActivations = true) {
    this.graph = new GraphBuilder(withActivations);
    for (const name of names) this.graph.name(name);
  }

  input(name: string, shape: readonly number[], type: GraphValue["type"] = "float32"): GraphValue {
    const value = { name, shape, order: fileOrder(shape.length + 1), type };
    this.inputs.push(value);
    return value;
  }

  /** Makes a value an output of that name. */
  output(value: GraphValue, name: string): void {
    const ordered = this.graph.inOrder(value, fileOrder(value.order.length));
    const isInput = this.inputs.some((input) => input.name === ordered.name);
    if (isInput || this.renamed.has(ordered.name)) this.graph.copy(ordered.name, name);
    else this.renamed.set(ordered.name, name);
    this.outputs.push({ ...ordered, name });
  }

  bytes(
    name: string,
    metadata: Readonly<Record<string, string>> = {},
    functions: FunctionForm = "local",
  ): Uint8Array {
    this.graph.rename(this.renamed);
    const ends = new Set(this.outputs.map(({ name: output }) => output));
    fuseLookups(this.graph, ends);
    passBytes(this.graph, ends);
    shareCodes(this.graph);
    if (this.graph.nodes.some(({ domain }) => domain === LUTNN_DOMAIN)) this.graph.useOwn(ends);
    return modelBytes(this.graph, { name, inputs: this.inputs, outputs: this.outputs, metadata, functions });
  }
}
