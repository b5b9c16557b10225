import { LutnnError } from "../errors";
import { quoted } from "./quoted";
import { headerLimit, parseHeader } from "./safetensorsHeader";
import { type NamedArray, type NamedTensor, storedForm, tensorFormats } from "./tensorTypes";

export type { NamedArray, NamedTensor, TensorValues } from "./tensorTypes";

/**
 * The bytes of a safetensors file: header length, JSON header, then the tensors without holes, 8-byte aligned, in their
 * order. Throws LutnnError on names that repeat, sizes that do not fit and metadata that is no text.
 */
export function writeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Record<string, string> = {},
): Uint8Array {
  for (const [key, text] of Object.entries(metadata))
    if (typeof text !== "string")
      throw new LutnnError(
        `safetensors: the metadata ${quoted(key)} must be a text (got ${quoted(text)}); write it as JSON`,
      );
  const header = new Map<string, unknown>([["__metadata__", metadata]]);
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    const { name, shape, values } = tensor;
    if (typeof name !== "string" || header.has(name))
      throw new LutnnError(
        `safetensors: each tensor must have a name of its own (got ${quoted(name)} ${header.has(name) ? "twice, or as the format's own" : "as one"})`,
      );
    const size = shape.reduce((product, length) => product * length, 1);
    if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0) || size !== values.length)
      throw new LutnnError(
        `safetensors: the tensor ${quoted(name)} of shape ${shape.join("×") || "()"} must be whole sizes and as many numbers (got ${values.length})`,
      );
    const { type, bytes } = storedForm(tensor);
    header.set(name, { dtype: type, shape, data_offsets: [offset, offset + bytes.length] });
    parts.push(bytes);
    offset += bytes.length;
  }
  return joined(header, parts, offset);
}

function joined(header: Map<string, unknown>, parts: Uint8Array[], dataBytes: number): Uint8Array {
  // Entry by entry: an object would take the name "__proto__" for something else.
  const json = `{${[...header].map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`;
  const text = Buffer.from(json + " ".repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  if (text.length > headerLimit)
    throw new LutnnError(
      `safetensors: names, shapes and metadata must take at most ${headerLimit} bytes (got ${text.length}); shorten the metadata`,
    );
  const file = Buffer.alloc(8 + text.length + dataBytes);
  file.writeBigUInt64LE(BigInt(text.length));
  text.copy(file, 8);
  let at = 8 + text.length;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/**
 * Reads safetensors of float32, float16, int32, int64, uint8 and int8 with the format's checks: header within bounds, no
 * key twice, sizes that multiply up, no overlap, no hole, no byte left over. `file` opens the errors' sentences. The
 * arrays are copies, in the order of their bytes. Throws LutnnError on anything else.
 */
export function readTensors(
  bytes: Uint8Array,
  file: string,
): { tensors: NamedTensor[]; metadata: Record<string, string> } {
  const { entries, metadata, start } = parseHeader(bytes, file);
  entries.sort((a, b) => a.from - b.from || a.to - b.to); // empty ones before what begins where they are
  let end = 0;
  for (const { name, from, to } of entries) {
    if (from !== end)
      throw new LutnnError(
        `${file}: the tensor ${quoted(name)} must begin at byte ${end} (got ${from}); the file is damaged`,
      );
    end = to;
  }
  if (start + end !== bytes.length)
    throw new LutnnError(
      `${file}: the file must have ${start + end} bytes (got ${bytes.length}); it is damaged or cut off`,
    );
  const tensors = entries.map(({ name, type, shape, from, to }): NamedTensor => {
    const copy = new Uint8Array(to - from);
    copy.set(bytes.subarray(start + from, start + to));
    const values = tensorFormats[type].read(copy.buffer);
    return type === "F16" ? { name, shape, values, half: true } : { name, shape, values };
  });
  return { tensors, metadata };
}

/** As {@link readTensors} for a file of float32 alone. */
export function readSafetensors(
  bytes: Uint8Array,
  file: string,
): { arrays: NamedArray[]; metadata: Record<string, string> } {
  const { tensors, metadata } = readTensors(bytes, file);
  const arrays = tensors.map(({ name, shape, values, half }): NamedArray => {
    if (!(values instanceof Float32Array) || half)
      throw new LutnnError(
        `${file}: the tensor ${quoted(name)} must be of type F32 (got ${half ? "F16" : values.constructor.name}); convert it first`,
      );
    return { name, shape, values };
  });
  return { arrays, metadata };
}
