import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./onnx_pb";

/** Domain of our operators: lookups, and what stands between them. */
export const LUTNN_DOMAIN = "ai.lutnn";
export const LUTNN_DOMAIN_VERSION = 1;
export const ONNX_OPSET = 17;
export const ONNX_IR_VERSION = 8;

/** Marks an attribute value that a function body takes from the function's own attribute. */
export class AttributeReference {
  constructor(
    readonly name: string,
    readonly type: AttributeType,
  ) {}
}

export type AttributeValue = number | number[] | string | string[] | TensorProto | AttributeReference;

/** float only where ONNX wants one or a list of them: integers become INT attributes. */
export class FloatValue {
  constructor(readonly value: number | number[]) {}
}

const isTexts = (value: number[] | string[]): value is string[] => typeof value[0] === "string";

function attribute(name: string, value: AttributeValue | FloatValue): AttributeProto {
  const make = (rest: MessageInitShape<typeof AttributeProtoSchema>) =>
    create(AttributeProtoSchema, { name, ...rest });
  if (value instanceof AttributeReference) return make({ refAttrName: value.name, type: value.type });
  if (value instanceof FloatValue)
    return Array.isArray(value.value)
      ? make({ type: AttributeType.FLOATS, floats: value.value })
      : make({ type: AttributeType.FLOAT, f: value.value });
  if (typeof value === "number") return make({ type: AttributeType.INT, i: BigInt(value) });
  if (typeof value === "string") return make({ type: AttributeType.STRING, s: Buffer.from(value) });
  if (Array.isArray(value))
    return isTexts(value)
      ? make({ type: AttributeType.STRINGS, strings: value.map((text) => Buffer.from(text)) })
      : make({ type: AttributeType.INTS, ints: value.map(BigInt) });
  return make({ type: AttributeType.TENSOR, t: value });
}

/** A node; `domain` "" is ONNX itself. */
export function node(
  opType: string,
  input: readonly string[],
  output: string[],
  attributes: Record<string, AttributeValue | FloatValue> = {},
  domain = "",
): NodeProto {
  return create(NodeProtoSchema, {
    opType,
    input: [...input],
    output,
    domain,
    name: output[0],
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  });
}

/** What a constant's elements may be. */
export type TensorArray = Float32Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;

const bytesOf = (data: TensorArray): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** A constant tensor; its element type follows from the array. */
export function tensor(name: string, data: TensorArray, dims: readonly number[]): TensorProto {
  const dataType =
    data instanceof Float32Array
      ? DataType.FLOAT
      : data instanceof Int8Array
        ? DataType.INT8
        : data instanceof Uint8Array
          ? DataType.UINT8
          : data instanceof Int32Array
            ? DataType.INT32
            : DataType.INT64;
  return create(TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData: bytesOf(data) });
}

/** A constant vector of int64. */
export const integers = (name: string, values: number[]): TensorProto =>
  tensor(name, BigInt64Array.from(values.map(BigInt)), [values.length]);

/** The numbers of a constant of int64. */
export function integersOf({ rawData }: TensorProto): number[] {
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Array.from({ length: rawData.byteLength / 8 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
}

/** The declaration of a graph input or output; a string stands for a symbolic length. */
export function valueInfo(name: string, dims: (number | string)[], elemType: DataType): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType,
          shape: {
            dim: dims.map((length) => ({
              value:
                typeof length === "string"
                  ? { case: "dimParam" as const, value: length }
                  : { case: "dimValue" as const, value: BigInt(length) },
            })),
          },
        },
      },
    },
  });
}

export { AttributeType, DataType };
