import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { LutnnError } from "../errors";
import { readFileWhole } from "../files/readFile";
import { writeFileWhole } from "../files/writeFile";
import { Progress } from "../host/progress";
import { yieldToEvents } from "../host/signal";

/** A file of a data set as its authors publish it. */
export interface DataFile {
  name: string;
  bytes: number;
  md5: string;
}

/** A data set that is not embedded. */
export interface DataSource {
  /** Name of its folder below a data folder, and in messages. */
  name: string;
  files: DataFile[];
  /** Address of the folder that holds the files. */
  url: string;
  /** Folder of a system package, and how to get it. */
  system?: { folder: string; install: string };
}

export interface LocateOptions {
  /** Folder that holds the set's folder or its files. Default: $LUTNN_DATA. */
  dataFolder?: string;
  /** Fetch missing files into the user's cache, checking their length and MD5. Default false. */
  download?: boolean;
  signal: AbortSignal;
}

/** Where downloads go: below $XDG_CACHE_HOME, %LOCALAPPDATA% or ~/.cache. */
export function userCache(): string {
  const base = process.env.XDG_CACHE_HOME ?? process.env.LOCALAPPDATA ?? join(homedir(), ".cache");
  return join(base, "lutnn");
}

/** The folders in which a set is looked for, in order. */
export function searchFolders(source: DataSource, dataFolder = process.env.LUTNN_DATA): string[] {
  return [
    ...(dataFolder ? [join(dataFolder, source.name), dataFolder] : []),
    join(userCache(), source.name),
    ...(source.system ? [source.system.folder] : []),
  ];
}

/** The first folder that holds all files, or null. */
export function findFolder(source: DataSource, dataFolder?: string): string | null {
  const whole = (folder: string) => source.files.every(({ name }) => existsSync(join(folder, name)));
  return searchFolders(source, dataFolder).find(whole) ?? null;
}

/**
 * The folder that holds the set's files: found, or downloaded when allowed. Throws LutnnError that says which files are
 * wanted, where they were looked for and how to get them; nothing else is put in their place.
 */
export async function locate(source: DataSource, options: LocateOptions): Promise<string> {
  const found = findFolder(source, options.dataFolder);
  if (found) return found;
  if (options.download) return download(source, options.signal);
  const names = source.files.map(({ name }) => name).join(", ");
  const ways = [
    ...(source.system ? [source.system.install] : []),
    "pass { download: true }",
    "or put the files into a folder and pass { dataFolder } or set LUTNN_DATA",
  ];
  throw new LutnnError(
    `${source.name}: the files ${names} must be in one of ${searchFolders(source, options.dataFolder).join(", ")} (they are not); ${ways.join(", ")}`,
  );
}

async function download(source: DataSource, signal: AbortSignal): Promise<string> {
  const folder = join(userCache(), source.name);
  const total = source.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = new Progress(`download ${source.name}`, total / 1e6, "MB");
  let before = 0;
  for (const file of source.files) {
    const path = join(folder, file.name);
    if (!existsSync(path)) {
      const bytes = await fetchFile(`${source.url}/${file.name}`, file, signal, (received) =>
        progress.update((before + received) / 1e6, { file: file.name }),
      );
      await writeFileWhole(path, bytes, "download");
    }
    before += file.bytes;
  }
  progress.finish();
  return folder;
}

async function fetchFile(
  url: string,
  { name, bytes, md5 }: DataFile,
  signal: AbortSignal,
  onReceived: (received: number) => void,
): Promise<Uint8Array> {
  const response = await fetch(url, { signal }).catch((error: Error & { cause?: Error }) => {
    signal.throwIfAborted();
    throw new LutnnError(
      `download: ${url} must answer (${error.cause?.message ?? error.message}); try again or get the file otherwise`,
    );
  });
  if (!response.ok || !response.body)
    throw new LutnnError(`download: ${url} must answer with the file (got status ${response.status})`);
  const parts: Uint8Array[] = [];
  let received = 0;
  for await (const part of response.body) {
    parts.push(part);
    received += part.length;
    if (received > bytes)
      throw new LutnnError(
        `download: ${name} must have ${bytes} bytes (the server sends more); nothing was kept, try again`,
      );
    onReceived(received);
    await yieldToEvents(signal);
  }
  const whole = Buffer.concat(parts);
  const found = createHash("md5").update(whole).digest("hex");
  if (whole.length !== bytes || found !== md5)
    throw new LutnnError(
      `download: ${name} must have ${bytes} bytes and MD5 ${md5} (got ${whole.length} and ${found}); nothing was kept, try again`,
    );
  return whole;
}

/** Packing adds less than that to whatever it packs. */
const packing = 65_536;

/** The bytes of one of the files, packed or not; none that is longer than what it must unpack to is read. */
export const readDataFile = (folder: string, name: string, unpacked: number): Promise<Buffer> =>
  readFileWhole(join(folder, name), name, unpacked + packing, "delete it and get it again");
