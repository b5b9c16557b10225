import type { AttributeValue, FloatValue } from "./builder";
import { node, tensor } from "./builder";
import type { NodeProto, TensorProto } from "./onnx_pb";

/** A value of the ONNX graph. Images are NCHW here and NHWC in tf.js: rank 4 implies it. */
export interface GraphValue {
  name: string;
  /** Lengths after the batch axis, in tf.js order: [height, width, channels] or [features]. */
  shape: number[];
}

/** Collects nodes and constants of a graph under construction. */
export class GraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly constants: TensorProto[] = [];
  /** Functions of domain ai.lutnn that some node calls. */
  readonly lookups = new Set<"LutConv" | "LutMatMul">();
  private readonly taken = new Set<string>();

  /** @param withActivations false leaves out activations that are part of another layer */
  constructor(readonly withActivations = true) {}

  /** `wanted`, or with a number behind it when the name is in use. */
  name(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.taken.has(name); i++) name = `${wanted}_${i}`;
    this.taken.add(name);
    return name;
  }

  constant(wanted: string, data: Float32Array | Int8Array | BigInt64Array, dims: number[]): string {
    const name = this.name(wanted);
    this.constants.push(tensor(name, data, dims));
    return name;
  }

  /** Adds a node with one output and returns the output's name. */
  add(
    opType: string,
    inputs: string[],
    wanted: string,
    attributes: Record<string, AttributeValue | FloatValue> = {},
    domain = "",
  ): string {
    const output = this.name(wanted);
    this.nodes.push(node(opType, inputs, [output], attributes, domain));
    return output;
  }
}
