import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Checksums } from "../files/checksum";
import type { UnpackLimits } from "../files/unpack/unpack";

/** A file of a data set as its authors publish it. */
export interface DataFile extends Checksums {
  name: string;
  /** Where it is not below the source's address under its name. */
  url?: string;
}

/** A data set that is not embedded. */
export interface DataSource {
  /** Name of its folder below a data folder, and in messages. */
  name: string;
  /** None where they cannot be had without asking for them. */
  files: readonly DataFile[];
  /** Address of the folder that holds the files; none where they cannot be had without asking for them. */
  url?: string;
  /** Where the files are archives: what is in the folder once they are unpacked, and how much it is at most. */
  unpacked?: UnpackLimits & { paths: readonly string[] };
  /** Where neither says what a folder must hold: whether it does, and what that is, for the sentence. */
  content?: { isWhole: (folder: string) => boolean; words: string };
  /** Further names of its folder, as other programs have it. */
  folders?: readonly string[];
  /** Folder of a system package, and how to get it. */
  system?: { folder: string; install: string };
  /** How to get it, where there is no address. */
  remedy?: string;
}

/** Where downloads go: below $XDG_CACHE_HOME, %LOCALAPPDATA% or ~/.cache. */
export function userCache(): string {
  const base = process.env.XDG_CACHE_HOME ?? process.env.LOCALAPPDATA ?? join(homedir(), ".cache");
  return join(base, "lutnn");
}

/** The folders in which a set is looked for, in order. */
export function searchFolders(source: DataSource, dataFolder = process.env.LUTNN_DATA): string[] {
  const names = [source.name, ...(source.folders ?? [])];
  return [
    ...(dataFolder ? [...names.map((name) => join(dataFolder, name)), dataFolder] : []),
    join(userCache(), source.name),
    ...(source.system ? [source.system.folder] : []),
  ];
}

const holds = (folder: string, paths: readonly string[]) =>
  paths.every((path) => existsSync(join(folder, path)));

const fileNames = ({ files }: DataSource) => files.map(({ name }) => name);

function isWhole(source: DataSource, folder: string): boolean {
  if (source.content) return source.content.isWhole(folder);
  return holds(folder, source.unpacked?.paths ?? fileNames(source));
}

/** The first folder that holds all that is read, or null. */
export function findFolder(source: DataSource, dataFolder?: string): string | null {
  return searchFolders(source, dataFolder).find((folder) => isWhole(source, folder)) ?? null;
}

/** The first folder that holds all archives, or null; null too where the files are none. */
export function findArchives(source: DataSource, dataFolder?: string): string | null {
  if (!source.unpacked) return null;
  const names = fileNames(source);
  return searchFolders(source, dataFolder).find((folder) => holds(folder, names)) ?? null;
}

/** Which files are wanted, where they were looked for and how to get them, as one sentence. */
export function missing(source: DataSource, dataFolder?: string): string {
  const { content, unpacked, system, url, remedy } = source;
  const packed = fileNames(source).join(", ");
  const wanted = unpacked
    ? `${unpacked.paths.join(", ")} (or ${packed}, which they are unpacked from)`
    : packed;
  const ways = [
    ...(system ? [system.install] : []),
    ...(remedy ? [remedy] : []),
    ...(url ? ["pass { download: true }"] : []),
    `${system || url ? "or " : ""}put the files into a folder and pass { dataFolder } or set LUTNN_DATA`,
  ];
  return `${source.name}: ${content?.words ?? `the files ${wanted}`} must be in one of ${searchFolders(source, dataFolder).join(", ")} (they are not); ${ways.join(", ")}`;
}
