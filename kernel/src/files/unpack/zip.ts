import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { crc32, createInflateRaw } from "node:zlib";
import { type Entry, openPromise } from "yauzl";
import { LutnnError } from "../../errors";
import { piped } from "../piped";
import { refusal, type UnpackFolder } from "./folder";

/** Of the mode that Unix systems put into the upper half of an entry's attributes. */
const [kindOfFile, regular, directory] = [0xf000, 0x8000, 0x4000];

/**
 * Unpacks a zip archive. Throws LutnnError on damage (each file's checksum is compared), on links, on encrypted entries
 * and on whatever the folder refuses.
 */
export async function unpackZip(path: string, folder: UnpackFolder, signal: AbortSignal): Promise<void> {
  const name = basename(path);
  try {
    const zip = await openPromise(path, { autoClose: false, strictFileNames: true });
    try {
      for await (const entry of zip.eachEntry()) {
        signal.throwIfAborted();
        const isFolder = entry.fileName.endsWith("/");
        checkKind(name, entry, isFolder);
        if (isFolder) await folder.folder(name, entry.fileName);
        else {
          const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
          const content = contentOf(path, fileDataStart, entry);
          const { fileName, uncompressedSize } = entry;
          await folder.file(name, fileName, uncompressedSize, checked(name, entry, content), signal);
        }
      }
    } finally {
      zip.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof LutnnError || (error as NodeJS.ErrnoException).syscall) throw error;
    const [reason] = (error as Error).message.split("\n");
    throw new LutnnError(`${name}: the archive must be whole zip (${reason}); delete it and get it again`);
  }
}

function checkKind(archive: string, entry: Entry, isFolder: boolean): void {
  const kind = (entry.externalFileAttributes >>> 16) & kindOfFile;
  if (kind !== 0 && kind !== (isFolder ? directory : regular))
    throw refusal(archive, entry.fileName, "be a file or a folder (this is a link or a device)");
  if (entry.isEncrypted()) throw refusal(archive, entry.fileName, "be readable without a password");
}

/** An entry's bytes. yauzl's own stream forgets an error that comes before somebody reads. */
function contentOf(path: string, start: number, { compressedSize, compressionMethod }: Entry): Readable {
  if (compressionMethod !== 0 && compressionMethod !== 8)
    throw new Error(`it is packed by method ${compressionMethod}`);
  if (compressedSize === 0) return Readable.from([]);
  const packed = createReadStream(path, { start, end: start + compressedSize - 1 });
  if (compressionMethod === 0) return packed;
  return piped(packed, createInflateRaw());
}

async function* checked(archive: string, entry: Entry, content: Readable): AsyncGenerator<Buffer> {
  let sum = 0;
  try {
    for await (const part of content) {
      sum = crc32(part, sum);
      yield part;
    }
  } finally {
    content.destroy();
  }
  if (sum !== entry.crc32) throw refusal(archive, entry.fileName, "have the checksum that it claims");
}
