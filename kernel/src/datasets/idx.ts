import { LutnnError } from "../errors";

/** A file of the IDX format (LeCun's MNIST): unsigned bytes with their lengths. */
export interface IdxArray {
  dims: number[];
  data: Uint8Array;
}

/** Unsigned byte, the only element type that the image sets use. */
const unsignedByte = 8;

/** Bytes of a file that holds an array of these lengths. */
export const idxBytes = (dims: readonly number[]): number =>
  4 + 4 * dims.length + dims.reduce((product, length) => product * length, 1);

/** Reads an uncompressed IDX file of bytes; `name` opens the error's sentence. */
export function parseIdx(bytes: Uint8Array, name: string): IdxArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (
    bytes.length < 8 ||
    view.getUint16(0) !== 0 ||
    bytes[2] !== unsignedByte ||
    bytes[3] < 1 ||
    bytes[3] > 4
  )
    throw new LutnnError(
      `${name}: the file must be IDX of unsigned bytes (its first bytes are ${bytes.slice(0, 4).join(" ")})`,
    );
  const dims = Array.from({ length: bytes[3] }, (_, i) =>
    4 + 4 * i + 4 <= bytes.length ? view.getUint32(4 + 4 * i) : 0,
  );
  const start = 4 + 4 * dims.length;
  const size = dims.reduce((product, length) => product * length, 1);
  if (bytes.length !== start + size)
    throw new LutnnError(
      `${name}: the file must hold ${dims.join(" × ")} = ${size} bytes after its header (got ${bytes.length - start}); it is damaged or cut off`,
    );
  return { dims, data: bytes.subarray(start) };
}
