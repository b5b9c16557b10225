import { LutnnError } from "../errors";
import { fromFloat16, toFloat16 } from "./float16";

/** Numbers of a tensor, by their type: float32, int32, int64, uint8, int8. */
export type TensorValues = Float32Array | Int32Array | BigInt64Array | Uint8Array | Int8Array;

/** A tensor by name. */
export interface NamedTensor {
  name: string;
  shape: number[];
  values: TensorValues;
  /** Stored in half precision: float32 values are rounded to the nearest when written, and are exact when read. */
  half?: boolean;
}

/** A float32 tensor by name. */
export interface NamedArray extends NamedTensor {
  values: Float32Array;
  half?: undefined;
}

/** Types as safetensors name them. */
export type TensorType = "F32" | "F16" | "I32" | "I64" | "U8" | "I8";

interface Format {
  bytesPerElement: number;
  /** From a copy of the bytes, at the beginning of its memory. */
  read: (copy: ArrayBuffer) => TensorValues;
}

/** What can be read; all little-endian, as the machines are that this library runs on. */
export const tensorFormats: Record<TensorType, Format> = {
  F32: { bytesPerElement: 4, read: (copy) => new Float32Array(copy) },
  F16: { bytesPerElement: 2, read: (copy) => Float32Array.from(new Uint16Array(copy), fromFloat16) },
  I32: { bytesPerElement: 4, read: (copy) => new Int32Array(copy) },
  I64: { bytesPerElement: 8, read: (copy) => new BigInt64Array(copy) },
  U8: { bytesPerElement: 1, read: (copy) => new Uint8Array(copy) },
  I8: { bytesPerElement: 1, read: (copy) => new Int8Array(copy) },
};

/** The type under which a tensor is stored, and its bytes. Throws LutnnError on values of another kind. */
export function storedForm({ name, values, half }: NamedTensor): { type: TensorType; bytes: Uint8Array } {
  const asBytes = (array: ArrayBufferView) =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  if (half && values instanceof Float32Array)
    return { type: "F16", bytes: asBytes(Uint16Array.from(values, toFloat16)) };
  const type =
    values instanceof Float32Array
      ? "F32"
      : values instanceof Int32Array
        ? "I32"
        : values instanceof BigInt64Array
          ? "I64"
          : values instanceof Uint8Array
            ? "U8"
            : values instanceof Int8Array
              ? "I8"
              : null;
  if (type === null || half)
    throw new LutnnError(
      `safetensors: the values of ${JSON.stringify(name)} must be ${half ? "float32 to be stored in half precision" : "float32, int32, int64, uint8 or int8"} (got ${Object.prototype.toString.call(values).slice(8, -1)}); convert them first`,
    );
  return { type, bytes: asBytes(values) };
}
