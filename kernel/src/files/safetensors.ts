import { LutnnError } from "../errors";

/** A float32 tensor in a safetensors file. */
export interface NamedArray {
  name: string;
  shape: number[];
  values: Float32Array;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** The format's own limit for the header. */
const headerLimit = 100_000_000;

/** The bytes of a safetensors file: header length, JSON header, then the tensors without holes, 8-byte aligned. */
export function writeSafetensors(arrays: NamedArray[], metadata: Record<string, string> = {}): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, shape, values } of arrays) {
    const size = shape.reduce((product, length) => product * length, 1);
    if (size !== values.length || name in header)
      throw new LutnnError(
        `safetensors: ${name} must be one array of ${size} numbers (got ${values.length})`,
      );
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(json + " ".repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  const bytes = Buffer.alloc(8 + text.length + offset);
  bytes.writeBigUInt64LE(BigInt(text.length));
  text.copy(bytes, 8);
  let at = 8 + text.length;
  for (const { values } of arrays) {
    Buffer.from(values.buffer, values.byteOffset, values.byteLength).copy(bytes, at);
    at += values.byteLength;
  }
  return bytes;
}

function parseHeader(bytes: Uint8Array, name: string): { header: Record<string, unknown>; start: number } {
  const refuse = (why: string) => new LutnnError(`${name}: the file must be whole safetensors (${why})`);
  if (bytes.length < 8) throw refuse(`it has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(headerLimit) || length > BigInt(bytes.length - 8))
    throw refuse(`its header claims ${length} bytes of ${bytes.length}`);
  const start = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (error) {
    throw refuse(`its header is not JSON: ${(error as Error).message}`);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header))
    throw refuse("its header is not an object");
  return { header: header as Record<string, unknown>, start };
}

function checkedEntry(file: string, name: string, entry: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Partial<Entry>;
  const whole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  if (
    !Array.isArray(shape) ||
    !shape.every(whole) ||
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every(whole)
  )
    throw new LutnnError(
      `${file}: the tensor ${name} must have a shape and data offsets (its entry is damaged)`,
    );
  if (dtype !== "F32")
    throw new LutnnError(`${file}: the tensor ${name} must be of type F32 (got ${String(dtype)})`);
  const size = 4 * shape.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(size) || offsets[1] - offsets[0] !== size)
    throw new LutnnError(
      `${file}: the tensor ${name} of shape ${shape.join("×")} must take ${size} bytes (got ${offsets[1] - offsets[0]})`,
    );
  return { dtype, shape, data_offsets: offsets as [number, number] };
}

/**
 * Reads float32 safetensors with the format's checks: header within bounds, sizes that multiply up, no overlap, no hole,
 * no byte left over. `name` opens the error's sentence. The arrays are copies.
 */
export function readSafetensors(
  bytes: Uint8Array,
  name: string,
): { arrays: NamedArray[]; metadata: Record<string, string> } {
  const { header, start } = parseHeader(bytes, name);
  const { __metadata__: metadata = {}, ...tensors } = header;
  const entries = Object.entries(tensors).map(([tensor, entry]) => ({
    tensor,
    ...checkedEntry(name, tensor, entry),
  }));
  entries.sort((a, b) => a.data_offsets[0] - b.data_offsets[0]);
  let end = 0;
  for (const { tensor, data_offsets } of entries) {
    if (data_offsets[0] !== end)
      throw new LutnnError(
        `${name}: the tensor ${tensor} must begin at byte ${end} (got ${data_offsets[0]})`,
      );
    end = data_offsets[1];
  }
  if (start + end !== bytes.length)
    throw new LutnnError(
      `${name}: the file must have ${start + end} bytes (got ${bytes.length}); it is damaged or cut off`,
    );
  const arrays = entries.map(({ tensor, shape, data_offsets: [from, to] }) => {
    const copy = Uint8Array.prototype.slice.call(bytes, start + from, start + to); // Buffer's own slice shares memory
    return {
      name: tensor,
      shape,
      values: new Float32Array(copy.buffer, copy.byteOffset, copy.byteLength / 4),
    };
  });
  return { arrays, metadata: metadata as Record<string, string> };
}
