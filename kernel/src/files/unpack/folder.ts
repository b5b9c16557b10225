import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { LutnnError } from "../../errors";
import { quoted } from "../quoted";

/** How much archives may make, all together. */
export interface UnpackLimits {
  /** Bytes of all files. */
  bytes: number;
  /** Files and folders. */
  entries: number;
}

const mostDepth = 32;

/**
 * A folder that entries of archives are written to, as often as the limits allow: whole paths below it, no links, no
 * file twice. Throws LutnnError, opened by `archive`, on anything else.
 */
export class UnpackFolder {
  private bytes = 0;
  private entries = 0;
  private readonly made = new Set<string>();

  constructor(
    private readonly root: string,
    private readonly limits: UnpackLimits,
    private readonly onUnpacked: (bytes: number) => void = () => undefined,
  ) {}

  /** Makes an entry's folder. */
  async folder(archive: string, path: string): Promise<void> {
    this.count(archive, 0);
    const parts = partsOf(archive, path);
    if (parts.length > 0) await this.makeFolder(parts);
  }

  /** Writes an entry's file, which says that it has `size` bytes. */
  async file(
    archive: string,
    path: string,
    size: number,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    this.count(archive, size);
    const parts = partsOf(archive, path);
    if (parts.length === 0) throw refusal(archive, path, "be a path below the folder");
    await this.makeFolder(parts.slice(0, -1));
    const output = await open(join(this.root, ...parts), "wx").catch((error: NodeJS.ErrnoException) => {
      throw error.code === "EEXIST" ? refusal(archive, path, "be there once") : error;
    });
    try {
      let written = 0;
      for await (const part of content) {
        signal.throwIfAborted();
        written += part.length;
        if (written > size) throw refusal(archive, path, `have the ${size} bytes that it claims`);
        await output.appendFile(part);
      }
      if (written !== size) throw refusal(archive, path, `have the ${size} bytes that it claims`);
      this.onUnpacked(this.bytes);
    } finally {
      await output.close();
    }
  }

  private count(archive: string, size: number): void {
    this.entries++;
    this.bytes += size;
    if (this.entries > this.limits.entries || !(this.bytes <= this.limits.bytes))
      throw new LutnnError(
        `${archive}: the archive must unpack to at most ${this.limits.bytes} bytes in ${this.limits.entries} files (it has more); delete it and get it again`,
      );
  }

  private async makeFolder(parts: readonly string[]): Promise<void> {
    const path = join(this.root, ...parts);
    if (this.made.has(path)) return;
    await mkdir(path, { recursive: true });
    this.made.add(path);
  }
}

export const refusal = (archive: string, path: string, rule: string) =>
  new LutnnError(
    `${archive}: each entry of the archive must ${rule} (got ${quoted(path)}); do not use it, and get it again`,
  );

/** Names of a path below the folder; none for the folder itself. */
function partsOf(archive: string, path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "." && part !== "");
  const isPlain =
    !path.startsWith("/") &&
    parts.length <= mostDepth &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    parts.every((part) => part !== ".." && part.length <= 255 && !/[\\:\u0000-\u001f]/.test(part));
  if (!isPlain) throw refusal(archive, path, "be a plain path below the folder");
  return parts;
}
