import type { AttributeValue, FloatValue, TensorArray } from "./builder";
import { DataType, integersOf, LUTNN_DOMAIN, node, tensor } from "./builder";
import { plainOrder, sameOrder } from "./layout";
import type { NodeProto, TensorProto } from "./onnx_pb";

/** A value of the ONNX graph and the tensor of tf.js that it stands for: nobody infers a layout from a rank. */
export interface GraphValue {
  name: string;
  /** Lengths after the batch axis, as tf.js has them. */
  shape: readonly number[];
  /** Which axis of tf.js (0 is the batch) each axis of the ONNX value holds; see layout.ts. The batch comes first. */
  order: readonly number[];
  type: "float32" | "int32";
}

/** The axis of an ONNX value that holds an axis of tf.js; negative ones count from the end. */
export const axisOf = ({ order }: GraphValue, axis: number): number =>
  order.indexOf(axis < 0 ? axis + order.length : axis);

/** Lengths after the batch in the order of the ONNX value. */
export const lengthsOf = ({ shape, order }: GraphValue): number[] =>
  order.slice(1).map((axis) => shape[axis - 1]);

/** Collects nodes and constants of a graph under construction. */
export class GraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly constants: TensorProto[] = [];
  /** Outputs of Add nodes whose two inputs have the same shape. */
  readonly sums = new Set<string>();
  /** Nodes of ours, each for all that makes a value: what {@link useOwn} puts in its place. */
  private readonly own: NodeProto[] = [];
  private readonly taken = new Set<string>();
  /** Constants by what they are, so that they are written once. */
  private readonly known = new Map<string, string>();
  /** What a transposed value was made from, and how. */
  private readonly sources = new Map<string, { name: string; perm: number[] }>();

  /** @param withActivations false leaves out activations that are part of another layer */
  constructor(readonly withActivations = true) {}

  /** `wanted`, or with a number behind it when the name is in use. */
  name(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.taken.has(name); i++) name = `${wanted}_${i}`;
    this.taken.add(name);
    return name;
  }

  /** A constant of its own. */
  constant(wanted: string, data: TensorArray, dims: readonly number[]): string {
    const name = this.name(wanted);
    this.constants.push(tensor(name, data, dims));
    return name;
  }

  /** A constant that is made and written once, however often it is asked for by this name. */
  sharedConstant(name: string, make: () => { data: TensorArray; dims: readonly number[] }): string {
    const written = this.known.get(name);
    if (written !== undefined) return written;
    const { data, dims } = make();
    const made = this.constant(name, data, dims);
    this.known.set(name, made);
    return made;
  }

  /** The float32 number as a constant without axes. */
  scalar(value: number): string {
    return this.sharedConstant(`number/${value}`, () => ({ data: Float32Array.of(value), dims: [] }));
  }

  /** A constant vector of int64: shapes, axes, pads. */
  integers(values: readonly number[]): string {
    return this.sharedConstant(`integers/${values.join("_")}`, () => ({
      data: BigInt64Array.from(values.map(BigInt)),
      dims: [values.length],
    }));
  }

  /** Adds a node with one output and returns the output's name. */
  add(
    opType: string,
    inputs: readonly string[],
    wanted: string,
    attributes: Record<string, AttributeValue | FloatValue> = {},
    domain = "",
  ): string {
    const output = this.name(wanted);
    this.nodes.push(node(opType, inputs, [output], attributes, domain));
    return output;
  }

  /** Notes a node of ours that makes a value from others that are made before it. */
  alsoMadeBy(
    opType: string,
    inputs: readonly string[],
    value: string,
    attributes: Record<string, number>,
  ): void {
    this.own.push(node(opType, inputs, [value], attributes, LUTNN_DOMAIN));
  }

  /** Lets nodes of ours make what they can, and drops what only they replace. @param ends as {@link prune} has them */
  useOwn(ends: ReadonlySet<string>): void {
    const own = new Map(this.own.map((one) => [one.output[0], one]));
    this.replace((one) => own.get(one.output[0]) ?? one);
    this.prune(ends);
  }

  /** Makes a value's copy under a name that {@link name} gave. */
  copy(from: string, to: string): void {
    this.nodes.push(node("Identity", [from], [to]));
  }

  /** Puts other nodes in the place of each, one after the other, or none. */
  replace(change: (node: NodeProto) => NodeProto | NodeProto[] | null): void {
    this.nodes.splice(0, this.nodes.length, ...this.nodes.flatMap((one) => change(one) ?? []));
  }

  /** Calls values by other names, all that read them included. */
  rename(names: ReadonlyMap<string, string>): void {
    const renamed = (name: string) => names.get(name) ?? name;
    for (const one of [...this.nodes, ...this.own]) {
      one.input = one.input.map(renamed);
      one.output = one.output.map(renamed);
    }
    for (const name of [...this.sums]) this.sums.add(renamed(name));
  }

  /** Whether a value is, axes put in another order aside, what a node of that operator made. */
  isMadeBy(opType: string, value: GraphValue): boolean {
    const name = this.sources.get(value.name)?.name ?? value.name;
    return this.nodes.some((one) => one.opType === opType && one.output.includes(name));
  }

  /**
   * What a value was before zeros were put around its axes of space: that value's name, and the zeros, all before and then
   * all behind. Null where it was made otherwise.
   */
  beforePadding(name: string, rank: number): { name: string; pads: number[] } | null {
    const made = this.nodes.find(({ output }) => output[0] === name);
    if (made?.opType !== "Pad" || made.domain !== "" || made.input.length !== 2) return null;
    const constant = this.constants.find((one) => one.name === made.input[1])!;
    const all = integersOf(constant);
    const sides = [all.slice(0, rank), all.slice(rank)];
    const isOfSpace = sides.every(([batch, channels]) => batch === 0 && channels === 0);
    return isOfSpace ? { name: made.input[0], pads: sides.flatMap((side) => side.slice(2)) } : null;
  }

  /** Drops nodes whose results nobody reads. @param ends values that somebody outside reads */
  prune(ends: ReadonlySet<string>): void {
    const read = new Set(ends);
    for (const one of [...this.nodes].reverse())
      if (one.output.some((name) => read.has(name))) for (const name of one.input) read.add(name);
    this.replace((one) => (one.output.some((name) => read.has(name)) ? one : null));
  }

  /**
   * The value with its axes in an order: itself where it has it, else through one Transpose from where it was first made,
   * so that orders asked for one after another cost no more than the last of them.
   */
  inOrder(value: GraphValue, order: readonly number[]): GraphValue {
    if (sameOrder(value.order, order)) return value;
    const own = { name: value.name, perm: plainOrder(order.length) };
    const source = this.sources.get(value.name) ?? own;
    const sourceOrder: number[] = [];
    source.perm.forEach((at, i) => {
      sourceOrder[at] = value.order[i];
    });
    if (sameOrder(sourceOrder, order)) return { ...value, name: source.name, order };
    const perm = order.map((axis) => sourceOrder.indexOf(axis));
    const key = `transposed/${source.name}/${perm.join("_")}`;
    const name = this.known.get(key) ?? this.add("Transpose", [source.name], `${source.name}/axes`, { perm });
    this.known.set(key, name);
    this.sources.set(name, { name: source.name, perm });
    return { ...value, name, order };
  }

  /** The value as tf.js has its axes. */
  plain(value: GraphValue): GraphValue {
    return this.inOrder(value, plainOrder(value.order.length));
  }

  /** The value as float32; integers are converted. */
  float(value: GraphValue): GraphValue {
    if (value.type === "float32") return value;
    return { ...value, name: this.cast(value.name, "float32"), type: "float32" };
  }

  /** A value's numbers as another type; floats lose their fraction on the way to integers. */
  cast(name: string, type: GraphValue["type"]): string {
    const key = `cast/${name}/${type}`;
    const to = type === "float32" ? DataType.FLOAT : DataType.INT32;
    const made = this.known.get(key) ?? this.add("Cast", [name], `${name}/${type}`, { to });
    this.known.set(key, made);
    return made;
  }

  /** The same numbers, row-major as tf.js has them, under another shape; the batch stays. The value must be plain. */
  reshape(value: GraphValue, shape: readonly number[], wanted: string): GraphValue {
    const name = this.add("Reshape", [value.name, this.integers([0, ...shape])], wanted);
    return { name, shape, order: plainOrder(shape.length + 1), type: value.type };
  }
}
