import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { LutnnError } from "../../errors";
import { fileError } from "../../files/fileError";
import { requireRegular } from "../../files/regularFile";

/** Files of records that stay open; a set has a handful. */
const mostOpen = 16;
const open = new Map<string, number>();

/** `length` bytes of a file from `offset` on; the file stays open for the next ones. */
export function recordOf(path: string, offset: number, length: number): Buffer {
  try {
    const bytes = Buffer.alloc(length);
    const read = readSync(descriptorOf(path), bytes, 0, length, offset);
    if (read === length) return bytes;
    throw new LutnnError(
      `read: the file must have ${length} bytes from byte ${offset} on (got ${read} in ${JSON.stringify(path)}); it was cut off, get it again`,
    );
  } catch (error) {
    throw fileError("read", path, error);
  }
}

function descriptorOf(path: string): number {
  const known = open.get(path);
  if (known !== undefined) return known;
  for (const [oldest, descriptor] of open) {
    if (open.size < mostOpen) break;
    closeSync(descriptor);
    open.delete(oldest);
  }
  const descriptor = openSync(path, "r");
  open.set(path, descriptor);
  return descriptor;
}

/** The bytes of a small file, at most `limit`. */
export function smallFile(path: string, limit: number): Buffer {
  try {
    const descriptor = openSync(path, "r");
    try {
      const found = fstatSync(descriptor);
      requireRegular("read", path, found);
      if (found.size > limit)
        throw new LutnnError(
          `read: the file must have at most ${limit} bytes (got ${found.size} in ${JSON.stringify(path)}); leave it out`,
        );
      const bytes = Buffer.alloc(found.size);
      for (let at = 0; at < bytes.length; ) {
        const read = readSync(descriptor, bytes, at, bytes.length - at, at);
        if (read === 0) return bytes.subarray(0, at);
        at += read;
      }
      return bytes;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw fileError("read", path, error);
  }
}
