import { list } from "tar";
import { LutnnError } from "../../errors";

/**
 * The bytes of one file in a tar archive, packed by gzip or not. Throws LutnnError on damage, where there is no such file,
 * and where it has more than `limit` bytes; `what` opens the sentence.
 */
export async function tarMember(archive: string, path: string, limit: number, what: string): Promise<Buffer> {
  let parts: Buffer[] | null = null;
  let size = 0;
  try {
    await list({
      file: archive,
      strict: true,
      filter: (name) => name === path,
      onReadEntry: (entry) => {
        size = entry.size;
        parts = [];
        if (entry.size > limit || entry.type !== "File") return;
        entry.on("data", (part: Buffer) => parts?.push(Buffer.from(part)));
      },
    });
  } catch (error) {
    throw new LutnnError(
      `${what}: the archive ${JSON.stringify(archive)} must be whole (${(error as Error).message.slice(0, 200)}); get it again`,
    );
  }
  const bytes = parts === null ? null : Buffer.concat(parts);
  if (bytes && size <= limit && bytes.length === size) return bytes;
  throw new LutnnError(
    `${what}: the archive ${JSON.stringify(archive)} must hold ${path} of at most ${limit} bytes (got ${parts === null ? "no such file" : `${size} bytes`}); get it again`,
  );
}
