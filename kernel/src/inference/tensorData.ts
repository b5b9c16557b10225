import { LutnnError } from "../errors";

/** The element types of a file's inputs and outputs, and the arrays that hold them. */
export interface ArrayOf {
  float32: Float32Array;
  float64: Float64Array;
  /** The bits of each number. */
  float16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  /** 0 or 1. */
  bool: Uint8Array;
}

export type ElementType = keyof ArrayOf;

/** A tensor outside any library's memory. As a feed its type is the input's; results always say theirs. */
export interface TensorData<A extends ArrayOf[ElementType] = ArrayOf[ElementType]> {
  data: A;
  dims: readonly number[];
}

/** What a file says about one of its inputs or outputs; null is a length that is free, a name one free but shared. */
export interface FileValue {
  name: string;
  type: ElementType;
  dims: readonly (number | string | null)[];
}

const arrays: { [T in ElementType]: new (length: number) => ArrayOf[T] } = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

const isElementType = (type: string): type is ElementType => type in arrays;

/**
 * An input or output of a file as ONNX Runtime tells of it, its type null for what is no tensor. Throws LutnnError for what
 * is no tensor of numbers.
 */
export function fileValue(
  file: string,
  name: string,
  type: string | null,
  dims: readonly (number | string | null)[],
): FileValue {
  if (type === null || !isElementType(type))
    throw new LutnnError(
      `InferenceSession: the inputs and outputs of ${file} must be tensors of numbers (${name} is ${type ?? "not a tensor"}); export the network without it`,
    );
  return { name, type, dims: dims.map((length) => (length === "" || length === "?" ? null : length)) };
}

const dimsText = (dims: readonly (number | string | null)[]): string =>
  dims.length === 0 ? "a single number" : `(${dims.map((length) => length ?? "any").join(", ")})`;

/** As people read it: `input float32 (N, 3, 8, 8)`. */
export const valueText = ({ name, type, dims }: FileValue): string => `${name} ${type} ${dimsText(dims)}`;

/** How the array or other thing that was given is called. */
const given = (value: unknown): string =>
  typeof value === "object" && value !== null ? value.constructor.name : typeof value;

/**
 * Throws LutnnError unless a feed is what the file's input asks for.
 * @param free lengths that a name stands for, as the feeds before this one fixed them; grows
 */
export function checkFeed(file: string, input: FileValue, feed: TensorData, free: Map<string, number>): void {
  const { name, type } = input;
  const fail = (rule: string, got: string, remedy: string): never => {
    throw new LutnnError(
      `InferenceSession: the input ${name} of ${file} must ${rule} (got ${got}); ${remedy}`,
    );
  };
  if (!Array.isArray(feed?.dims) || !ArrayBuffer.isView(feed.data))
    fail("be { data, dims }", given(feed), `give data as ${arrays[type].name} and dims as an array`);
  const { data, dims } = feed;
  if (!(data instanceof arrays[type]))
    fail(`hold ${type} in a ${arrays[type].name}`, given(data), "convert the array");
  const wanted = input.dims;
  if (dims.length !== wanted.length)
    fail(`have dims ${dimsText(wanted)}`, dimsText(dims), `give ${wanted.length} lengths, the batch first`);
  dims.forEach((length, axis) => {
    if (!Number.isInteger(length) || length < 0)
      fail(`have dims ${dimsText(wanted)}`, dimsText(dims), "lengths are whole numbers");
    const rule = wanted[axis];
    const fixed = typeof rule === "string" ? (free.get(rule) ?? length) : (rule ?? length);
    if (length !== fixed)
      fail(
        typeof rule === "string"
          ? `have ${rule} = ${fixed} as the inputs before it`
          : `have dims ${dimsText(wanted)}`,
        dimsText(dims),
        `axis ${axis} must be ${fixed} long`,
      );
    if (typeof rule === "string") free.set(rule, length);
  });
  const size = dims.reduce((product, length) => product * length, 1);
  if (data.length !== size)
    fail(
      `hold ${size} numbers for its dims ${dimsText(dims)}`,
      `${data.length}`,
      "give data and dims that fit",
    );
}

/** An array's numbers as another element type; whole numbers stay exact. */
export function convertTo<T extends ElementType>(type: T, data: ArrayLike<number>): ArrayOf[T] {
  const array = new arrays[type](data.length);
  for (let i = 0; i < data.length; i++)
    if (array instanceof BigInt64Array || array instanceof BigUint64Array) array[i] = BigInt(data[i]);
    else array[i] = data[i];
  return array;
}
