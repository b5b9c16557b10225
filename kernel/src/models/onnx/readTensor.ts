import { LutnnError } from "../../errors";
import { fromFloat16 } from "../../files/float16";
import { TensorProto_DataType as DataType, type TensorProto } from "../../onnx/onnx_pb";
import { type Constant, type NumberType, product } from "./value";

interface ElementType {
  type: NumberType;
  bytes: number;
  /** One element of raw little-endian bytes. */
  read(view: DataView, at: number): number;
  /** Where the tensor has its numbers when it has no raw bytes. */
  field(tensor: TensorProto): ArrayLike<number | bigint>;
}

const int32Data = ({ int32Data }: TensorProto) => int32Data;
const halves = (tensor: TensorProto) => tensor.int32Data.map((bits) => fromFloat16(bits & 0xffff));
const bfloats = (tensor: TensorProto) => tensor.int32Data.map((bits) => bfloat16(bits & 0xffff));
const word = new DataView(new ArrayBuffer(4));

/** The number whose upper 16 bits as float32 are these. */
function bfloat16(bits: number): number {
  word.setUint16(0, bits);
  return word.getFloat32(0);
}

const elementTypes: Partial<Record<number, ElementType>> = {
  [DataType.FLOAT]: {
    type: "float32",
    bytes: 4,
    read: (view, at) => view.getFloat32(at, true),
    field: (tensor) => tensor.floatData,
  },
  [DataType.DOUBLE]: {
    type: "float32",
    bytes: 8,
    read: (view, at) => Math.fround(view.getFloat64(at, true)),
    field: (tensor) => tensor.doubleData,
  },
  [DataType.FLOAT16]: {
    type: "float32",
    bytes: 2,
    read: (view, at) => fromFloat16(view.getUint16(at, true)),
    field: halves,
  },
  [DataType.BFLOAT16]: {
    type: "float32",
    bytes: 2,
    read: (view, at) => bfloat16(view.getUint16(at, true)),
    field: bfloats,
  },
  [DataType.INT64]: {
    type: "int64",
    bytes: 8,
    read: (view, at) => Number(view.getBigInt64(at, true)),
    field: (tensor) => tensor.int64Data,
  },
  [DataType.INT32]: {
    type: "int64",
    bytes: 4,
    read: (view, at) => view.getInt32(at, true),
    field: int32Data,
  },
  [DataType.INT16]: {
    type: "int64",
    bytes: 2,
    read: (view, at) => view.getInt16(at, true),
    field: int32Data,
  },
  [DataType.INT8]: { type: "int64", bytes: 1, read: (view, at) => view.getInt8(at), field: int32Data },
  [DataType.UINT8]: { type: "int64", bytes: 1, read: (view, at) => view.getUint8(at), field: int32Data },
  [DataType.BOOL]: { type: "bool", bytes: 1, read: (view, at) => view.getUint8(at), field: int32Data },
};

/** How this library takes elements of ONNX's type of that number; undefined for one that it does not know. */
export const numberType = (dataType: number): NumberType | undefined => elementTypes[dataType]?.type;

export const dataTypeName = (dataType: number): string => DataType[dataType] ?? `type ${dataType}`;

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function rawNumbers(
  bytes: Uint8Array,
  count: number,
  element: ElementType,
  dataType: number,
): ArrayLike<number> {
  if (dataType === DataType.FLOAT && isLittleEndian) {
    return new Float32Array(new Uint8Array(bytes).buffer); // a copy, since raw bytes stand at any offset
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: count }, (_, i) => element.read(view, i * element.bytes));
}

/**
 * The numbers of a file's tensor. Throws LutnnError when their type is none that networks have, or when there are more or
 * fewer than its dims say.
 * @param what opens the error, and says whose tensor it is
 */
export function readTensor(tensor: TensorProto, what: string): Constant {
  const { dataType, name, rawData } = tensor;
  const element = elementTypes[dataType];
  if (!element)
    throw new LutnnError(
      `${what}: a tensor's elements must be numbers of at most 64 bits (got ${dataTypeName(dataType)} in ${JSON.stringify(name)}); export the network in float32`,
    );
  const dims = tensor.dims.map(Number);
  const count = product(dims);
  const field = element.field(tensor);
  const isRaw = rawData.length > 0 || field.length === 0;
  const got = isRaw ? rawData.length / element.bytes : field.length;
  if (got !== count)
    throw new LutnnError(
      `${what}: tensor ${JSON.stringify(name)} must have the ${count} numbers of its dims ${dims.join("×") || "of a scalar"} (got ${got}); the file is damaged`,
    );
  const data = isRaw ? rawNumbers(rawData, count, element, dataType) : Float64Array.from(field, Number);
  return { kind: "constant", type: element.type, dims, data, name };
}
