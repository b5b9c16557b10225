import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline } from "node:stream";
import { createInflate } from "node:zlib";
import { LutnnError } from "../../errors";
import { fileError } from "../../files/fileError";
import { ByteReader } from "./byteReader";

/** An array of numbers in a MAT file; its values must be read before the next array is asked for. */
export interface MatArray {
  name: string;
  /** The first one varies fastest. */
  dims: number[];
  /** How its numbers are stored, which may be smaller than what they are: "uint8" for whole ones below 256. */
  storage: keyof typeof numberBytes;
  /** The bytes of its numbers as they come; throws LutnnError where they end too soon. */
  bytes: () => AsyncGenerator<Uint8Array>;
}

/** Bytes of a number, by the types that files store. */
const numberBytes = { int8: 1, uint8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4, float32: 4, float64: 8 };
const storages: Record<number, keyof typeof numberBytes> = {
  1: "int8",
  2: "uint8",
  3: "int16",
  4: "uint16",
  5: "int32",
  6: "uint32",
  7: "float32",
  9: "float64",
};
const [miInt8, miInt32, miUint32, miMatrix, miCompressed] = [1, 5, 6, 14, 15];
/** Classes of arrays of real numbers: double, single, int8 … uint32. */
const isNumeric = (kind: number) => kind >= 6 && kind <= 13;
const isComplex = 0x08;
const [headerBytes, mostDims, mostName] = [128, 8, 256];

/**
 * The arrays of real numbers in a MAT file of version 5 (as MATLAB's `save -v6` and `-v7` make it), one by one, what is
 * packed unpacked as it is read; whatever else is in the file is passed over. Throws LutnnError on damage.
 */
export async function* matArrays(path: string, signal: AbortSignal): AsyncGenerator<MatArray> {
  try {
    const file = await open(path);
    let size: number;
    const head = Buffer.alloc(headerBytes);
    try {
      ({ size } = await file.stat());
      await file.read(head, 0, headerBytes, 0);
    } finally {
      await file.close();
    }
    const refuse = refusal(path);
    if (head.toString("latin1", 126, 128) !== "IM" || head.readUInt16LE(124) !== 0x0100)
      throw refuse("it does not begin as a little-endian one does");
    for (let at = headerBytes; at < size; ) {
      const stream = createReadStream(path, { start: at, signal, highWaterMark: 1 << 18 });
      const reader = new ByteReader(stream);
      try {
        const tag = await reader.exactly(8);
        if (!tag) throw refuse(`it ends within a tag at byte ${at}`);
        const [type, length] = [tag.readUInt32LE(0), tag.readUInt32LE(4)];
        if (at + 8 + length > size)
          throw refuse(`an element at byte ${at} has ${size - at - 8} of ${length} bytes`);
        if (length > 0) yield* elementAt(path, at + 8, type, length, signal);
        at += 8 + length;
      } finally {
        await reader.end();
        stream.destroy();
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    throw fileError(basename(path), path, error);
  }
}

const refusal = (path: string) => (why: string) =>
  new LutnnError(`${basename(path)}: the file must be a whole MAT file of version 5 (${why}); get it again`);

/** The array of an element whose content begins at `start`, if it is one. */
async function* elementAt(
  path: string,
  start: number,
  type: number,
  length: number,
  signal: AbortSignal,
): AsyncGenerator<MatArray> {
  if (type !== miMatrix && type !== miCompressed) return;
  const refuse = refusal(path);
  const input = createReadStream(path, { start, end: start + length - 1, signal, highWaterMark: 1 << 18 });
  const stream = type === miCompressed ? pipeline(input, createInflate(), () => undefined) : input;
  const reader = new ByteReader(stream);
  try {
    if (type === miCompressed) {
      const tag = await reader.exactly(8);
      if (!tag) throw refuse(`a packed element at byte ${start} has no tag`);
      if (tag.readUInt32LE(0) !== miMatrix) return;
    }
    const array = await arrayOf(reader, refuse);
    if (array) yield array;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith("Z_")) throw refuse((error as Error).message);
    throw error;
  } finally {
    await reader.end().catch(() => undefined); // closed half read
    stream.destroy();
    input.destroy();
  }
}

type Refuse = (why: string) => LutnnError;

async function arrayOf(reader: ByteReader, refuse: Refuse): Promise<MatArray | null> {
  const flags = await small(reader, miUint32, 8, refuse);
  if (flags.length < 4) throw refuse(`an array's flags have ${flags.length} bytes`);
  const kind = flags.readUInt32LE(0);
  if (!isNumeric(kind & 0xff) || (kind >> 8) & isComplex) return null;
  const lengths = await small(reader, miInt32, 4 * mostDims, refuse);
  const dims = Array.from({ length: lengths.length >> 2 }, (_, i) => lengths.readInt32LE(4 * i));
  const count = dims.reduce((product, length) => product * length, 1);
  if (dims.length < 2 || dims.some((length) => length < 0) || !Number.isSafeInteger(count))
    throw refuse(`an array has the lengths ${dims.join(" × ")}`);
  const name = (await small(reader, miInt8, mostName, refuse)).toString("latin1");
  const { type, length, inline } = await tagOf(reader, refuse);
  const storage = storages[type];
  if (!storage || length !== count * numberBytes[storage])
    throw refuse(
      `the array ${JSON.stringify(name)} of ${dims.join(" × ")} has ${length} bytes of type ${type}`,
    );
  async function* bytes(): AsyncGenerator<Uint8Array> {
    if (inline) {
      yield inline;
      return;
    }
    for (let left = length; left > 0; ) {
      const part = await reader.some(left);
      if (!part) throw refuse(`the array ${JSON.stringify(name)} ends ${left} bytes too soon`);
      left -= part.length;
      yield part;
    }
  }
  return { name, dims, storage, bytes };
}

/** A tag with its content where that is in the tag itself. */
async function tagOf(
  reader: ByteReader,
  refuse: Refuse,
): Promise<{ type: number; length: number; inline: Buffer | null }> {
  const tag = await reader.exactly(8);
  if (!tag) throw refuse("an array ends within a tag");
  const word = tag.readUInt32LE(0);
  if (word >>> 16 === 0) return { type: word, length: tag.readUInt32LE(4), inline: null };
  const length = word >>> 16;
  if (length > 4) throw refuse(`a short element has ${length} bytes`);
  return { type: word & 0xffff, length, inline: tag.subarray(4, 4 + length) };
}

/** The content of a part of an array's description, with the padding behind it passed over. */
async function small(reader: ByteReader, wanted: number, most: number, refuse: Refuse): Promise<Buffer> {
  const { type, length, inline } = await tagOf(reader, refuse);
  if (type !== wanted || length > most)
    throw refuse(`an array's description has ${length} bytes of type ${type}`);
  if (inline) return inline;
  const content = await reader.exactly(Math.ceil(length / 8) * 8);
  if (!content) throw refuse("an array ends within its description");
  return content.subarray(0, length);
}

/** All numbers of an array that has at most `most`. Throws LutnnError on more. */
export async function matNumbers({ name, dims, storage, bytes }: MatArray, most: number): Promise<number[]> {
  const count = dims.reduce((product, length) => product * length, 1);
  if (count > most)
    throw new LutnnError(
      `mat: the array ${JSON.stringify(name)} must have at most ${most} numbers (got ${count})`,
    );
  const all = Buffer.alloc(count * numberBytes[storage]);
  let at = 0;
  for await (const part of bytes()) {
    all.set(part, at);
    at += part.length;
  }
  const read = {
    int8: (i: number) => all.readInt8(i),
    uint8: (i: number) => all.readUInt8(i),
    int16: (i: number) => all.readInt16LE(2 * i),
    uint16: (i: number) => all.readUInt16LE(2 * i),
    int32: (i: number) => all.readInt32LE(4 * i),
    uint32: (i: number) => all.readUInt32LE(4 * i),
    float32: (i: number) => all.readFloatLE(4 * i),
    float64: (i: number) => all.readDoubleLE(8 * i),
  }[storage];
  return Array.from({ length: count }, (_, i) => read(i));
}
