import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { LutnnError } from "../errors";

const unpack = promisify(gunzip);

/**
 * Unpacks gzip of at most `most` bytes: a small file can claim to hold any number of them, and what unpacks it must say
 * what it can use. Memory stays within that, whatever the file. `name` opens the error's sentence.
 * Throws LutnnError where there is more, or where the bytes are no gzip or are cut off.
 */
export async function gunzipBounded(bytes: Uint8Array, most: number, name: string): Promise<Uint8Array> {
  try {
    return await unpack(bytes, { maxOutputLength: most });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ERR_BUFFER_TOO_LARGE")
      throw new LutnnError(
        `${name}: the file must unpack to at most ${most} bytes (got more from ${bytes.length} bytes of gzip); it is not what it should be, fetch it again`,
        { cause: error },
      );
    throw new LutnnError(
      `${name}: the file must be whole gzip (got ${bytes.length} bytes, ${message}); it is damaged or cut off, fetch it again`,
      { cause: error },
    );
  }
}
