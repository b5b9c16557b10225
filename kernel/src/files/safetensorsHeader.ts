import { LutnnError } from "../errors";
import { repeatedKey } from "./jsonKeys";
import { quoted } from "./quoted";
import { type TensorType, tensorFormats } from "./tensorTypes";

/** A tensor of the header, its bytes from `from` to before `to` of the data. */
export interface TensorEntry {
  name: string;
  type: TensorType;
  shape: number[];
  from: number;
  to: number;
}

export interface SafetensorsHeader {
  entries: TensorEntry[];
  metadata: Record<string, string>;
  /** Where the data begin in the file. */
  start: number;
}

/** The format's own limit for the header. */
export const headerLimit = 100_000_000;
/** Axes of a tensor at most: more than any library has. */
const mostAxes = 32;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function headerText(bytes: Uint8Array, file: string): { text: string; start: number } {
  const refuse = (why: string) => new LutnnError(`${file}: the file must be whole safetensors (${why})`);
  if (bytes.length < 8) throw refuse(`it has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(headerLimit) || length > BigInt(bytes.length - 8))
    throw refuse(`its header claims ${length} bytes of ${bytes.length}`);
  const start = 8 + Number(length);
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start)), start };
  } catch (error) {
    throw refuse(`its header is not UTF-8: ${(error as Error).message}`);
  }
}

/** The header of a safetensors file, every field checked; `file` opens the errors' sentences. */
export function parseHeader(bytes: Uint8Array, file: string): SafetensorsHeader {
  const refuse = (why: string) => new LutnnError(`${file}: the file must be whole safetensors (${why})`);
  const { text, start } = headerText(bytes, file);
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw refuse(`its header is not JSON: ${(error as Error).message.slice(0, 200)}`);
  }
  if (!isRecord(header)) throw refuse("its header is not an object");
  const twice = repeatedKey(text);
  if (twice !== null) throw refuse(`its header has the key ${quoted(twice)} twice`);
  const entries: TensorEntry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header))
    if (name === "__metadata__") metadata = checkedMetadata(file, value);
    else entries.push(checkedEntry(file, name, value));
  return { entries, metadata, start };
}

function checkedMetadata(file: string, value: unknown): Record<string, string> {
  if (!isRecord(value))
    throw new LutnnError(
      `${file}: the metadata must be an object of texts (got ${quoted(value)}); the file is damaged`,
    );
  for (const [key, text] of Object.entries(value))
    if (typeof text !== "string")
      throw new LutnnError(
        `${file}: the metadata ${quoted(key)} must be a text (got ${quoted(text)}); the file is damaged`,
      );
  return value as Record<string, string>;
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function checkedEntry(file: string, name: string, value: unknown): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : {};
  const subject = `${file}: the tensor ${quoted(name)}`;
  if (
    !Array.isArray(shape) ||
    !shape.every(isSize) ||
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every(isSize)
  )
    throw new LutnnError(
      `${subject} must have a shape and data offsets (got ${quoted(value)}); the file is damaged`,
    );
  if (shape.length > mostAxes)
    throw new LutnnError(`${subject} must have at most ${mostAxes} axes (got ${shape.length})`);
  if (typeof dtype !== "string" || !Object.hasOwn(tensorFormats, dtype))
    throw new LutnnError(
      `${subject} must be of type ${Object.keys(tensorFormats).join(", ")} (got ${quoted(dtype)}); convert it first`,
    );
  const type = dtype as TensorType;
  const size = shape.reduce((product, length) => product * length, tensorFormats[type].bytesPerElement);
  const [from, to] = offsets;
  if (!Number.isSafeInteger(size) || to - from !== size)
    throw new LutnnError(
      `${subject} of type ${type} and shape ${shape.join("×") || "()"} must take ${size} bytes (got ${to - from}); the file is damaged`,
    );
  return { name, type, shape, from, to };
}
