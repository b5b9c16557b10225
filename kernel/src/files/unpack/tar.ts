import { once } from "node:events";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { createGunzip } from "node:zlib";
import { Parser, type ReadEntry } from "tar";
import { LutnnError } from "../../errors";
import { piped } from "../piped";
import { refusal, type UnpackFolder } from "./folder";

const files = ["File", "OldFile", "ContiguousFile"];
const folders = ["Directory", "GNUDumpDir"];
/** A header and padding of each entry, with a long name before it. */
const headerBytes = 4096;

/**
 * Unpacks a tar archive, packed by gzip or not, of at most `bytes` in `entries` files. Throws LutnnError on damage, on
 * links and devices and on whatever the folder refuses.
 */
export async function unpackTar(
  path: string,
  folder: UnpackFolder,
  limits: { bytes: number; entries: number },
  signal: AbortSignal,
): Promise<void> {
  const name = basename(path);
  let work: Promise<void> = Promise.resolve();
  let isWhole = false;
  const failure = new AbortController();
  let current: ReadEntry | undefined;
  const parser = new Parser({
    strict: true,
    maxDecompressionRatio: Number.POSITIVE_INFINITY, // it sees what is unpacked already
    onReadEntry: (entry) => {
      work = work
        .then(async () => {
          if (failure.signal.aborted) return;
          current = entry;
          entry.on("error", () => undefined); // thrown to whoever reads it
          await take(entry, name, folder, signal);
        })
        .catch((error) => {
          failure.abort(error);
        });
    },
  });
  parser.on("error", (error: Error) => failure.abort(damage(name, error)));
  parser.on("eof", () => {
    isWhole = true;
  });
  const ended = once(parser, "end", { signal: failure.signal });
  ended.catch(() => undefined); // asked for below
  try {
    const most = limits.bytes + limits.entries * headerBytes;
    for await (const chunk of unpacked(path, name, most, signal)) {
      if (!parser.write(chunk)) await once(parser, "drain", { signal: failure.signal });
      failure.signal.throwIfAborted();
    }
    parser.end();
    await ended;
    await work;
    failure.signal.throwIfAborted();
  } catch (error) {
    // Nothing may be written any more once this has been thrown: what waits for the rest of an entry is ended.
    failure.abort(error);
    current?.destroy(new Error("the archive ended"));
    await work;
    signal.throwIfAborted();
    throw failure.signal.reason;
  }
  if (!isWhole) throw damage(name, new Error("its end is missing"));
}

async function take(
  entry: ReadEntry,
  archive: string,
  folder: UnpackFolder,
  signal: AbortSignal,
): Promise<void> {
  if (folders.includes(entry.type)) {
    await folder.folder(archive, entry.path);
    entry.resume();
  } else if (files.includes(entry.type)) await folder.file(archive, entry.path, entry.size, entry, signal);
  else throw refusal(archive, entry.path, `be a file or a folder (it has a ${entry.type})`);
}

/** The archive's bytes without gzip around them, at most so many. */
async function* unpacked(
  path: string,
  name: string,
  most: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const input = createReadStream(path, { highWaterMark: 1 << 18, signal });
  const stream = (await isGzip(path)) ? piped(input, createGunzip()) : input;
  let count = 0;
  try {
    for await (const chunk of stream) {
      count += chunk.length;
      if (count > most)
        throw new LutnnError(
          `${name}: the archive must unpack to at most ${most} bytes (it unpacks to more); delete it and get it again`,
        );
      // The parser would unpack once more, and without a limit.
      if (count === chunk.length && hasMagic(chunk)) throw new Error("packed twice");
      yield chunk;
    }
  } catch (error) {
    const isSystem = error instanceof LutnnError || (error as NodeJS.ErrnoException).syscall;
    throw isSystem ? error : damage(name, error as Error);
  } finally {
    stream.destroy();
  }
}

const hasMagic = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b;

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return hasMagic(buffer);
  } finally {
    await file.close();
  }
}

const damage = (name: string, { message }: Error) =>
  new LutnnError(
    `${name}: the archive must be whole tar (${message.split("\n")[0]}); delete it and get it again`,
  );
