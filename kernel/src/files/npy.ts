import { LutnnError } from "../errors";
import { quoted } from "./quoted";

/** Arrays of numbers by NumPy's name of their type, little-endian. */
export interface NpyArrays {
  f4: Float32Array;
  f8: Float64Array;
  /** The bits of each number. */
  f2: Uint16Array;
  i1: Int8Array;
  u1: Uint8Array;
  i2: Int16Array;
  u2: Uint16Array;
  i4: Int32Array;
  u4: Uint32Array;
  i8: BigInt64Array;
  u8: BigUint64Array;
  /** 0 or 1. */
  b1: Uint8Array;
}

export type NpyType = keyof NpyArrays;

/** An array as a `.npy` file has it, row-major. */
export interface NpyArray<T extends NpyType = NpyType> {
  type: T;
  shape: readonly number[];
  values: NpyArrays[T];
}

const arrays: { [T in NpyType]: new (memory: ArrayBuffer) => NpyArrays[T] } = {
  f4: Float32Array,
  f8: Float64Array,
  f2: Uint16Array,
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  i8: BigInt64Array,
  u8: BigUint64Array,
  b1: Uint8Array,
};

const magic = Buffer.from("\x93NUMPY", "latin1");
const types = Object.keys(arrays).join(", ");

const isType = (name: string): name is NpyType => Object.hasOwn(arrays, name);
const product = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** Entry of the header, a Python dictionary of three: its text, or undefined. */
const entry = (header: string, name: string): string | undefined =>
  new RegExp(`['"]${name}['"]\\s*:\\s*('[^']*'|"[^"]*"|True|False|\\([^()]*\\))`).exec(header)?.[1];

/**
 * Reads a `.npy` file (NumPy's format, versions 1 to 3) of numbers or booleans, little-endian. Column-major ones are put in
 * order. Throws LutnnError, opened by `file`, on anything else.
 */
export function readNpy(bytes: Uint8Array, file: string): NpyArray {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fault = (rule: string, got: string, remedy = "write it with numpy.save") =>
    new LutnnError(`${file}: ${rule} (got ${got}); ${remedy}`);
  if (view.length < 12 || !view.subarray(0, 6).equals(magic))
    throw fault("the file must be an array of NumPy's", "no .npy file, or only its beginning");
  const version = view[6];
  if (version < 1 || version > 3) throw fault("the format must be of version 1 to 3", String(version));
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.readUInt16LE(8) : view.readUInt32LE(8);
  if (start + length > view.length) throw fault("the header must be whole", `${view.length} bytes in all`);
  const header = view.toString("latin1", start, start + length);
  const [descr, order, dims] = ["descr", "fortran_order", "shape"].map((name) => entry(header, name));
  const lengths = dims
    ?.slice(1, -1)
    .split(",")
    .map((part) => part.trim());
  if (lengths?.at(-1) === "") lengths.pop();
  const shape = lengths?.map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : Number.NaN));
  const isWhole = shape?.every((one) => Number.isSafeInteger(one)) && Number.isSafeInteger(product(shape));
  if (descr === undefined || order === undefined || !shape || !isWhole)
    throw fault("the header must say descr, fortran_order and shape", quoted(header));
  const type = descr.slice(2, -1);
  if (!/^['"][<|=]/.test(descr) || !isType(type))
    throw fault(
      `the elements must be of one of ${types}, little-endian`,
      quoted(descr.replace(/^['"]|['"]$/g, "")),
      'convert them, as with array.astype("<f4")',
    );
  const data = view.subarray(start + length);
  const whole = data.length - (data.length % Number(type.slice(1)));
  const values = new arrays[type](new Uint8Array(data.subarray(0, whole)).buffer);
  if (values.length !== product(shape) || data.length !== values.byteLength)
    throw fault(
      `the array of shape ${shape.join("×") || "()"} must have ${product(shape)} elements`,
      `${data.length} bytes of ${type}`,
    );
  return { type, shape, values: order === "True" ? rowMajor(values, shape) : values };
}

/** A column-major array in row-major order. */
function rowMajor<A extends NpyArrays[NpyType]>(values: A, shape: readonly number[]): A {
  const made = values.slice() as A;
  const steps = shape.map((_, axis) => product(shape.slice(0, axis)));
  const place = shape.map(() => 0);
  for (let at = 0; at < made.length; at++) {
    made[at] = values[place.reduce((sum, index, axis) => sum + index * steps[axis], 0)];
    for (let axis = shape.length - 1; axis >= 0 && ++place[axis] === shape[axis]; axis--) place[axis] = 0;
  }
  return made;
}

/** The bytes of a `.npy` file, version 1. Throws LutnnError where shape and values do not fit. */
export function writeNpy({ type, shape, values }: NpyArray): Uint8Array {
  if (product(shape) !== values.length)
    throw new LutnnError(
      `writeNpy: an array of shape ${shape.join("×") || "()"} must have ${product(shape)} elements (got ${values.length})`,
    );
  const descr = `${type.endsWith("1") ? "|" : "<"}${type}`;
  const dims = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${dims}, }`;
  const length = Math.ceil((text.length + 11) / 64) * 64 - 10; // data begin at a multiple of 64
  const head = Buffer.alloc(10 + length, " ");
  magic.copy(head);
  head.writeUInt16LE(1, 6);
  head.writeUInt16LE(length, 8);
  head.write(text, 10, "latin1");
  head[head.length - 1] = 10;
  return Buffer.concat([head, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)]);
}
