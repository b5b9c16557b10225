import { LutnnError } from "../../errors";
import {
  type AttributeProto,
  type NodeProto,
  AttributeProto_AttributeType as Type,
} from "../../onnx/onnx_pb";
import { readTensor } from "./readTensor";
import type { FoldingRoom } from "./room";
import { type Constant, dimsOf, isPerExample, type Traced, type Value } from "./value";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

/** What an attribute holds, as a reader of an error understands it. */
function shown(attribute: AttributeProto): string {
  switch (attribute.type) {
    case Type.FLOAT:
      return String(attribute.f);
    case Type.INT:
      return String(attribute.i);
    case Type.STRING:
      return text(attribute.s);
    case Type.INTS:
      return attribute.ints.join(", ");
    case Type.FLOATS:
      return attribute.floats.join(", ");
    default:
      return Type[attribute.type] ?? "something";
  }
}

/** One node of a file, with its inputs as they were built and its attributes by name. */
export class Operation {
  private readonly attributes: Map<string, AttributeProto>;

  /**
   * @param inputs null for one that is left out
   * @param opset the version of ONNX's operators that the file means
   * @param room for what is made of constants
   */
  constructor(
    readonly node: NodeProto,
    readonly inputs: readonly (Value | null)[],
    readonly opset: number,
    readonly file: string,
    readonly room: FoldingRoom,
  ) {
    this.attributes = new Map(node.attribute.map((attribute) => [attribute.name, attribute]));
  }

  get opType(): string {
    return this.node.opType;
  }

  /** As errors call it. */
  get title(): string {
    return titleOf(this.node);
  }

  /** Throws the error of what is not supported. @param rule "group must be …" */
  refuse(rule: string, got: string | number, remedy: string): never {
    throw new LutnnError(`${this.file}: ${this.title}: ${rule} (got ${got}); ${remedy}`);
  }

  /** The input at a place. */
  input(place: number): Value {
    const value = this.inputs[place];
    if (!value)
      return this.refuse(`input ${place + 1} must be given`, "none", "the file is damaged: export it anew");
    return value;
  }

  /** The input at a place, which must follow from the network's inputs. */
  traced(place: number): Traced {
    const value = this.input(place);
    if (value.kind === "traced") return value;
    return this.refuse(
      `input ${place + 1} must follow from the network's inputs`,
      `the constant ${value.name ?? ""} of ${value.dims.join("×") || "one number"}`,
      "export the network with constants folded",
    );
  }

  /** The input at a place, which must be known; null where it is left out. */
  constantOrNull(place: number, what: string): Constant | null {
    const value = this.inputs[place] ?? null;
    if (value === null || value.kind === "constant") return value;
    return this.refuse(
      `${what} (input ${place + 1}) must be constant`,
      `a value of ${dimsText(value)} that is computed from the network's inputs`,
      "export the network with constants folded and fixed sizes",
    );
  }

  constant(place: number, what: string): Constant {
    return (
      this.constantOrNull(place, what) ??
      this.refuse(`${what} (input ${place + 1}) must be given`, "none", "the file is damaged: export it anew")
    );
  }

  /**
   * Throws unless a constant may have these lengths: before it is made, as it may be too large to be.
   * @param isFilled with one number alone
   */
  boundConstant(lengths: readonly number[], isFilled = false): void {
    const has = this.room.has(lengths, isFilled);
    if (has) return;
    const got = lengths.join("×") || "one number";
    if (has === null)
      this.refuse("lengths must be whole numbers from 0", got, "the file is damaged: export it anew");
    this.refuse(
      `constants that follow from the file's must have at most ${this.room.most(isFilled).toLocaleString("en")} numbers, all together`,
      `one more of ${got}`,
      "export the network with constants folded",
    );
  }

  has(name: string): boolean {
    return this.attributes.has(name);
  }

  int(name: string, otherwise: number): number {
    const attribute = this.typed(name, Type.INT);
    return attribute ? Number(attribute.i) : otherwise;
  }

  float(name: string, otherwise: number): number {
    const attribute = this.typed(name, Type.FLOAT);
    return attribute ? attribute.f : otherwise;
  }

  string(name: string, otherwise: string): string {
    const attribute = this.typed(name, Type.STRING);
    return attribute ? text(attribute.s) : otherwise;
  }

  ints(name: string): number[] | null {
    return this.typed(name, Type.INTS)?.ints.map(Number) ?? null;
  }

  floats(name: string): number[] | null {
    return this.typed(name, Type.FLOATS)?.floats ?? null;
  }

  tensor(name: string): Constant | null {
    const attribute = this.typed(name, Type.TENSOR);
    return attribute?.t ? readTensor(attribute.t, `${this.file}: ${this.title}`) : null;
  }

  /** Whole numbers that earlier versions have as an attribute and later ones as an input; null where left out. */
  intsOf(name: string, place: number): number[] | null {
    const given = this.ints(name);
    if (given) return given;
    const constant = this.constantOrNull(place, name);
    return constant && this.wholeNumbers(constant, name);
  }

  /** The numbers of a constant, none of which depends on the length of the batch, as a list. */
  wholeNumbers(constant: Constant, what: string): number[] {
    return Array.from(this.fixed(constant, what));
  }

  /** The same as they lie there. */
  fixed(constant: Constant, what: string): ArrayLike<number> {
    if (isPerExample(constant))
      this.refuse(
        `${what} must not depend on the number of examples in the batch`,
        "one that does",
        "export the network with a batch of fixed length",
      );
    return constant.data;
  }

  private typed(name: string, type: Type): AttributeProto | null {
    const attribute = this.attributes.get(name);
    if (!attribute) return null;
    if (attribute.type === type) return attribute;
    return this.refuse(
      `attribute ${name} must be ${Type[type]}`,
      `${Type[attribute.type]}: ${shown(attribute)}`,
      "the file is damaged: export it anew",
    );
  }
}

/** A node as errors call it: its operator, then its name or else that of its output. */
export const titleOf = ({ opType, name, output, domain }: NodeProto): string =>
  `${domain ? `${domain}.` : ""}${opType} ${JSON.stringify(name || output[0] || "")}`;

/** A traced value's lengths, the batch as N. */
export const dimsText = (value: Traced): string =>
  dimsOf(value)
    .map((length) => length ?? "N")
    .join("×");
