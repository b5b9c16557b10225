import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { LutnnError } from "../errors";
import { checkFile } from "../files/checksum";
import { downloadFile } from "../files/download";
import { fileError } from "../files/fileError";
import { readFileWhole } from "../files/readFile";
import { unpackArchives } from "../files/unpack/unpack";
import { Progress } from "../host/progress";
import { type DataSource, findArchives, findFolder, missing, userCache } from "./source";

export interface LocateOptions {
  /** Folder that holds the set's folder or its files. Default: $LUTNN_DATA. */
  dataFolder?: string;
  /** Fetch missing files into the user's cache, checking their length and checksum. Default false. */
  download?: boolean;
  signal: AbortSignal;
}

/**
 * The folder that holds the set's files: found; or unpacked, from archives that are found, into the user's cache; or
 * downloaded when allowed. Throws LutnnError that says which files are wanted, where they were looked for and how to get
 * them; nothing else is put in their place.
 */
export async function locate(source: DataSource, options: LocateOptions): Promise<string> {
  const found = findFolder(source, options.dataFolder);
  if (found) return found;
  const archives = findArchives(source, options.dataFolder);
  if (archives) return unpackFound(source, archives, options.signal);
  if (options.download && source.url !== undefined) return download(source, source.url, options.signal);
  throw new LutnnError(missing(source, options.dataFolder));
}

async function unpackFound(source: DataSource, folder: string, signal: AbortSignal): Promise<string> {
  for (const file of source.files) {
    const path = join(folder, file.name);
    await checkFile(path, file.name, file, signal, "delete it and get it again").catch((error) => {
      throw fileError(source.name, path, error);
    });
  }
  return unpack(source, folder, signal);
}

async function unpack(source: DataSource, folder: string, signal: AbortSignal): Promise<string> {
  const target = join(userCache(), source.name);
  const progress = new Progress(`unpack ${source.name}`, undefined, "MB");
  try {
    const archives = source.files.map(({ name }) => join(folder, name));
    await unpackArchives(archives, target, source.unpacked!, signal, (bytes) =>
      progress.update(Math.round(bytes / 1e6)),
    );
  } finally {
    progress.end();
  }
  const found = findFolder(source);
  if (found) return found;
  throw new LutnnError(
    `${source.name}: the archives must hold ${source.unpacked!.paths.join(", ")} (they do not); delete ${target} and get them again`,
  );
}

/** Files go into the set's folder, archives into one of their own until they are unpacked. */
async function download(source: DataSource, url: string, signal: AbortSignal): Promise<string> {
  const folder = source.unpacked
    ? join(userCache(), "downloads", source.name)
    : join(userCache(), source.name);
  const total = source.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = new Progress(`download ${source.name}`, total / 1e6, "MB");
  let before = 0;
  try {
    for (const file of source.files) {
      const path = join(folder, file.name);
      const remote = { ...file, url: file.url ?? `${url}/${file.name}` };
      const onReceived = (received: number) =>
        progress.update((before + received) / 1e6, { file: file.name });
      if (!existsSync(path)) await downloadFile(remote, path, { signal, onReceived });
      before += file.bytes;
    }
  } finally {
    progress.end();
  }
  if (!source.unpacked) return folder;
  const unpacked = await unpack(source, folder, signal);
  await rm(folder, { recursive: true, force: true });
  return unpacked;
}

/** Packing adds less than that to whatever it packs. */
const packing = 65_536;

/** The bytes of one of the files, packed or not; none that is longer than what it must unpack to is read. */
export const readDataFile = (folder: string, name: string, unpacked: number): Promise<Buffer> =>
  readFileWhole(join(folder, name), name, unpacked + packing, "delete it and get it again");
