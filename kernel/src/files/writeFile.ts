import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { LutnnError } from "../errors";
import { abandonedBeside, claimAside, releaseAside } from "./aside";
import { fileError } from "./fileError";
import { makeFolder } from "./makeFolder";
import { requireRegular } from "./regularFile";

/** What Linux writes at once is 4 KiB below 2 GiB. */
const mostAtOnce = 2 ** 30;

/**
 * Writes a file so that it is there whole or not at all: beside it under another name, to the disk, then renamed. What a
 * killed process left beside it goes. Makes the folder when it is missing; where the path is a symbolic link, the file
 * that it leads to is written.
 *
 * Throws LutnnError where that fails (a full disk, a folder of that name, a file where a folder should be, missing
 * rights, …); the file that was there before is then as it was. `doing` opens the error's sentence.
 */
export async function writeFileWhole(
  path: string,
  data: string | Uint8Array,
  doing = "write",
): Promise<void> {
  const written = await writeBeside(path, data, doing);
  await written.place();
}

/** A file that is written, and not yet where it belongs. */
export interface WrittenBeside {
  /** Renames it: from then on it is there. Throws LutnnError where that fails; nothing is left of it then. */
  place(): Promise<void>;
  /** Takes it away again, unless it is placed. */
  discard(): Promise<void>;
}

/** The first half of {@link writeFileWhole}, for files that are to be there together: all of them first, then each placed. */
export async function writeBeside(
  path: string,
  data: string | Uint8Array,
  doing: string,
): Promise<WrittenBeside> {
  if (path === "" || path.endsWith("/") || path.endsWith(sep))
    throw new LutnnError(
      `${doing}: the path must name a file (got ${JSON.stringify(path)}); add a file name`,
    );
  try {
    const target = await realpath(resolve(path)).catch(() => resolve(path));
    await makeFolder(dirname(target));
    const found = await stat(target).catch(() => null);
    if (found) requireRegular(doing, target, found);
    const aside = await writeAside(target, data);
    const discard = async (): Promise<void> => {
      await rm(aside, { force: true }).catch(() => undefined); // what led here says more
      releaseAside(aside);
    };
    const place = async (): Promise<void> => {
      try {
        await rename(aside, target);
        releaseAside(aside);
        await syncFolder(dirname(target));
      } catch (error) {
        await discard();
        throw fileError(doing, path, error);
      }
    };
    return { place, discard };
  } catch (error) {
    throw fileError(doing, path, error);
  }
}

/** Writes what is to become `target` beside it, to the disk, and returns its path. */
async function writeAside(target: string, data: string | Uint8Array): Promise<string> {
  for (const left of await abandonedBeside(target))
    await rm(left, { recursive: true, force: true }).catch(() => undefined); // it takes room and does no harm
  const aside = claimAside(target);
  try {
    const file = await open(aside, "wx");
    try {
      await writeWhole(file, typeof data === "string" ? Buffer.from(data) : data);
      await file.sync();
    } finally {
      await file.close();
    }
    return aside;
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined); // the first error says more
    releaseAside(aside);
    throw error;
  }
}

/**
 * In calls as large as the system takes: FileHandle.writeFile writes 512 KiB a turn of the event loop, which beside a
 * training is one a step.
 */
async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, Math.min(bytes.length - at, mostAtOnce));
    at += bytesWritten;
  }
}

/** Makes a rename last through a power cut; systems that cannot open folders do without. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => null);
  if (!folder) return;
  await folder.sync().catch(() => undefined);
  await folder.close();
}
