import { readFile, stat } from "node:fs/promises";
import { LutnnError } from "../errors";
import { fileError } from "./fileError";
import { requireRegular } from "./regularFile";

/** What Node.js reads at once: 2 GiB. */
const most = 2 ** 31 - 1;

/**
 * The bytes of a file. Throws LutnnError where it cannot be read, is no regular file, or has more than `limit` bytes, of
 * which then none is read. `doing` opens the error's sentence, `remedy` ends the one about the size.
 */
export async function readFileWhole(
  path: string,
  doing: string,
  limit = most,
  remedy = "check that it is the right one",
): Promise<Buffer> {
  try {
    const found = await stat(path);
    requireRegular(doing, path, found);
    if (found.size > limit)
      throw new LutnnError(
        `${doing}: the file must have at most ${limit} bytes (got ${found.size} in ${JSON.stringify(path)}); ${remedy}`,
      );
    return await readFile(path);
  } catch (error) {
    throw fileError(doing, path, error);
  }
}
