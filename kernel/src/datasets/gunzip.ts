import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { LutnnError } from "../errors";

/**
 * The bytes of a gzip file that must unpack to `size` bytes; never unpacks more, whatever the file claims. Throws
 * LutnnError on damage or another size; `name` opens the sentence.
 */
export async function gunzipExactly(compressed: Uint8Array, size: number, name: string): Promise<Buffer> {
  const bytes = await promisify(gunzip)(compressed, { maxOutputLength: size }).catch(
    (error: NodeJS.ErrnoException) => {
      const isLonger = error.code === "ERR_BUFFER_TOO_LARGE";
      throw new LutnnError(
        isLonger
          ? `${name}: the file must unpack to ${size} bytes (it unpacks to more); delete it and get it again`
          : `${name}: the file must be whole gzip (${error.message}); delete it and get it again`,
      );
    },
  );
  if (bytes.length !== size)
    throw new LutnnError(
      `${name}: the file must unpack to ${size} bytes (got ${bytes.length}); delete it and get it again`,
    );
  return bytes;
}
