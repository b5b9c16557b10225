import type { GraphProto, NodeProto } from "../../onnx/onnx_pb";
import { fold } from "./fold";
import { Operation } from "./operation";
import { readTensor } from "./readTensor";
import { FoldingRoom } from "./room";
import type { Constant, Value } from "./value";

/** The nodes of a file by the values that they make and read, and the constants that they come to. */
export class FileGraph {
  readonly constants = new Map<string, Constant>();
  private readonly makers = new Map<string, NodeProto>();
  private readonly readers = new Map<string, number>();
  private readonly room: FoldingRoom;

  /** @param nodes of the file that are needed, in its order */
  constructor(
    graph: GraphProto,
    nodes: readonly NodeProto[],
    readonly opset: number,
    readonly file: string,
  ) {
    for (const tensor of graph.initializer) this.constants.set(tensor.name, readTensor(tensor, file));
    const numbers = [...this.constants.values()].reduce((sum, { data }) => sum + data.length, 0);
    this.room = new FoldingRoom(numbers);
    for (const { name } of graph.output) this.readers.set(name, 1);
    for (const node of nodes) {
      for (const name of node.input) this.readers.set(name, (this.readers.get(name) ?? 0) + 1);
      for (const name of node.output) this.makers.set(name, node);
    }
    for (const node of nodes) this.foldNode(node);
  }

  /** Adds what a node makes of weights alone to the constants. */
  private foldNode(node: NodeProto): void {
    const inputs = node.input.map((name) => (name === "" ? null : (this.constants.get(name) ?? null)));
    if (node.opType === "Shape" || node.input.some((name, i) => name !== "" && inputs[i] === null)) return;
    if (node.domain !== "" && node.domain !== "ai.onnx") return;
    const made = fold(this.operation(node, inputs));
    made?.forEach((constant, i) => {
      this.constants.set(node.output[i], constant);
    });
  }

  operation(node: NodeProto, inputs: readonly (Value | null)[]): Operation {
    return new Operation(node, inputs, this.opset, this.file, this.room);
  }

  /** The node that makes a value; undefined for inputs and weights. */
  makerOf(name: string): NodeProto | undefined {
    return this.makers.get(name);
  }

  /** Puts a node in the place of the one that made its output. */
  replace(node: NodeProto): void {
    this.makers.set(node.output[0], node);
  }

  /** How many inputs of nodes, or outputs of the file, a value is. */
  readersOf(name: string): number {
    return this.readers.get(name) ?? 0;
  }

  /** The number that a value always is; null for any other value. */
  numberOf(name: string): number | null {
    const constant = this.constants.get(name);
    return constant?.data.length === 1 && !constant.perExample ? constant.data[0] : null;
  }
}
