import { LutnnError } from "../errors";
import { quoted } from "../files/quoted";
import { StoredArray, type StoredValues } from "./storedArray";

/** Constructors by the name that a file says. */
const kinds = { Float32Array, Float64Array, Int32Array, Uint8Array } as const;
type Kind = keyof typeof kinds;

const headOf = ({ shape, values }: StoredArray): string =>
  `${JSON.stringify({ type: values.constructor.name, shape })}\n`;

/** One array as bytes: a line of JSON with type and shape, then its elements, little-endian. */
export function encodeArray(array: StoredArray): Uint8Array {
  const { buffer, byteOffset, byteLength } = array.values;
  return Buffer.concat([Buffer.from(headOf(array)), new Uint8Array(buffer, byteOffset, byteLength)]);
}

/** How many bytes they are. */
export const encodedLength = (array: StoredArray): number => headOf(array).length + array.bytes;

/** The array of such bytes. Throws LutnnError on others; `name` opens the sentence. */
export function decodeArray(bytes: Buffer, name: string): StoredArray {
  const refuse = (why: string) =>
    new LutnnError(`${name}: the file must be a stored array (${why}); it is damaged`);
  const end = bytes.indexOf(10);
  if (end < 0 || end > 4096) throw refuse("it has no head");
  let head: { type?: unknown; shape?: unknown };
  try {
    head = JSON.parse(bytes.toString("utf8", 0, end));
  } catch {
    throw refuse("its head is not JSON");
  }
  const { type, shape } = head ?? {};
  if (typeof type !== "string" || !Object.hasOwn(kinds, type)) throw refuse(`its type is ${quoted(type)}`);
  if (!Array.isArray(shape) || !shape.every((length) => Number.isSafeInteger(length) && length >= 0))
    throw refuse("its shape is not one");
  const size = shape.reduce((product: number, length: number) => product * length, 1);
  const { BYTES_PER_ELEMENT: width } = kinds[type as Kind];
  if (bytes.length - end - 1 !== size * width)
    throw refuse(`it has ${bytes.length - end - 1} bytes for ${size} elements`);
  const copy = new Uint8Array(bytes.subarray(end + 1)).buffer;
  const values: StoredValues = new kinds[type as Kind](copy);
  return new StoredArray(shape, values);
}
